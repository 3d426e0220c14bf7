//! Steps that several tests share.

use burn::prelude::*;
use kiln::models::{MlpConfig, ModelConfig, Network};
use kiln::shape::ImageShape;
use kiln::weights::{self, Taken};

use super::common::{Bench, tensors};
use super::files::Named;

/// A perceptron from 2x2 pixels over three units to two classes.
pub fn small() -> Network {
    let config = ModelConfig::Mlp(MlpConfig {
        hidden: vec![3],
        ..MlpConfig::default()
    });
    Network::new(&config, ImageShape::new(1, 2, 2), 2, &Device::flex())
}

pub fn try_load(bytes: &[u8], except: &[&str]) -> Result<(Network, Taken), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    std::fs::write(&path, bytes).unwrap();
    let except: Vec<String> = except.iter().map(|name| name.to_string()).collect();
    weights::load(small(), &path, &except).map_err(|error| error.to_string())
}

/// The network's tensors as another program would see them.
pub fn exported(network: &Network) -> Vec<Named> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.safetensors");
    weights::save(network, &path).unwrap();
    let found = tensors(&std::fs::read(path).unwrap()).into_iter();
    found
        .map(|(name, (shape, values))| (name, shape, values))
        .collect()
}

/// `kiln` must refuse in one line, without a panic, and write nothing.
pub fn assert_refused(bench: &Bench, arguments: &str, says: &[&str]) {
    let before = bench.listing();
    let assert = bench.kiln(arguments).assert();
    let output = assert.get_output();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{arguments}: {text}"
    );
    assert_eq!(text.lines().count(), 1, "{arguments}: {text}");
    assert!(text.starts_with("error: ") && text.len() < 600, "{text}");
    for part in says {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(output.stdout.is_empty());
    assert_eq!(
        bench.listing(),
        before,
        "{arguments}: something was written"
    );
}

/// A perceptron of the shape of [`small`], on drawn glyphs.
pub const GLYPHS: &str = r#"{
  "data": {"kind": "glyphs", "size": 16, "train": 72, "valid": 36, "test": 36},
  "model": {"kind": "mlp", "hidden": [3]},
  "training": {"epochs": 1}
}"#;
