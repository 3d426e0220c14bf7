//! What a group exchanges.

use kiln::parallel::{Alone, Group, Moment, OrderedSum, problems};

use crate::common::noise;
use crate::threads::on_all;

const MOMENT: Moment = Moment::Step { epoch: 1, step: 1 };

/// Values of a rank whose sum depends on the order: of very different sizes.
fn values(rank: usize, count: usize) -> Vec<f32> {
    let sizes = [1e-6, 1.0, 1e4, 3e7];
    let noise = noise(count, rank + 1).into_iter().enumerate();
    noise
        .map(|(at, value)| ((value - 0.5) * sizes[(at + rank) % 4]) as f32)
        .collect()
}

#[test]
fn a_sum_has_the_bits_of_one_in_the_order_of_ranks_on_every_rank() {
    for (size, count) in [
        (1, 5),
        (2, 1000),
        (3, 1000),
        (3, 1001),
        (5, 3),
        (4, 1),
        (3, 0),
    ] {
        let mut expected = values(0, count);
        for rank in 1..size {
            let added = expected.iter_mut().zip(values(rank, count));
            added.for_each(|(sum, value)| *sum += value);
        }
        expected.iter_mut().for_each(|sum| *sum *= 0.25);
        let sums = on_all(size, |group| {
            let mut sum = OrderedSum::default();
            let mut found = Vec::new();
            // Twice: the buffers are used again.
            for _ in 0..2 {
                found = values(group.rank(), count);
                sum.begin(&*group, MOMENT, &found, [0.0]);
                sum.finish(&*group, MOMENT, &mut found, 0.25);
            }
            found
        });
        for of_rank in sums {
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(
                bits(&of_rank),
                bits(&expected),
                "{size} ranks, {count} values"
            );
        }
    }
}

#[test]
fn every_rank_has_the_reports_of_all_before_the_sum() {
    let all = on_all(3, |group| {
        let report = [group.rank() as f64, 0.5];
        OrderedSum::default().begin(&*group, MOMENT, &[1.0, 2.0], report)
    });
    for reports in all {
        assert_eq!(reports, [[0.0, 0.5], [1.0, 0.5], [2.0, 0.5]]);
    }
}

#[test]
fn what_ranks_say_arrives_in_their_order_whatever_its_length() {
    let all = on_all(4, |group| {
        let mine = vec![7u8; group.rank() * 3];
        let gathered = group.gather(MOMENT, &mine);
        let first = group.broadcast(MOMENT, format!("from {}", group.rank()).as_bytes());
        let sum = group.sum(MOMENT, &[group.rank() as f64, 0.1]);
        group.barrier(MOMENT);
        (gathered, first, sum)
    });
    for (gathered, first, sum) in all {
        let lengths: Vec<usize> = gathered.iter().map(Vec::len).collect();
        assert_eq!(lengths, [0, 3, 6, 9]);
        assert_eq!(first, b"from 0");
        assert_eq!(sum, [6.0, 0.1 + 0.1 + 0.1 + 0.1]);
    }
    assert_eq!(Alone.gather(MOMENT, b"mine"), [b"mine"]);
}

#[test]
fn a_problem_of_one_rank_is_known_to_all() {
    let all = on_all(3, |group| {
        let mine = (group.rank() == 1).then(|| (2, "no such file".to_string()));
        problems(&*group, MOMENT, mine)
    });
    for problems in all {
        assert_eq!(problems.len(), 1);
        let problem = &problems[0];
        let found = (problem.rank, problem.code, problem.message.as_str());
        assert_eq!(found, (1, 2, "no such file"));
    }
}
