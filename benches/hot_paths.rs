//! The hot paths one by one: `cargo bench` (or `cargo bench -- conv` for some).
//!
//! Sizes are those of the CNN on NIST36 at batch 32, and of a photographed page.

use std::sync::Arc;

use burn::prelude::*;
use divan::{Bencher, black_box};
use kiln::data::glyphs::Glyphs;
use kiln::data::image_folder::ImageFolder;
use kiln::data::loader::{Loader, Order, Share};
use kiln::data::{AugmentConfig, Fit, ImageFolderConfig, NormalizeConfig};
use kiln::data::{DataSource, Split, augment};
use kiln::handwriting::pages::{PageOptions, compose};
use kiln::inference::to_input;
use kiln::kernels::{self, Activation, AdamStep, ConvNorm, Pool};
use kiln::progress::CancelToken;
use kiln::rng;
use kiln::shape::ImageShape;
use kiln::{ocr, segmentation};

/// The program's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

const BATCH: usize = 32;

/// Input channels, output channels and side of the three blocks.
const BLOCKS: [(usize, usize, usize); 3] = [(1, 32, 32), (32, 64, 16), (64, 128, 8)];

fn tensor<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|i: usize| (i * 7919 % 1009) as f32 / 1009.0 - 0.5)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn parameters(inputs: usize, outputs: usize, device: &Device) -> ConvNorm {
    ConvNorm {
        weight: tensor([outputs, inputs, 3, 3], device),
        bias: tensor([outputs], device),
        gamma: tensor([outputs], device),
        beta: tensor([outputs], device),
        epsilon: 1e-5,
    }
}

#[divan::bench(args = BLOCKS)]
fn conv_forward(bencher: Bencher, (inputs, outputs, side): (usize, usize, usize)) {
    let device = Device::flex();
    let x = tensor([BATCH, side, side, inputs], &device);
    let p = parameters(inputs, outputs, &device);
    bencher.bench(|| kernels::conv2d(x.clone(), p.weight.clone(), p.bias.clone(), 1, 1, false));
}

#[divan::bench(args = BLOCKS)]
fn block_inference(bencher: Bencher, (inputs, outputs, side): (usize, usize, usize)) {
    let device = Device::flex();
    let x = tensor([BATCH, side, side, inputs], &device);
    let p = parameters(inputs, outputs, &device);
    let statistics = tensor([outputs], &device).abs();
    bencher.bench(|| {
        let (mean, variance) = (statistics.clone(), statistics.clone());
        kernels::fixed_conv_block(x.clone(), p.clone(), mean, variance, 1, Pool::Halve)
    });
}

#[divan::bench(args = BLOCKS)]
fn block_training(bencher: Bencher, (inputs, outputs, side): (usize, usize, usize)) {
    let device = Device::flex().autodiff();
    let x = tensor([BATCH, side, side, inputs], &device);
    // The first block's input is the data, which needs no gradient.
    let x = if inputs == 1 { x } else { x.require_grad() };
    let mut p = parameters(inputs, outputs, &device);
    p.weight = p.weight.require_grad();
    bencher.bench(|| {
        let (y, _, _) = kernels::conv_block(x.clone(), p.clone(), 1, Pool::Halve);
        y.sum().backward()
    });
}

#[divan::bench(args = [1, 64])]
fn linear_sigmoid(bencher: Bencher, batch: usize) {
    let device = Device::flex();
    let (x, w, b) = (
        tensor([batch, 1024], &device),
        tensor([1024, 64], &device),
        tensor([64], &device),
    );
    bencher.bench(|| kernels::linear(x.clone(), w.clone(), b.clone(), Activation::Sigmoid));
}

#[divan::bench]
fn adam_step(bencher: Bencher) {
    let device = Device::flex();
    let gradient = tensor([2048, 256], &device);
    let step = AdamStep {
        rate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        coupled_decay: 0.0,
        decoupled_decay: 1e-2,
        time: 3,
    };
    bencher
        .with_inputs(|| {
            let p = tensor([2048, 256], &device);
            (
                p,
                [gradient.clone() * 0.1, gradient.clone().powf_scalar(2.0)],
            )
        })
        .bench_values(|(p, moments)| kernels::adam_step(p, gradient.clone(), moments, step));
}

#[divan::bench]
fn batch_of_augmented_samples(bencher: Bencher) {
    let source: Arc<dyn DataSource> = Arc::new(Glyphs::new(&Default::default()));
    let loader = Loader {
        source,
        split: Split::Train,
        batch_size: BATCH,
        order: Order::EachEpoch,
        augment: Some(AugmentConfig {
            rotate: 7.0,
            scale: 0.08,
            shift: 1.2,
            elastic: 0.8,
            ..Default::default()
        }),
        normalize: None,
        seed: 1,
        share: Share::WHOLE,
        cancel: CancelToken::default(),
    };
    let mut epochs = 0..;
    bencher.bench_local(|| {
        let epoch = epochs.next().unwrap_or(0);
        loader
            .batches(epoch)
            .next()
            .map(|batch| batch.map(|batch| black_box(batch).labels))
    });
}

/// A folder of one photograph of 700 x 500 pixels, to be read as SqueezeNet takes it.
fn photographs(memory_mb: usize) -> (tempfile::TempDir, ImageFolder) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for class in ["train/a", "valid/a"] {
        let path = folder.path().join(class);
        std::fs::create_dir_all(&path).expect("a folder");
        let image = image::RgbImage::from_fn(700, 500, |x, y| {
            let noise = (x * 7919 + y * 104_729) % 1009 % 64;
            image::Rgb([x / 4, y / 2, (x + y) / 8].map(|value| (value + noise).min(255) as u8))
        });
        image.save(path.join("0.jpg")).expect("a file");
    }
    let config = ImageFolderConfig {
        folder: ".".into(),
        height: 224,
        width: 224,
        channels: 3,
        fit: Fit::Crop,
        centre: 0.875,
        random_crop: Some(Default::default()),
        memory_mb,
        ..Default::default()
    };
    let source = ImageFolder::open(&config, folder.path()).expect("the folder");
    (folder, source)
}

/// Decoding, reducing and cutting out.
#[divan::bench]
fn photograph_decoded(bencher: Bencher) {
    let (_folder, source) = photographs(0);
    let mut out = vec![0.0; source.shape().values()];
    bencher.bench_local(|| source.read(Split::Train, 0, 7, &mut out));
}

#[divan::bench]
fn photograph_random_part(bencher: Bencher) {
    let (_folder, source) = photographs(64);
    let mut out = vec![0.0; source.shape().values()];
    let mut draws = 1..;
    bencher.bench_local(|| source.read(Split::Train, 0, draws.next().unwrap_or(1), &mut out));
}

#[divan::bench]
fn photograph_ready(bencher: Bencher) {
    let (_folder, source) = photographs(64);
    let mut out = vec![0.0; source.shape().values()];
    bencher.bench_local(|| source.read(Split::Valid, 0, 0, &mut out));
}

/// One step of the variation of a 3x224x224 sample.
fn vary(bencher: Bencher, config: &AugmentConfig) {
    let shape = ImageShape {
        channels: 3,
        height: 224,
        width: 224,
    };
    let mut pixels: Vec<f32> = (0..shape.values())
        .map(|i| (i % 251) as f32 / 251.0)
        .collect();
    let mut rng = rng::seeded(&[1]);
    bencher.bench_local(|| augment::apply(config, shape, &mut pixels, &mut rng));
}

#[divan::bench]
fn photograph_flip(bencher: Bencher) {
    let flip = 1.0;
    vary(
        bencher,
        &AugmentConfig {
            flip,
            ..Default::default()
        },
    );
}

#[divan::bench]
fn photograph_jitter(bencher: Bencher) {
    let config = AugmentConfig {
        brightness: 0.4,
        contrast: 0.4,
        saturation: 0.4,
        hue: 0.1,
        ..Default::default()
    };
    vary(bencher, &config);
}

/// A batch of 3x224x224 samples on the device, normalised.
#[divan::bench]
fn photographs_to_input(bencher: Bencher) {
    let shape = ImageShape {
        channels: 3,
        height: 224,
        width: 224,
    };
    let normalize = NormalizeConfig {
        mean: vec![0.485, 0.456, 0.406],
        std: vec![0.229, 0.224, 0.225],
    };
    let device = Device::flex();
    bencher
        .with_inputs(|| vec![0.5; BATCH * shape.values()])
        .bench_values(|pixels| to_input(pixels, BATCH, shape, Some(&normalize), &device));
}

fn page() -> image::RgbImage {
    let text = "THE QUICK BROWN FOX\nJUMPS OVER 13 LAZY DOGS\nIN 2026";
    let options = PageOptions {
        size: Some((4000, 3000)),
        letter_height: 140.0,
        ..Default::default()
    };
    compose(text, &options)
        .expect("a page that can be written")
        .image
}

#[divan::bench]
fn segment_page(bencher: Bencher) {
    let page = page();
    bencher.bench(|| segmentation::segment(&page));
}

#[divan::bench]
fn read_page(bencher: Bencher) {
    let page = page();
    let classifier = ocr::shipped_model(&Device::flex()).expect("the shipped model");
    bencher.bench(|| ocr::read(&page, &classifier));
}
