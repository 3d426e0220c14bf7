//! Layers grouped for a picture: what belongs to a convolution or a fully connected layer is drawn with it, and what repeats is
//! drawn once.

use super::words::{kind, settings};
use crate::models::layer_list::{Node, Operation};

/// Maximum number of pieces that repeat together.
const MAX_PERIOD: usize = 24;

/// What is drawn as one.
#[derive(Debug)]
pub struct Piece<'a> {
    /// What it is, without its names: pieces that look the same have the same one.
    key: String,
    /// Its parts.
    pub form: Form<'a>,
}

/// The parts of a piece.
#[derive(Debug)]
pub enum Form<'a> {
    /// A layer, and those after it that belong to it.
    Layers(Vec<&'a Node>),
    /// Body and shortcut, which are added, and the functions after the sum; the shortcut is empty for the input itself.
    Sum([Vec<Piece<'a>>; 2], Vec<&'a Node>),
    /// A layer of lists side by side, and the lists.
    Branches(&'a Node, Vec<Vec<Piece<'a>>>),
    /// Pieces that repeat, with other weights.
    Repeat {
        /// How many times, at least 2.
        times: usize,
        /// The pieces, with the names of the first time.
        pieces: Vec<Piece<'a>>,
    },
}

/// The layers as pieces.
pub fn fold(nodes: &[Node]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    add_pieces(nodes, &mut pieces);
    repeats(pieces)
}

fn add_pieces<'a>(nodes: &'a [Node], pieces: &mut Vec<Piece<'a>>) {
    for node in nodes {
        let own = key_of(node);
        let form = match &node.operation {
            Operation::Group(layers) => {
                add_pieces(layers, pieces);
                continue;
            }
            // Switched off.
            Operation::Dropout(p) if *p == 0.0 => continue,
            Operation::Residual { body, shortcut, .. } => {
                Form::Sum([fold(body), fold(shortcut)], Vec::new())
            }
            Operation::Branches(branches) => {
                let branches = branches.iter().map(|branch| fold(branch));
                Form::Branches(node, branches.collect())
            }
            operation => {
                if let Some(last) = pieces.last_mut()
                    && let Some(followers) = followers(&mut last.form, operation)
                {
                    followers.push(node);
                    last.key.push_str(&own);
                    continue;
                }
                Form::Layers(vec![node])
            }
        };
        let inner = match &form {
            Form::Sum(lists, _) => lists.iter().map(|list| keys(list)).collect(),
            Form::Branches(_, lists) => lists.iter().map(|list| keys(list)).collect(),
            _ => String::new(),
        };
        pieces.push(Piece {
            key: format!("{own}{inner}"),
            form,
        });
    }
}

/// Kind, settings and shapes of a layer. How often a body is left out in training is not drawn, and often grows from block to block.
fn key_of(node: &Node) -> String {
    let kind = kind(&node.operation);
    let settings = match node.operation {
        Operation::Residual { .. } => String::new(),
        _ => settings(node),
    };
    format!("({kind} {settings} {} {})", node.input, node.output)
}

fn keys(pieces: &[Piece]) -> String {
    let keys: Vec<&str> = pieces.iter().map(|piece| piece.key.as_str()).collect();
    format!("[{}]", keys.concat())
}

/// Where a layer belongs that is drawn with what is before it.
fn followers<'p, 'a>(
    before: &'p mut Form<'a>,
    operation: &Operation,
) -> Option<&'p mut Vec<&'a Node>> {
    let is_function = matches!(operation, Operation::Activation(_));
    let belongs = matches!(
        operation,
        Operation::BatchNorm { .. }
            | Operation::GroupNorm { .. }
            | Operation::LayerNorm { .. }
            | Operation::Activation(_)
            | Operation::Dropout(_)
            | Operation::Scale { .. }
    );
    match before {
        Form::Layers(layers)
            if belongs
                && matches!(
                    layers[0].operation,
                    Operation::Conv(_) | Operation::Linear { .. }
                ) =>
        {
            Some(layers)
        }
        Form::Sum(_, behind) if is_function => Some(behind),
        _ => None,
    }
}

/// Puts neighbouring pieces that look the same together.
fn repeats(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut folded = Vec::new();
    let mut rest = pieces;
    while !rest.is_empty() {
        let (period, times) = repetition(&rest);
        let behind = rest.split_off(period * times);
        let mut first = rest;
        rest = behind;
        first.truncate(period);
        if times == 1 {
            folded.append(&mut first);
        } else {
            folded.push(Piece {
                key: format!("{times}{}", keys(&first)),
                form: Form::Repeat {
                    times,
                    pieces: first,
                },
            });
        }
    }
    folded
}

/// How many pieces at the start repeat, and how often: what saves the most, the shortest first.
fn repetition(pieces: &[Piece]) -> (usize, usize) {
    let (mut best, mut saved) = ((1, 1), 0);
    for period in 1..=MAX_PERIOD.min(pieces.len() / 2) {
        let is_same = |index: &usize| pieces[*index].key == pieces[index - period].key;
        let same = (period..pieces.len()).take_while(is_same).count();
        let times = 1 + same / period;
        if (times - 1) * period > saved {
            (best, saved) = ((period, times), (times - 1) * period);
        }
    }
    best
}
