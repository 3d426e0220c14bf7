//! A [`Lattice`] and a [`Grammar`] -> what it reads, and how sure of every letter.
//!
//! A beam search from left to right; a second pass from right to left over the same beam gives each letter of each span the
//! share of all readings that have it (forward-backward). Scores are natural logarithms. Knows nothing of pictures.

use std::collections::HashMap;

use super::token_grammar::{Grammar, State};

/// Readings of a beginning that are followed further, those alike in their last letters counted once.
const BEAM: usize = 40;

/// A stretch of a token that may be a letter.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The first piece.
    pub start: usize,
    /// The piece after the last; larger than `start`.
    pub end: usize,
    /// How well it looks like one letter, whichever.
    pub score: f32,
    /// What it may be, each with its score.
    pub guesses: Vec<(char, f32)>,
    /// The score of its being no letter at all; `None` where it must be one.
    pub nothing: Option<f32>,
}

/// A token's pieces and the spans over them. Every way from the first piece to the last is a way of reading it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lattice {
    /// Number of pieces.
    pub pieces: usize,
    /// In ascending order of `start`.
    pub spans: Vec<Span>,
}

/// What a grammar makes of a lattice.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Logarithm of the sum over all readings.
    pub evidence: f32,
    /// The best reading: spans from left to right that cover every piece once, and what each is (`None`: no letter).
    pub best: Vec<(usize, Option<char>)>,
    /// For each span of the lattice, the share of all readings in which it is this character.
    pub shares: Vec<Vec<(char, f32)>>,
}

/// A beginning of a token: all readings of its first pieces that end in the same state.
struct Node {
    state: State,
    /// Logarithm of the sum over them.
    sum: f32,
    /// The score of the best.
    best: f32,
    /// The last step of the best.
    last: Option<usize>,
    alive: bool,
}

/// One more letter.
struct Step {
    /// Position and number of the node.
    from: (usize, usize),
    to: (usize, usize),
    span: usize,
    character: Option<char>,
    score: f32,
}

/// Logarithm of the sum of two numbers that are given by theirs.
pub fn log_add(a: f32, b: f32) -> f32 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    match low == f32::NEG_INFINITY {
        true => high,
        false => high + (low - high).exp().ln_1p(),
    }
}

/// Reads a lattice; `None` where the grammar allows no reading of it.
pub fn decode(lattice: &Lattice, grammar: &mut dyn Grammar) -> Option<Decoded> {
    let mut trellis = Trellis::new(lattice, grammar.start());
    for position in 0..lattice.pieces {
        trellis.keep_best(position);
        let from = lattice.spans.partition_point(|span| span.start < position);
        let spans = lattice.spans.iter().enumerate().skip(from);
        for (index, span) in spans.take_while(|(_, span)| span.start == position) {
            trellis.extend(index, span, grammar);
        }
    }
    trellis.finish(lattice, grammar)
}

struct Trellis {
    /// By position: before the first piece, ..., after the last.
    nodes: Vec<Vec<Node>>,
    numbers: Vec<HashMap<State, usize>>,
    /// In ascending order of the position that they start from.
    steps: Vec<Step>,
}

impl Trellis {
    fn new(lattice: &Lattice, start: State) -> Trellis {
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

    fn node(&mut self, position: usize, state: State) -> usize {
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

    /// Gives up all but the best nodes of a position.
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

    /// Goes over a span from every node before it.
    fn extend(&mut self, index: usize, span: &Span, grammar: &mut dyn Grammar) {
        for from in 0..self.nodes[span.start].len() {
            let node = &self.nodes[span.start][from];
            if !node.alive {
                continue;
            }
            let state = node.state;
            if let Some(score) = span.nothing {
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
        (state, score): (State, f32),
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
            best: self.way_to(best),
            shares: self.shares(lattice, ends, evidence),
        })
    }

    /// The steps of the best reading that ends in a node.
    fn way_to(&self, node: &Node) -> Vec<(usize, Option<char>)> {
        let mut way = Vec::new();
        let mut last = node.last;
        while let Some(step) = last.map(|step| &self.steps[step]) {
            way.push((step.span, step.character));
            last = self.nodes[step.from.0][step.from.1].last;
        }
        way.reverse();
        way
    }

    /// The pass from right to left.
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
