//! Finds the best reading of a [`Lattice`] under a [`Grammar`], and the probability of every letter.
//!
//! A beam search from left to right; a backward pass over the same beam gives each letter of each span its share of all readings
//! (forward-backward). Scores are natural logarithms.

use std::collections::HashMap;

use super::lattice::{Lattice, Span};
use super::token_grammar::{Grammar, GrammarState};
use crate::progress::CancelToken;

/// Beam width: states that are kept at each position.
const BEAM: usize = 40;

/// A lattice as a grammar reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Logarithm of the sum over all readings.
    pub evidence: f32,
    /// The best reading: spans from left to right that cover every piece once, and the character of each (`None`:
    /// not a letter).
    pub best: Vec<(usize, Option<char>)>,
    /// For each span of the lattice, the share of all readings in which it is this character.
    pub shares: Vec<Vec<(char, f32)>>,
}

/// A beginning of a token: all readings of its first pieces that end in the same state.
struct Node {
    state: GrammarState,
    /// Logarithm of the sum over them, in which a reading counts with its probability.
    sum: f32,
    /// The score of the best.
    best: f32,
    /// The last step of the best.
    last: Option<usize>,
    /// Whether it is in the beam.
    alive: bool,
}

/// An edge between two nodes: one more letter.
struct Step {
    /// Position and number of the node.
    from: (usize, usize),
    to: (usize, usize),
    span: usize,
    character: Option<char>,
    score: f32,
}

/// `ln(exp(a) + exp(b))`.
pub fn log_add(a: f32, b: f32) -> f32 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f32::NEG_INFINITY {
        high
    } else {
        high + (low - high).exp().ln_1p()
    }
}

/// Reads a lattice; `None` where the grammar allows no reading of it.
pub fn decode(lattice: &Lattice, grammar: &mut dyn Grammar) -> Option<Decoded> {
    decode_until(lattice, grammar, &CancelToken::default())
}

/// [`decode`]; `None` as well once it is cancelled.
pub(super) fn decode_until(
    lattice: &Lattice,
    grammar: &mut dyn Grammar,
    cancel: &CancelToken,
) -> Option<Decoded> {
    let mut trellis = Trellis::new(lattice, grammar.start());
    for position in 0..lattice.pieces {
        cancel.check().ok()?;
        trellis.keep_best(position);
        let from = lattice.spans.partition_point(|span| span.start < position);
        let spans = lattice.spans.iter().enumerate().skip(from);
        for (index, span) in spans.take_while(|(_, span)| span.start == position) {
            trellis.extend(index, span, grammar);
        }
    }
    trellis.finish(lattice, grammar)
}

/// All beginnings that the search has reached.
struct Trellis {
    /// By position: before the first piece, ..., after the last.
    nodes: Vec<Vec<Node>>,
    /// By position: the node of each state.
    numbers: Vec<HashMap<GrammarState, usize>>,
    /// In ascending order of the position that they start from.
    steps: Vec<Step>,
}

impl Trellis {
    fn new(lattice: &Lattice, start: GrammarState) -> Trellis {
        let mut trellis = Trellis {
            nodes: (0..=lattice.pieces).map(|_| Vec::new()).collect(),
            numbers: vec![HashMap::new(); lattice.pieces + 1],
            steps: Vec::new(),
        };
        let node = trellis.node(0, start);
        let start = &mut trellis.nodes[0][node];
        (start.sum, start.best) = (0.0, 0.0);
        trellis
    }

    fn node(&mut self, position: usize, state: GrammarState) -> usize {
        let nodes = &mut self.nodes[position];
        *self.numbers[position].entry(state).or_insert_with(|| {
            nodes.push(Node {
                state,
                sum: f32::NEG_INFINITY,
                best: f32::NEG_INFINITY,
                last: None,
                alive: true,
            });
            nodes.len() - 1
        })
    }

    /// Drops all but the best nodes of a position.
    fn keep_best(&mut self, position: usize) {
        let nodes = &mut self.nodes[position];
        if nodes.len() <= BEAM {
            return;
        }
        let mut sums: Vec<f32> = nodes.iter().map(|node| node.sum).collect();
        sums.sort_unstable_by(|a, b| b.total_cmp(a));
        let mut room = BEAM;
        for node in nodes {
            node.alive = room > 0 && node.sum >= sums[BEAM - 1];
            room -= usize::from(node.alive);
        }
    }

    /// Adds the steps over a span, from every node before it.
    fn extend(&mut self, index: usize, span: &Span, grammar: &mut dyn Grammar) {
        for from in 0..self.nodes[span.start].len() {
            let node = &self.nodes[span.start][from];
            if !node.alive {
                continue;
            }
            let state = node.state;
            if let Some(score) = span.not_a_letter {
                self.step((span.start, from), index, span, None, (state, score));
            }
            for &(character, guess) in &span.guesses {
                if let Some((next, chance)) = grammar.step(state, character) {
                    let score = span.score + guess + chance;
                    let at = (span.start, from);
                    self.step(at, index, span, Some(character), (next, score));
                }
            }
        }
    }

    fn step(
        &mut self,
        from: (usize, usize),
        index: usize,
        span: &Span,
        character: Option<char>,
        (state, score): (GrammarState, f32),
    ) {
        let number = self.node(span.end, state);
        let (sum, best) = {
            let source = &self.nodes[from.0][from.1];
            (source.sum + score, source.best + score)
        };
        let target = &mut self.nodes[span.end][number];
        target.sum = log_add(target.sum, sum);
        if best > target.best {
            (target.best, target.last) = (best, Some(self.steps.len()));
        }
        self.steps.push(Step {
            from,
            to: (span.end, number),
            span: index,
            character,
            score,
        });
    }

    fn finish(self, lattice: &Lattice, grammar: &mut dyn Grammar) -> Option<Decoded> {
        let ends: Vec<f32> = self.nodes[lattice.pieces]
            .iter()
            .map(|node| grammar.end(node.state))
            .collect();
        let last = self.nodes[lattice.pieces].iter().zip(&ends);
        let evidence = last
            .clone()
            .map(|(node, end)| node.sum + end)
            .fold(f32::NEG_INFINITY, log_add);
        let (best, _) = last.max_by(|a, b| (a.0.best + a.1).total_cmp(&(b.0.best + b.1)))?;
        if !evidence.is_finite() {
            return None;
        }
        Some(Decoded {
            evidence,
            best: self.path_to(best),
            shares: self.shares(lattice, ends, evidence),
        })
    }

    /// The steps of the best reading that ends in a node.
    fn path_to(&self, node: &Node) -> Vec<(usize, Option<char>)> {
        let mut path = Vec::new();
        let mut last = node.last;
        while let Some(step) = last.map(|step| &self.steps[step]) {
            path.push((step.span, step.character));
            last = self.nodes[step.from.0][step.from.1].last;
        }
        path.reverse();
        path
    }

    /// The backward pass.
    fn shares(&self, lattice: &Lattice, ends: Vec<f32>, evidence: f32) -> Vec<Vec<(char, f32)>> {
        let mut after: Vec<Vec<f32>> = self
            .nodes
            .iter()
            .map(|nodes| vec![f32::NEG_INFINITY; nodes.len()])
            .collect();
        after[lattice.pieces] = ends;
        let mut shares = vec![Vec::new(); lattice.spans.len()];
        for step in self.steps.iter().rev() {
            let rest = step.score + after[step.to.0][step.to.1];
            let whole = &mut after[step.from.0][step.from.1];
            *whole = log_add(*whole, rest);
            let Some(character) = step.character else {
                continue;
            };
            let share = (self.nodes[step.from.0][step.from.1].sum + rest - evidence).exp();
            let of_span: &mut Vec<(char, f32)> = &mut shares[step.span];
            match of_span.iter_mut().find(|(known, _)| *known == character) {
                Some((_, sum)) => *sum += share,
                None => of_span.push((character, share)),
            }
        }
        shares
    }
}
