//! What a user may rely on about autoencoders: PyTorch's numbers, scikit-image's measures, and what a run says and shows.

mod common;

use burn::prelude::*;
use burn::train::TrainStep;
use common::{Bench, assert_self_contained, assert_well_formed, noise, noisy, tensors};
use kiln::config::{LossConfig, OptimizerConfig, Reduction, SgdConfig};
use kiln::metrics::psnr::{MAX_PSNR, psnr};
use kiln::metrics::ssim::ssim;
use kiln::models::Network;
use kiln::models::{AutoencoderConfig, ConvAutoencoderConfig, ModelConfig};
use kiln::report::{Filters, pictures::sheet};
use kiln::shape::ImageShape;
use kiln::training::optimizer;
use kiln::training::{Batch, TrainModel};
use serde_json::Value;

fn close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < tolerance, "{found:?} is not {expected:?}");
    }
}

// ---- Networks and loss against PyTorch ----

fn images(count: usize, [c, h, w]: [usize; 3], device: &Device) -> Tensor<4> {
    let values = noise(count * c * h * w, 0).into_iter().map(|v| v as f32);
    let data = TensorData::new(values.collect::<Vec<_>>(), [count, c, h, w]);
    Tensor::from_data(data, device)
}

fn rows(config: &ModelConfig, shape: [usize; 3], first: usize) -> Vec<f32> {
    let network = noisy(
        Network::new(config, shape.into(), 0, &Device::flex()),
        first,
    );
    let output = network.forward(images(2, shape, &Device::flex()));
    output.into_data().iter::<f32>().collect()
}

fn connected() -> ModelConfig {
    ModelConfig::Autoencoder(AutoencoderConfig {
        hidden: vec![3, 2, 3],
    })
}

#[test]
fn the_fully_connected_autoencoder_gives_pytorchs_images_from_pytorchs_weights() {
    // torch 2.15: linear layers, ReLU behind all but the last, a sigmoid behind that.
    let expected = [
        0.371_418_15,
        0.552_282_6,
        0.816_859_7,
        0.512_235_8,
        0.498_376_88,
        0.437_849_67,
        0.491_168_86,
        0.256_436_17,
        0.753_092_35,
        0.546_437_9,
        0.581_252_75,
        0.307_745_64,
    ];
    close(&rows(&connected(), [1, 2, 3], 91), &expected, 1e-5);
}

#[test]
fn the_convolutional_autoencoder_gives_pytorchs_images_from_pytorchs_weights() {
    // torch 2.15: down blocks as conv2d, batch_norm, relu, max_pool2d; flatten(1), encode, decode, relu, reshape to
    // [batch, channels, height, width]; up blocks without the pool, each followed by
    //     b, c, h, w = x.shape
    //     x.reshape(b, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(b, c // 4, 2 * h, 2 * w)
    // which is pixel_shuffle of channels in the order [row, column, channel]; then conv2d and a sigmoid.
    let config = |channels: &[usize]| {
        ModelConfig::ConvAutoencoder(ConvAutoencoderConfig {
            channels: channels.to_vec(),
            code: 2,
        })
    };
    let expected = [
        0.419_243_8,
        0.398_675_6,
        0.625_112_3,
        0.168_859_2,
        0.991_854_4,
        0.889_945_7,
        0.281_518_4,
        0.995_955,
        0.403_857_4,
        0.884_115_7,
        0.101_587_1,
        0.904_717_1,
        0.354_765_3,
        0.973_997_1,
        0.003_383_9,
        0.905_562_2,
        0.932_351_2,
        0.766_588_4,
        0.934_621_2,
        0.904_640_7,
        0.643_401_2,
        0.008_936_4,
        0.999_975_1,
        0.008_399_7,
        0.909_817_6,
        0.359_181_2,
        0.005_113_1,
        0.926_740_6,
        0.580_647_3,
        0.993_414_1,
        0.927_641_7,
        0.117_269_3,
        0.912_098,
        0.819_876_3,
        0.998_104,
        0.458_839_8,
        0.992_192_9,
        0.081_558_1,
        0.908_076_9,
        0.000_039_8,
        0.991_224_1,
        0.997_734_2,
        0.120_327_6,
        0.999_998_7,
        0.007_434_5,
        1.0,
        0.000_000_4,
        0.999_999_2,
        0.999_736_5,
        0.999_931_9,
        0.999_968_9,
        0.316_156_4,
        1.0,
        0.999_991_4,
        0.022_077_3,
        0.024_311,
        0.765_903_1,
        0.885_746_7,
        0.444_279_2,
        0.994_530_4,
        0.999_98,
        0.192_609,
        0.000_290_4,
        0.643_974,
    ];
    close(&rows(&config(&[2, 3]), [1, 4, 8], 4), &expected, 5e-5);
    let colour = [
        0.553_806_2,
        0.995_085_9,
        0.806_700_1,
        0.855_312,
        0.800_338_7,
        0.696_934_1,
        0.028_292_4,
        0.747_280_4,
        0.031_682_9,
        0.000_806_9,
        0.354_306_1,
        0.999_879_1,
        0.662_924_9,
        0.899_394_3,
        0.781_651_6,
        0.172_244_3,
        0.072_263_5,
        0.152_709_1,
        0.006_001_4,
        0.506_630_5,
        0.209_661_6,
        0.788_337_4,
        0.116_386_6,
        0.011_357_6,
        0.826_846_3,
        0.736_903_3,
        0.065_875_4,
        0.969_469_7,
        0.303_531_5,
        0.938_949_9,
        0.247_631_1,
        0.192_55,
        0.510_176_6,
        0.036_323_7,
        0.896_202_7,
        0.020_917_3,
        0.761_863,
        0.444_977_7,
        0.419_978_3,
        0.514_343_6,
        0.145_546_2,
        0.011_642_1,
        0.004_329_8,
        0.618_743_5,
        0.099_952_7,
        0.462_920_7,
        0.041_726_9,
        0.184_263_4,
    ];
    close(&rows(&config(&[2]), [3, 4, 2], 94), &colour, 5e-5);
}

/// Loss, and the gradients of first and last layer, of the squared error of two images.
fn step(reduction: Reduction) -> (f32, Vec<Vec<f32>>) {
    let device = Device::flex().autodiff();
    let shape = [1, 2, 3];
    let network = noisy(Network::new(&connected(), shape.into(), 0, &device), 91);
    let folder = tempfile::tempdir().unwrap();
    let exported = |network: &Network| {
        let path = folder.path().join("out.safetensors");
        kiln::weights::save(network, &path).unwrap();
        tensors(&std::fs::read(path).unwrap())
    };
    let before = exported(&network);
    let input = images(2, shape, &device);
    let batch = Batch {
        originals: Some(input.clone().flatten(1, 3)),
        images: input,
        targets: Tensor::from_data([0, 0], &device),
        indices: vec![0, 1],
        features: None,
    };
    let loss = LossConfig {
        reduction,
        ..LossConfig::default()
    };
    let trainee = TrainModel::new(network, &loss);
    let output = TrainStep::step(&trainee, batch);
    let mut optimizer = optimizer::build(&OptimizerConfig::Sgd(SgdConfig::default()));
    let moved: TrainModel = optimizer.step(1.0, trainee, output.grads);
    let after = exported(&moved.network);
    let gradient = |name: &str| {
        let pairs = before[name].1.iter().zip(&after[name].1);
        pairs.map(|(before, after)| before - after).collect()
    };
    let names = ["layers.0.weight", "layers.0.bias", "layers.3.bias"];
    (
        output.item.loss.into_scalar::<f32>(),
        names.map(gradient).to_vec(),
    )
}

#[test]
fn the_squared_error_and_its_gradient_are_those_of_pytorch() {
    // torch 2.15: ((output - input) ** 2).sum() / 2 for two images, on the network above.
    let gradients: [&[f32]; 3] = [
        &[
            -0.021_708_87,
            -0.061_093_48,
            -0.014_847_8,
            -0.052_234_98,
            -0.056_130_73,
            -0.055_707_59,
            -0.033_720_28,
            -0.094_896_18,
            -0.023_063_02,
            -0.081_136_32,
            -0.087_187_57,
            -0.086_530_31,
            -0.026_023_85,
            -0.073_236_76,
            -0.017_799_03,
            -0.062_617_5,
            -0.067_287_59,
            -0.066_780_34,
        ],
        &[-0.094_728_96, -0.147_142, -0.113_557_82],
        &[
            0.052_994_82,
            -0.074_018_05,
            0.192_479_22,
            -0.009_801_16,
            -0.063_827_95,
            -0.113_230_3,
        ],
    ];
    let (loss, found) = step(Reduction::Mean);
    close(&[loss], &[0.745_777_6], 1e-6);
    for (found, expected) in found.iter().zip(gradients) {
        close(found, expected, 2e-6);
    }
    // Summed over the batch the gradient doubles; what is reported stays.
    let (loss, found) = step(Reduction::Sum);
    close(&[loss], &[0.745_777_6], 1e-6);
    for (found, expected) in found.iter().zip(gradients) {
        let doubled: Vec<f32> = expected.iter().map(|value| 2.0 * value).collect();
        close(found, &doubled, 4e-6);
    }
}

// ---- Measures against scikit-image ----

/// `0.5 + 0.5 cos(0.1 i)`, and the same with `0.1 sin(0.7 i)` on top, within [0, 1].
fn pair(count: usize) -> (Vec<f32>, Vec<f32>) {
    let of = |i: usize| (0.1 * i as f64).cos() * 0.5 + 0.5;
    let original = (0..count).map(|i| of(i) as f32).collect();
    let found = (0..count).map(|i| {
        let value = f64::from(of(i) as f32) + 0.1 * (0.7 * i as f64).sin();
        value.clamp(0.0, 1.0) as f32
    });
    (original, found.collect())
}

#[test]
fn psnr_and_ssim_are_those_of_scikit_image() {
    // scikit-image 0.26: peak_signal_noise_ratio(data_range=a.max() - a.min()) and structural_similarity(
    // gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=..., channel_axis=0), whose window is 11x11
    // as well, and whose mean leaves out the five pixels next to the border: where the window fits.
    for (shape, decibels, similarity) in [
        ([1, 16, 20], 23.706_560_4, 0.982_692_212_8),
        ([3, 13, 12], 23.651_049_5, 0.983_178_606_0),
        ([1, 11, 11], 23.652_127_2, 0.975_151_108_8),
        ([1, 32, 32], 23.645_890_7, 0.950_838_479_1),
    ] {
        let (original, found) = pair(shape.iter().product());
        let ratio = psnr(&original, &found).unwrap();
        assert!((ratio - decibels).abs() < 1e-4, "{shape:?}: {ratio}");
        let value = ssim(&original, &found, shape.into()).unwrap();
        assert!((value - similarity).abs() < 1e-6, "{shape:?}: {value}");
    }
    // An image of little contrast: its own range counts, 0.3.
    let (original, found) = pair(320);
    let original: Vec<f32> = original.iter().map(|v| v * 0.3 + 0.2).collect();
    let found: Vec<f32> = found.iter().map(|v| v * 0.3 + 0.25).collect();
    assert!((psnr(&original, &found).unwrap() - 14.939_468).abs() < 1e-4);
    let value = ssim(&original, &found, ImageShape::new(1, 16, 20)).unwrap();
    assert!((value - 0.974_816_5).abs() < 1e-6, "{value}");
}

#[test]
fn psnr_by_hand() {
    // Range 1, mean squared error 0.01.
    assert!((psnr(&[0.0, 1.0], &[0.1, 0.9]).unwrap() - 20.0).abs() < 1e-5);
    // Range 0.5, mean squared error 0.005: 20 log10(0.5) - 10 log10(0.005).
    let expected = 20.0 * 0.5f64.log10() - 10.0 * 0.005f64.log10();
    assert!((psnr(&[0.0, 0.5], &[0.1, 0.5]).unwrap() - expected).abs() < 1e-5);
    assert_eq!(psnr(&[0.3, 0.7], &[0.3, 0.7]), Some(MAX_PSNR));
    assert_eq!(psnr(&[0.3, 0.7], &[0.3, 0.700_000_1]), Some(MAX_PSNR));
    assert_eq!(psnr(&[0.3], &[0.3, 0.7]), None);
    assert_eq!(psnr(&[], &[]), None);
}

#[test]
fn a_flat_image_is_measured_by_a_range_of_one() {
    let flat = vec![0.25; 144];
    let (_, found) = pair(144);
    // scikit-image with data_range=1.
    assert!((psnr(&flat, &found).unwrap() - 6.966_927_5).abs() < 1e-4);
    let value = ssim(&flat, &found, ImageShape::new(1, 12, 12)).unwrap();
    assert!((value - 0.005_484_533).abs() < 1e-6, "{value}");
    assert_eq!(psnr(&flat, &flat), Some(MAX_PSNR));
    assert_eq!(ssim(&flat, &flat, ImageShape::new(1, 12, 12)), Some(1.0));
}

#[test]
fn what_is_no_number_is_no_perfect_picture() {
    let broken = [f32::NAN, 0.5];
    assert!(psnr(&[0.0, 1.0], &broken).unwrap().is_nan());
    assert!(
        ssim(&[0.5; 121], &[f32::NAN; 121], ImageShape::new(1, 11, 11))
            .unwrap()
            .is_nan()
    );
}

#[test]
fn images_smaller_than_the_window_have_no_ssim() {
    assert_eq!(
        ssim(&[0.0; 110], &[0.0; 110], ImageShape::new(1, 10, 11)),
        None
    );
    assert_eq!(
        ssim(&[0.0; 110], &[0.0; 110], ImageShape::new(1, 11, 10)),
        None
    );
    assert_eq!(
        ssim(&[0.0; 121], &[0.0; 120], ImageShape::new(1, 11, 11)),
        None
    );
    assert_eq!(ssim(&[], &[], ImageShape::new(0, 11, 11)), None);
}

// ---- Runs ----

fn config(model: &str) -> String {
    format!(
        r#"{{"data": {{"kind": "glyphs", "size": 16, "train": 288, "valid": 144, "test": 144}}, "model": {model},
            "training": {{"epochs": 2, "batch_size": 50}}}}"#
    )
}

const CONV: &str = r#"{"kind": "conv_autoencoder", "channels": [4, 6], "code": 8}"#;

fn line(bench: &Bench, run: &str, epoch: usize) -> Value {
    let text = String::from_utf8(bench.read(&format!("{run}/metrics.jsonl"))).unwrap();
    serde_json::from_str(text.lines().nth(epoch - 1).unwrap()).unwrap()
}

#[test]
fn a_run_measures_and_shows_what_came_back() {
    let bench = Bench::new();
    bench.write("conv.json", config(CONV));
    bench.write(
        "connected.json",
        config(r#"{"kind": "autoencoder", "hidden": [20, 8, 20]}"#),
    );
    for name in ["conv", "connected"] {
        let out = bench.output(&format!("train {name}.json --run-dir {name}"));
        assert!(out.contains("test PSNR") && out.contains(" dB"), "{out}");
        let summary: Value =
            serde_json::from_slice(&bench.read(&format!("{name}/summary.json"))).unwrap();
        // Training, evaluation and summary agree on the kept weights.
        let best = summary["best_epoch"].as_u64().unwrap() as usize;
        let during = &line(&bench, name, best)["valid"];
        let after = bench.json(&format!("eval {name} --split valid --json"));
        for measure in ["psnr", "loss"] {
            let (during, after) = (during[measure].as_f64(), after[measure].as_f64());
            let (during, after) = (during.unwrap(), after.unwrap());
            assert!(
                (during / after - 1.0).abs() < 1e-5,
                "{measure}: {during}, {after}"
            );
        }
        let test = bench.json(&format!("eval {name} --json"));
        for measure in ["psnr", "ssim", "loss"] {
            assert_eq!(test[measure], summary["test"][measure]);
        }
        assert!(test["ssim"].as_f64().unwrap() < 1.0);
        for list in ["per_class", "most_confused"] {
            assert_eq!(test[list], Value::Array(Vec::new()), "{list}");
            assert_eq!(summary[list], Value::Array(Vec::new()), "{list}");
        }
        assert!(test.get("accuracy").is_none());
        let text = bench.output(&format!("eval {name}"));
        assert!(
            text.contains("psnr") && !text.contains("precision"),
            "{text}"
        );
        let page = String::from_utf8(bench.read(&format!("{name}/report.html"))).unwrap();
        assert_well_formed(&page);
        assert_self_contained(&page);
        // Five of the 36 classes, evenly spread, two samples of each.
        for what in ["original of ", "reconstruction of "] {
            let shown: Vec<&str> = page
                .split(&format!("alt=\"{what}"))
                .skip(1)
                .map(|rest| &rest[..rest.find('"').unwrap()])
                .collect();
            assert_eq!(shown, ["A", "A", "H", "H", "O", "O", "V", "V", "2", "2"]);
        }
        assert_two_sheets(&page);
        assert!(!page.contains("Confusion matrix") && !page.contains("Worst mistakes"));
    }
}

/// The first layer's weights before and after training are there, and are not the same.
fn assert_two_sheets(page: &str) {
    let picture = |when: &str| {
        let end = page.find(&format!("alt=\"first-layer weights {when} training\""));
        let end = end.unwrap_or_else(|| panic!("no weights {when} training"));
        let start = page[..end].rfind("base64,").unwrap();
        &page[start..end]
    };
    assert!(picture("before") != picture("after"), "nothing has changed");
    assert_eq!(page.matches("alt=\"first-layer weights").count(), 2);
}

#[test]
fn every_network_shows_its_first_layer_before_and_after() {
    let bench = Bench::new();
    for (name, model, size) in [
        ("mlp", r#"{"kind": "mlp", "hidden": [70]}"#, 16),
        (
            "cnn",
            r#"{"kind": "cnn", "channels": [4, 6], "hidden": 8}"#,
            16,
        ),
        ("squeezenet", r#"{"kind": "squeezenet"}"#, 25),
    ] {
        bench.write(&format!("{name}.json"), config(model));
        bench.output(&format!(
            "train {name}.json --run-dir {name} --set data.size={size} --set training.epochs=1 --set data.train=108"
        ));
        let page = String::from_utf8(bench.read(&format!("{name}/report.html"))).unwrap();
        assert_well_formed(&page);
        assert_two_sheets(&page);
        assert_eq!(page.contains("first 64 of 70 units"), name == "mlp");
        assert!(!page.contains("Reconstructions"));
    }
}

#[test]
fn a_sheet_draws_each_unit_from_black_to_white() {
    let filters = Filters {
        when: "before training",
        units: 9,
        shape: ImageShape::new(1, 1, 30),
        values: (0..270).map(|i| (i % 30) as f32 - 7.0).collect(),
    };
    let picture = image::load_from_memory(&sheet(&filters).unwrap()).unwrap();
    let picture = picture.into_luma8();
    // Eight units in a row, three white pixels between them, and one below.
    assert_eq!(picture.dimensions(), (8 * 33 - 3, 2 * 4 - 3));
    let at = |x, y| picture.get_pixel(x, y).0[0];
    assert_eq!(
        [at(0, 0), at(29, 0), at(30, 0), at(33, 0)],
        [0, 255, 255, 0]
    );
    assert_eq!([at(0, 4), at(29, 4), at(33, 4)], [0, 255, 255]);
    for broken in [
        Filters {
            units: 0,
            ..filters.clone()
        },
        Filters {
            units: 8,
            ..filters.clone()
        },
        Filters {
            shape: ImageShape::new(1, 0, 30),
            ..filters.clone()
        },
    ] {
        assert_eq!(sheet(&broken), None);
    }
    let flat = Filters {
        values: vec![3.0; 270],
        ..filters
    };
    assert!(sheet(&flat).is_some());
}

#[test]
fn the_same_autoencoder_has_the_same_bytes_on_any_number_of_threads() {
    let bench = Bench::new();
    bench.write("conv.json", config(CONV));
    for (run, threads) in [("a", "2"), ("b", "1"), ("c", "2")] {
        bench
            .kiln(&format!("train conv.json --run-dir {run}"))
            .env("RAYON_NUM_THREADS", threads)
            .assert()
            .success();
        for file in ["model.safetensors", "metrics.jsonl", "summary.json"] {
            let of = |run: &str| bench.read(&format!("{run}/{file}"));
            assert!(of("a") == of(run), "{file} of {run}");
        }
    }
}

#[test]
fn verbs_that_name_classes_refuse_an_autoencoder_in_one_line() {
    let bench = Bench::new();
    bench.write("conv.json", config(CONV));
    bench.output("train conv.json --run-dir run --set training.epochs=1");
    bench.output("data page --text HI page.png");
    let before = bench.listing();
    for verb in ["predict run page.png", "ocr page.png --model run"] {
        let assert = bench.kiln(verb).assert().code(2);
        let output = assert.get_output();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("run: this model is an autoencoder"), "{text}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(bench.listing(), before);
    let info = bench.json("model info run --json");
    assert_eq!(info["classes"], Value::Null);
    assert!(
        bench
            .output("model info run")
            .starts_with("conv_autoencoder: 1x16x16 -> 1x16x16\n")
    );
}

#[test]
fn an_autoencoder_needs_no_number_of_classes() {
    let bench = Bench::new();
    bench.write(
        "folder.json",
        r#"{"data": {"kind": "image_folder", "folder": "nowhere"}, "model": {"kind": "autoencoder"}}"#,
    );
    assert_eq!(
        bench.json("model info folder.json --json")["model"],
        "autoencoder"
    );
}

#[test]
fn configs_that_contradict_themselves_are_refused_by_key() {
    let bench = Bench::new();
    bench.write("conv.json", config(CONV));
    bench.write("connected.json", config(r#"{"kind": "autoencoder"}"#));
    bench.write("squeezenet.json", config(r#"{"kind": "squeezenet"}"#));
    for (arguments, key, says) in [
        (
            "conv.json --set loss.label_smoothing=0.1",
            "loss.label_smoothing",
            "no labels",
        ),
        (
            "connected.json --set loss.label_smoothing=0.1",
            "loss.label_smoothing",
            "0.1",
        ),
        (
            "conv.json --set data.size=18",
            "model.channels",
            "multiples of 4",
        ),
        (
            "conv.json --set model.channels=[2,2,2,2,2]",
            "model.channels",
            "multiples of 32",
        ),
        (
            "squeezenet.json --set data.size=24",
            "model.kind",
            "at least 25 pixels",
        ),
        ("connected.json --set model.hidden=[]", "model.hidden", "1"),
        (
            "connected.json --set model.classes=36",
            "model.classes",
            "unknown key",
        ),
        (
            "conv.json --set init.except=[\"x\"]",
            "init.except",
            "init.weights",
        ),
    ] {
        let assert = bench
            .kiln(&format!("config check {arguments}"))
            .assert()
            .code(2);
        let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(
            text.contains(key) && text.contains(says),
            "{arguments}: {text}"
        );
    }
    bench.output("config check squeezenet.json --set data.size=25");
    bench.output("config check connected.json --set data.size=17");
}
