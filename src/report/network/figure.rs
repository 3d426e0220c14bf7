//! Places the pieces of a network on a plane, from top to bottom. All lengths are pixels.

use super::fold::{Form, Piece};
use super::words::{kind, settings};
use crate::models::layer_list::{Node, Operation, own_parameters};

/// Width of a box, and of one with a single word, such as a function.
const BOX_WIDTH: i32 = 264;
const WORD_WIDTH: i32 = 132;
/// Height of a line of text in a box, and the room above and below all lines.
pub const LINE: i32 = 17;
pub const BOX_PADDING: i32 = 6;
/// Length of the line from one piece to the next.
const GAP: i32 = 20;
/// Room between lists side by side.
const BESIDE: i32 = 28;
/// From a body to the line of a shortcut without layers.
const SIDE: i32 = 20;
/// Radius of the circle of a sum.
pub const RADIUS: i32 = 9;
/// Room between a frame and what is in it, and for its label.
const FRAME_PADDING: i32 = 12;
const FRAME_LABEL: i32 = 22;

/// What a box is about: layers with weights, pools and other changes of size, the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accent {
    Weights,
    Pool,
    Plain,
}

/// The text of a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub accent: Accent,
    /// Kind and settings.
    pub title: String,
    /// Kinds of the layers that are drawn with it.
    pub followers: String,
    /// Name of the layer; empty for a box of one line.
    pub name: String,
    /// Shape of the output; empty if it does not change.
    pub shape: String,
}

impl Label {
    /// A box of one line.
    pub fn line(title: &str, shape: String) -> Self {
        Self {
            accent: Accent::Plain,
            title: title.into(),
            followers: String::new(),
            name: String::new(),
            shape,
        }
    }

    /// Number of lines.
    pub fn lines(&self) -> i32 {
        let others = [&self.followers, &self.name];
        1 + others.iter().filter(|line| !line.is_empty()).count() as i32
    }

    fn width(&self) -> i32 {
        if self.lines() == 1 && self.shape.is_empty() && self.accent == Accent::Plain {
            WORD_WIDTH
        } else {
            BOX_WIDTH
        }
    }

    fn height(&self) -> i32 {
        self.lines() * LINE + 2 * BOX_PADDING
    }
}

/// A part of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// A box around a text, from its top left corner.
    Box {
        at: (i32, i32),
        size: (i32, i32),
        label: Label,
    },
    /// A line from point to point, and whether it ends in an arrow downwards.
    Line(Vec<(i32, i32)>, bool),
    /// A circle with a plus.
    Sum(i32, i32),
    /// A frame around pieces that repeat, from its top left corner.
    Frame {
        at: (i32, i32),
        size: (i32, i32),
        times: usize,
    },
}

/// How far a figure reaches to both sides of the line through its start and end, and downwards.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    left: i32,
    right: i32,
    height: i32,
}

/// A picture: its size, and its marks.
#[derive(Debug, Default)]
pub struct Figure {
    pub width: i32,
    pub height: i32,
    pub marks: Vec<Mark>,
}

impl Figure {
    /// Places pieces between a box for what goes in and one for what comes out.
    pub fn new(pieces: &[Piece], input: Label, output: Label) -> Self {
        let size = column(pieces);
        let half = BOX_WIDTH / 2;
        let (left, right) = (size.left.max(half), size.right.max(half));
        let mut figure = Self {
            width: left + right,
            ..Self::default()
        };
        let mut y = figure.place_box(left, 0, input);
        figure.line_down(left, y, y + GAP, starts_with_box(pieces));
        y = figure.place_column(pieces, left, y + GAP);
        if !pieces.is_empty() {
            figure.line_down(left, y, y + GAP, true);
            y += GAP;
        }
        figure.height = figure.place_box(left, y, output);
        figure
    }

    /// Places a box around the line at `x`; returns where it ends.
    fn place_box(&mut self, x: i32, y: i32, label: Label) -> i32 {
        let (width, height) = (label.width(), label.height());
        self.marks.push(Mark::Box {
            at: (x - width / 2, y),
            size: (width, height),
            label,
        });
        y + height
    }

    fn line_down(&mut self, x: i32, from: i32, to: i32, is_arrow: bool) {
        self.marks
            .push(Mark::Line(vec![(x, from), (x, to)], is_arrow));
    }

    /// Places pieces one below the other; returns where they end.
    fn place_column(&mut self, pieces: &[Piece], x: i32, mut y: i32) -> i32 {
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                let is_arrow = starts_with_box(&pieces[index..]);
                self.line_down(x, y, y + GAP, is_arrow);
                y += GAP;
            }
            y = self.place(piece, x, y);
        }
        y
    }

    fn place(&mut self, piece: &Piece, x: i32, y: i32) -> i32 {
        match &piece.form {
            Form::Layers(layers) => self.place_box(x, y, label(layers)),
            Form::Sum(lists, behind) => {
                let mut end = self.place_sum(lists, x, y);
                if !behind.is_empty() {
                    self.line_down(x, end, end + GAP, true);
                    end = self.place_box(x, end + GAP, label(behind));
                }
                end
            }
            Form::Branches(node, lists) => self.place_branches(node, lists, x, y),
            Form::Repeat { times, pieces } => {
                let size = extent(piece);
                self.marks.push(Mark::Frame {
                    at: (x - size.left, y),
                    size: (size.left + size.right, size.height),
                    times: *times,
                });
                let start = y + FRAME_LABEL;
                self.line_down(x, y, start, starts_with_box(pieces));
                let end = self.place_column(pieces, x, start);
                self.line_down(x, end, end + FRAME_PADDING, false);
                end + FRAME_PADDING
            }
        }
    }

    fn place_sum(&mut self, [body, shortcut]: &[Vec<Piece>; 2], x: i32, y: i32) -> i32 {
        let (start, fork) = (y + GAP, y + GAP / 2);
        let (size, other) = (column(body), column(shortcut));
        self.line_down(x, y, start, starts_with_box(body));
        let mut end = self.place_column(body, x, start);
        let beside = x + beside(size, other, shortcut.is_empty());
        let mut line = vec![(x, fork), (beside, fork)];
        if !shortcut.is_empty() {
            line.push((beside, start));
            self.marks.push(Mark::Line(line, starts_with_box(shortcut)));
            let end_beside = self.place_column(shortcut, beside, start);
            line = vec![(beside, end_beside)];
            end = end.max(end_beside);
        }
        let centre = end + GAP + RADIUS;
        self.line_down(x, start + size.height, centre - RADIUS, false);
        line.extend([(beside, centre), (x + RADIUS, centre)]);
        self.marks.push(Mark::Line(line, false));
        self.marks.push(Mark::Sum(x, centre));
        centre + RADIUS
    }

    fn place_branches(&mut self, node: &Node, lists: &[Vec<Piece>], x: i32, y: i32) -> i32 {
        let (start, fork) = (y + GAP, y + GAP / 2);
        let sizes: Vec<Extent> = lists.iter().map(|list| branch(list)).collect();
        let highest = sizes.iter().map(|size| size.height).max().unwrap_or(0);
        let join = start + highest + GAP / 2;
        self.line_down(x, y, fork, false);
        let mut left = x - width_of(&sizes) / 2;
        for (list, size) in lists.iter().zip(&sizes) {
            let at = left + size.left;
            let line = vec![(x, fork), (at, fork), (at, start)];
            self.marks.push(Mark::Line(line, starts_with_box(list)));
            let end = self.place_column(list, at, start);
            let line = vec![(at, end), (at, join), (x, join)];
            self.marks.push(Mark::Line(line, false));
            left = at + size.right + BESIDE;
        }
        self.line_down(x, join, join + GAP / 2, true);
        let label = Label::line("concatenate", node.output.to_string());
        self.place_box(x, join + GAP / 2, label)
    }
}

/// Whether a line into a list ends at a box.
fn starts_with_box(pieces: &[Piece]) -> bool {
    let first = pieces.first().map(|piece| &piece.form);
    matches!(first, Some(Form::Layers(_)))
}

/// Pieces one below the other.
fn column(pieces: &[Piece]) -> Extent {
    let mut size = Extent::default();
    for (index, piece) in pieces.iter().enumerate() {
        let own = extent(piece);
        size.left = size.left.max(own.left);
        size.right = size.right.max(own.right);
        size.height += own.height + if index > 0 { GAP } else { 0 };
    }
    size
}

/// A list among others side by side; one without layers is a line.
fn branch(pieces: &[Piece]) -> Extent {
    let size = column(pieces);
    Extent {
        left: size.left.max(RADIUS),
        right: size.right.max(RADIUS),
        ..size
    }
}

fn width_of(sizes: &[Extent]) -> i32 {
    let gaps = BESIDE * (sizes.len() as i32 - 1).max(0);
    sizes.iter().map(|size| size.left + size.right).sum::<i32>() + gaps
}

/// From the line through a body to that through its shortcut.
fn beside(body: Extent, shortcut: Extent, is_line: bool) -> i32 {
    let right = body.right.max(RADIUS);
    if is_line {
        right + SIDE
    } else {
        right + BESIDE + shortcut.left
    }
}

fn of_box(label: &Label) -> Extent {
    Extent {
        left: label.width() / 2,
        right: label.width() / 2,
        height: label.height(),
    }
}

fn extent(piece: &Piece) -> Extent {
    let half = BOX_WIDTH / 2;
    match &piece.form {
        Form::Layers(layers) => of_box(&label(layers)),
        Form::Sum([body, shortcut], behind) => {
            let (size, other) = (column(body), column(shortcut));
            let beside = beside(size, other, shortcut.is_empty());
            let function = match behind.as_slice() {
                [] => Extent::default(),
                layers => of_box(&label(layers)),
            };
            let gap = if behind.is_empty() { 0 } else { GAP };
            Extent {
                left: size.left.max(RADIUS).max(function.left),
                right: (beside + other.right).max(function.right),
                height: size.height.max(other.height) + 2 * (GAP + RADIUS) + gap + function.height,
            }
        }
        Form::Branches(_, lists) => {
            let sizes: Vec<Extent> = lists.iter().map(|list| branch(list)).collect();
            let width = width_of(&sizes);
            let highest = sizes.iter().map(|size| size.height).max().unwrap_or(0);
            let label = LINE + 2 * BOX_PADDING;
            Extent {
                left: half.max(width / 2),
                right: half.max(width - width / 2),
                height: highest + 2 * GAP + label,
            }
        }
        Form::Repeat { pieces, .. } => {
            let size = column(pieces);
            Extent {
                left: size.left + FRAME_PADDING,
                right: size.right + FRAME_PADDING,
                height: size.height + FRAME_LABEL + FRAME_PADDING,
            }
        }
    }
}

/// The text of a box of layers.
fn label(layers: &[&Node]) -> Label {
    let (Some(first), Some(last)) = (layers.first(), layers.last()) else {
        return Label::line("", String::new());
    };
    let has_weights = !own_parameters(&first.operation).is_empty();
    let changes = first.input != last.output;
    let title = [kind(&first.operation).to_string(), settings(first)].join(" ");
    let followers: Vec<&str> = layers[1..]
        .iter()
        .map(|node| kind(&node.operation))
        .collect();
    Label {
        accent: match first.operation {
            _ if has_weights => Accent::Weights,
            Operation::MaxPool(_)
            | Operation::AvgPool { .. }
            | Operation::GlobalAvgPool
            | Operation::GlobalMaxPool
            | Operation::AdaptiveAvgPool(_)
            | Operation::DepthToSpace { .. } => Accent::Pool,
            _ => Accent::Plain,
        },
        title: title.trim_end().to_string(),
        followers: followers.join(", "),
        name: if has_weights {
            first.name.clone()
        } else {
            String::new()
        },
        shape: if has_weights || changes {
            last.output.to_string()
        } else {
            String::new()
        },
    }
}
