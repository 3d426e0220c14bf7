//! Follows thin straight ink from column to column, or from row to row.

use crate::segmentation::geometry::Area;
use crate::segmentation::plane::Plane;
use crate::segmentation::statistics::median;

/// Minimum length of a rule, as a fraction of the page's longer side.
const MIN_LENGTH: f32 = 0.08;
/// Minimum length of a rule in its own widths: a letter's stroke is 6 to 15 pens long, a line under a word more than 40.
const MIN_SLENDERNESS: f32 = 40.0;
/// Greatest width of a rule, in pixels of a copy with a longer side of [`USUAL_SIDE`]: 1 mm of an A4 sheet.
const MAX_WIDTH: usize = 8;
/// Longer side of the usual working copy, in pixels; small letters are read from larger ones.
const USUAL_SIDE: usize = 1600;
/// Greatest slope, in pixels across per pixel along: 15 degrees.
pub(super) const MAX_SLOPE: f32 = 0.27;
/// Greatest distance between where a rule is expected and where it goes on, in pixels.
const TOLERANCE: f32 = 1.6;
/// Longest stretch of a rule that letters may cover, as a fraction of the page's longer side.
const MAX_GAP: f32 = 0.05;
/// Minimum fraction of its length over which a rule is seen.
const MIN_SEEN: f32 = 0.4;
/// Points at a rule's end that its direction is estimated from.
const MEMORY: usize = 48;
/// Minimum number of points that a direction is estimated from; with fewer, the rule is expected to be level.
const MIN_MEMORY: usize = 12;
/// Ink across a rule belongs to it if it is at most this many times as wide as the rule's median ...
pub(super) const MAX_RELATIVE_WIDTH: f32 = 1.3;
/// ... plus this many pixels ...
pub(super) const MAX_EXTRA_WIDTH: f32 = 1.0;
/// ... and at most this many times as dark: a pen's bar on a printed rule is darker.
const MAX_RELATIVE_INK: f32 = 1.35;
/// This many rules in one direction are a pattern, whose shorter fragments are recognised by width and ink ...
const MIN_PATTERN: usize = 3;
/// ... if the rules' ink is at most this fraction of the writing's: pen lines under words look like strokes of letters.
const MAX_PATTERN_INK: f32 = 0.7;
/// Minimum length of such a fragment, in its own widths.
const MIN_FRAGMENT: f32 = 3.0;
/// A fragment lies on a rule if it is no further from the rule's straight continuation than this many pixels ...
const ON_RULE: f32 = 2.5;
/// ... and this fraction of its distance from the rule's end: paper bends.
const BEND: f32 = 0.01;
/// Pieces that are not on a rule are of a pattern if all that are in line with them add up to this fraction of the page's longer side.
const MIN_IN_LINE: f32 = 0.04;

/// Thin straight ink that was followed: where it was seen, its median width in pixels and its median ink value.
pub(super) struct Rule {
    pub(super) sections: Vec<CrossSection>,
    pub(super) width: f32,
    pub(super) ink: f32,
}

impl Rule {
    pub(super) fn length(&self) -> f32 {
        let last = self.sections[self.sections.len() - 1];
        (last.along - self.sections[0].along + 1) as f32
    }

    /// Its middle at a position along it, interpolated between where it was seen; `None` beyond its ends.
    pub(super) fn at(&self, along: f32) -> Option<f32> {
        let next = self
            .sections
            .partition_point(|section| (section.along as f32) < along);
        let end = self.sections.get(next)?;
        let Some(start) = next.checked_sub(1).map(|i| self.sections[i]) else {
            return (end.along as f32 - along <= 1.0).then(|| end.middle());
        };
        let part = (along - start.along as f32) / (end.along - start.along) as f32;
        Some(start.middle() + part * (end.middle() - start.middle()))
    }

    /// Whether it is a rule by its length alone.
    pub(super) fn is_certain(&self, longer: f32) -> bool {
        let (first, last) = (self.sections[0], self.sections[self.sections.len() - 1]);
        let length = self.length();
        length >= MIN_LENGTH * longer
            && length >= MIN_SLENDERNESS * self.width
            && self.sections.len() as f32 >= MIN_SEEN * length
            && (last.middle() - first.middle()).abs() <= MAX_SLOPE * length
    }

    /// Pixels across per pixel along, from end to end.
    fn slope(&self) -> f32 {
        let (first, last) = (self.sections[0], self.sections[self.sections.len() - 1]);
        (last.middle() - first.middle()) / (last.along - first.along).max(1) as f32
    }

    /// Whether another one, or the same, begins on the line through this one with a given slope.
    fn is_in_line(&self, other: &Rule, slope: f32) -> bool {
        let (from, to) = (self.sections[0], other.sections[0]);
        let along = to.along as f32 - from.along as f32;
        (to.middle() - from.middle() - slope * along).abs() <= ON_RULE + BEND * along.abs()
    }

    /// Whether another one is a piece of the same straight line.
    pub(super) fn continues_as(&self, other: &Rule) -> bool {
        let (first, last) = (self.sections[0], self.sections[self.sections.len() - 1]);
        let slope = self.slope();
        let ends = [other.sections[0], other.sections[other.sections.len() - 1]];
        ends.iter().all(|end| {
            let along = end.along as f32;
            let beyond = (first.along as f32 - along)
                .max(along - last.along as f32)
                .max(0.0);
            let expected = self
                .at(along)
                .unwrap_or_else(|| first.middle() + slope * (along - first.along as f32));
            (end.middle() - expected).abs() <= ON_RULE + BEND * beyond
        })
    }

    /// Whether it is a fragment of a rule like those that were found, of this width and ink.
    pub(super) fn is_like(&self, width: f32, ink: f32) -> bool {
        self.length() >= MIN_FRAGMENT * self.width
            && self.width <= MAX_RELATIVE_WIDTH * width + MAX_EXTRA_WIDTH
            && self.ink <= MAX_RELATIVE_INK * ink
    }
}

/// The ink across a rule at one position along it: from `first` to before `end`, both counted across.
#[derive(Debug, Clone, Copy)]
pub(super) struct CrossSection {
    pub(super) along: usize,
    pub(super) first: usize,
    pub(super) end: usize,
}

impl CrossSection {
    pub(super) fn middle(&self) -> f32 {
        (self.first + self.end) as f32 / 2.0
    }

    pub(super) fn width(&self) -> f32 {
        (self.end - self.first) as f32
    }
}

/// An area of the page, viewed along its rows or along its columns.
pub(super) struct Strip<'a> {
    pub(super) mask: &'a [bool],
    pub(super) ink: &'a Plane,
    pub(super) area: &'a Area,
    pub(super) along_rows: bool,
    /// The writing's ink value.
    pub(super) writing: f32,
}

impl Strip<'_> {
    /// The rules in this direction, where they are a pattern with the short fragments on the same lines; and all other fragments.
    pub(super) fn rules(&self) -> (Vec<Rule>, Vec<Rule>) {
        let longer = self.ink.width.max(self.ink.height) as f32;
        let (mut rules, fragments): (Vec<Rule>, Vec<Rule>) = self
            .followed(longer)
            .into_iter()
            .map(|sections| self.measured(sections))
            .partition(|rule| rule.is_certain(longer));
        let typical = |value: fn(&Rule) -> f32| {
            let mut values: Vec<f32> = rules.iter().map(value).collect();
            median(&mut values).unwrap_or(0.0)
        };
        let (width, ink) = (typical(|rule| rule.width), typical(|rule| rule.ink));
        if rules.len() < MIN_PATTERN || ink > MAX_PATTERN_INK * self.writing {
            return (rules, fragments);
        }
        let slope = median(&mut rules.iter().map(Rule::slope).collect::<Vec<_>>()).unwrap_or(0.0);
        let (alike, mut others): (Vec<Rule>, Vec<Rule>) = fragments
            .into_iter()
            .partition(|fragment| fragment.is_like(width, ink));
        // Faint rules are seen in pieces alone.
        let is_in_line = |fragment: &Rule| {
            let pieces = alike
                .iter()
                .filter(|piece| fragment.is_in_line(piece, slope));
            pieces.map(Rule::length).sum::<f32>() >= MIN_IN_LINE * longer
        };
        let of_pattern = |fragment: &Rule| {
            rules.iter().any(|rule| rule.continues_as(fragment)) || is_in_line(fragment)
        };
        let of_pattern: Vec<bool> = alike.iter().map(of_pattern).collect();
        for (fragment, of_pattern) in alike.into_iter().zip(of_pattern) {
            if of_pattern {
                rules.push(fragment);
            } else {
                others.push(fragment);
            }
        }
        (rules, others)
    }

    /// All thin ink that goes straight on, of any length.
    pub(super) fn followed(&self, longer: f32) -> Vec<Vec<CrossSection>> {
        let (mut open, mut all): (Vec<Vec<CrossSection>>, Vec<Vec<CrossSection>>) =
            (Vec::new(), Vec::new());
        for along in self.spans().0 {
            let (going, ended): (Vec<_>, Vec<_>) = open.into_iter().partition(|line| {
                let gap = along - line[line.len() - 1].along;
                gap as f32 <= (MAX_GAP * longer).min(line.len() as f32)
            });
            open = going;
            all.extend(ended);
            self.follow(along, &mut open);
        }
        all.extend(open);
        all
    }

    pub(super) fn measured(&self, sections: Vec<CrossSection>) -> Rule {
        let of = |value: &dyn Fn(&CrossSection) -> f32| {
            let mut values: Vec<f32> = sections.iter().map(value).collect();
            median(&mut values).unwrap_or(0.0)
        };
        let (width, ink) = (
            of(&CrossSection::width),
            of(&|section: &CrossSection| self.darkest(section)),
        );
        Rule {
            sections,
            width,
            ink,
        }
    }

    /// Adds the thin ink at one position to the rules that lead there, and starts new ones.
    pub(super) fn follow(&self, along: usize, open: &mut Vec<Vec<CrossSection>>) {
        let expected: Vec<f32> = open.iter().map(|line| leads_to(line, along)).collect();
        for section in self.thin_ink(along) {
            let nearest = (0..expected.len())
                .filter(|&i| open[i][open[i].len() - 1].along < along)
                .map(|i| ((expected[i] - section.middle()).abs(), i))
                .filter(|(distance, _)| *distance <= TOLERANCE)
                .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            match nearest {
                Some((_, line)) => open[line].push(section),
                None => open.push(vec![section]),
            }
        }
    }

    /// The pixels of a rule, without darker or thicker ink on it.
    pub(super) fn pixels_of(&self, rule: &Rule) -> Vec<usize> {
        rule.sections
            .iter()
            .filter(|section| section.width() <= MAX_RELATIVE_WIDTH * rule.width + MAX_EXTRA_WIDTH)
            .filter(|section| self.darkest(section) <= MAX_RELATIVE_INK * rule.ink)
            .flat_map(|section| {
                (section.first..section.end).map(|across| self.index(section.along, across))
            })
            .collect()
    }

    pub(super) fn darkest(&self, section: &CrossSection) -> f32 {
        (section.first..section.end)
            .map(|across| self.ink.values[self.index(section.along, across)])
            .fold(0.0, f32::max)
    }

    /// Cross-sections of ink that are no wider than a rule may be.
    pub(super) fn thin_ink(&self, along: usize) -> Vec<CrossSection> {
        let (_, across) = self.spans();
        let mut found = Vec::new();
        let mut first = None;
        for at in across.clone().chain([across.end]) {
            let inked = across.contains(&at) && self.mask[self.index(along, at)];
            match (first, inked) {
                (None, true) => first = Some(at),
                (Some(start), false) => {
                    first = None;
                    if at - start <= self.widest() {
                        found.push(CrossSection {
                            along,
                            first: start,
                            end: at,
                        });
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Greatest width of a rule, in pixels.
    pub(super) fn widest(&self) -> usize {
        let longer = self.ink.width.max(self.ink.height);
        MAX_WIDTH.max(MAX_WIDTH * longer / USUAL_SIDE)
    }

    /// Positions along and across the rules.
    pub(super) fn spans(&self) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let columns = self.area.left..self.area.right;
        let rows = self.area.top..self.area.bottom;
        if self.along_rows {
            (columns, rows)
        } else {
            (rows, columns)
        }
    }

    pub(super) fn index(&self, along: usize, across: usize) -> usize {
        if self.along_rows {
            across * self.ink.width + along
        } else {
            along * self.ink.width + across
        }
    }
}

/// Where a rule is expected to go on: straight through its last points (least squares).
fn leads_to(line: &[CrossSection], along: usize) -> f32 {
    let last = &line[line.len().saturating_sub(MEMORY)..];
    let count = last.len() as f32;
    let end = last[last.len() - 1];
    if last.len() < MIN_MEMORY {
        return end.middle();
    }
    let x = |section: &CrossSection| section.along as f32 - end.along as f32;
    let mean_x = last.iter().map(x).sum::<f32>() / count;
    let mean_y = last.iter().map(CrossSection::middle).sum::<f32>() / count;
    let (mut xy, mut xx) = (0.0, 0.0);
    for section in last {
        let dx = x(section) - mean_x;
        xy += dx * (section.middle() - mean_y);
        xx += dx * dx;
    }
    let slope = (xy / xx.max(f32::EPSILON)).clamp(-MAX_SLOPE, MAX_SLOPE);
    mean_y + slope * ((along - end.along) as f32 - mean_x)
}
