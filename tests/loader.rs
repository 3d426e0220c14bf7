//! What a user may rely on about batches: their order and content are a function of (seed, epoch).

use std::sync::Arc;

use kiln::data::glyphs::Glyphs;
use kiln::data::loader::{HostBatch, Loader, Order, Share};
use kiln::data::{AugmentConfig, GlyphsConfig};
use kiln::data::{DataError, DataSource, Split};
use kiln::progress::CancelToken;
use kiln::shape::ImageShape;
use proptest::prelude::*;

/// Samples whose single value is their index; one of them may be unreadable.
struct Numbers {
    count: usize,
    unreadable: Option<usize>,
    classes: Vec<String>,
}

fn numbers(count: usize) -> Arc<Numbers> {
    Arc::new(Numbers {
        count,
        unreadable: None,
        classes: vec!["even".into(), "odd".into()],
    })
}

impl DataSource for Numbers {
    fn shape(&self) -> ImageShape {
        ImageShape {
            channels: 1,
            height: 1,
            width: 1,
        }
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, _split: Split) -> usize {
        self.count
    }

    fn label(&self, _split: Split, index: usize) -> usize {
        index % 2
    }

    fn read(&self, _: Split, index: usize, _: u64, out: &mut [f32]) -> Result<(), DataError> {
        if self.unreadable == Some(index) {
            return Err(DataError::Empty(format!("sample {index} can't be read")));
        }
        out[0] = index as f32;
        Ok(())
    }
}

fn loader(source: Arc<dyn DataSource>, order: Order, seed: u64) -> Loader {
    Loader {
        source,
        split: Split::Train,
        batch_size: 7,
        order,
        augment: None,
        normalize: None,
        seed,
        share: Share::WHOLE,
        cancel: CancelToken::default(),
    }
}

fn epoch(loader: &Loader, epoch: usize) -> Vec<HostBatch> {
    loader.batches(epoch).map(Result::unwrap).collect()
}

proptest! {
    #[test]
    fn an_epoch_visits_every_sample_once(count in 1usize..200, seed: u64, number in 1usize..50) {
        let loader = loader(numbers(count), Order::EachEpoch, seed);
        let mut seen: Vec<usize> = epoch(&loader, number).iter().flat_map(|b| b.indices.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..count).collect::<Vec<_>>());
    }

    #[test]
    fn values_and_labels_belong_to_their_samples(count in 1usize..100, seed: u64) {
        let loader = loader(numbers(count), Order::EachEpoch, seed);
        for batch in epoch(&loader, 1) {
            for ((&index, &value), &label) in batch.indices.iter().zip(&batch.pixels).zip(&batch.labels) {
                prop_assert_eq!(value, index as f32);
                prop_assert_eq!(label, index % 2);
            }
        }
    }
}

#[test]
fn the_order_is_a_function_of_seed_and_epoch() {
    let order = |seed, number| loader(numbers(100), Order::EachEpoch, seed).indices(number);
    assert_eq!(order(1, 3), order(1, 3));
    assert_ne!(order(1, 3), order(1, 4));
    assert_ne!(order(1, 3), order(2, 3));
    assert_ne!(order(1, 1), (0..100).collect::<Vec<_>>());
}

#[test]
fn batches_drawn_once_are_the_same_in_every_epoch() {
    let loader = loader(numbers(100), Order::Once, 1);
    assert_eq!(loader.indices(1), loader.indices(9));
    assert_ne!(loader.indices(1), (0..100).collect::<Vec<_>>());
}

#[test]
fn the_last_batch_holds_what_is_left() {
    let sizes: Vec<usize> = epoch(&loader(numbers(17), Order::Stored, 1), 1)
        .iter()
        .map(|batch| batch.labels.len())
        .collect();
    assert_eq!(sizes, [7, 7, 3]);
}

#[test]
fn augmentation_varies_a_sample_from_epoch_to_epoch_and_repeats_itself() {
    let source: Arc<dyn DataSource> = Arc::new(Glyphs::new(&GlyphsConfig {
        train: 72,
        valid: 36,
        test: 36,
        ..GlyphsConfig::default()
    }));
    let varied = Loader {
        augment: Some(AugmentConfig {
            rotate: 5.0,
            elastic: 1.0,
            ..AugmentConfig::default()
        }),
        order: Order::Once,
        ..loader(source.clone(), Order::Once, 1)
    };
    let (first, again, second) = (epoch(&varied, 1), epoch(&varied, 1), epoch(&varied, 2));
    assert_eq!(first, again);
    assert_eq!(first[0].indices, second[0].indices);
    assert_ne!(first[0].pixels, second[0].pixels);
    let plain = Loader::plain(source, Split::Test, 7);
    assert_eq!(epoch(&plain, 1), epoch(&plain, 2));
}

#[test]
fn a_sample_that_can_not_be_read_ends_the_epoch_with_its_error() {
    let source = Arc::new(Numbers {
        unreadable: Some(10),
        ..Arc::into_inner(numbers(30)).unwrap()
    });
    let results: Vec<_> = loader(source, Order::Stored, 1).batches(1).collect();
    assert_eq!(results.len(), 2);
    let error = results[1].as_ref().unwrap_err().to_string();
    assert!(error.contains("sample 10"), "{error}");
}

#[test]
fn an_epoch_may_be_left_in_the_middle() {
    let loader = loader(numbers(1000), Order::EachEpoch, 1);
    for number in 1..50 {
        assert!(loader.batches(number).next().is_some());
    }
}
