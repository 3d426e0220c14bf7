//! The recorded pen strokes as a data set: [`super`].

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::config::{UnipenConfig, pen_problem, repeated_character};
use super::draw;
use super::flaw::flaw;
use super::segment::Recorded;
use crate::data::formats::lines::{Limits, Lines};
use crate::data::source::{CommonConfig, DataError, DataSource, SourceConfig, Split, folder_at};
use crate::data::split_rule::{self, SplitRule};
use crate::error::{Problem, counted};
use crate::files;
use crate::handwriting::strokes::Polyline;
use crate::handwriting::{CLASSES, alphanumeric_classes};
use crate::progress::Monitor;
use crate::rng::{self, Rng};
use crate::shape::ImageShape;

/// The file in the data set's folder.
const FILE: &str = "strokes.jsonl.gz";

/// Maximum size of the file and its lines, unpacked: UNIPEN's file is 15 MB, and its longest line is 5,815 bytes.
const LIMITS: Limits = Limits {
    line: 1 << 18,
    file: 256 << 20,
};

/// Seed component of this source.
const PURPOSE: u64 = 0x756e_6970_656e; // "unipen"

impl SourceConfig for UnipenConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn folders(&self) -> Vec<&str> {
        vec![&self.folder]
    }

    fn shape(&self) -> ImageShape {
        ImageShape::new(1, self.size, self.size)
    }

    fn classes(&self) -> Option<usize> {
        let characters = self.characters.as_ref();
        Some(characters.map_or(CLASSES, |characters| characters.chars().count()))
    }

    fn split(&self) -> Option<&SplitRule> {
        Some(&self.split)
    }

    fn split_key(&self, _split: Split) -> Option<String> {
        let key = if self.recorded_split {
            "recorded_split"
        } else {
            "split"
        };
        Some(key.into())
    }

    fn problems(&self, path: &str) -> Vec<Problem> {
        let stratify = matches!(&self.split, SplitRule::Share(share) if share.stratify);
        let stratify = stratify.then(|| {
            Problem::new(
                format!("{path}.split.stratify"),
                "stratify is not supported: all segments of a writer go to the same split; remove this key",
            )
        });
        let pen = pen_problem(self.pen_min, self.pen_max, path);
        let characters = repeated_character(self.characters.as_deref(), path);
        let problems = stratify.into_iter().chain(pen);
        problems.chain(characters).collect()
    }

    fn open(&self, root: &Path, _monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(Unipen::open(self, root)?))
    }
}

/// One character.
struct Segment {
    label: u8,
    strokes: Vec<Polyline>,
    /// Longer side of its box in x-heights, where it is known.
    real_side: Option<f32>,
}

/// The recorded strokes.
pub struct Unipen {
    config: UnipenConfig,
    classes: Vec<String>,
    splits: [Vec<Segment>; 3],
    /// Segments that are no characters.
    left_out: usize,
    /// Segments whose label is not verified, if those are not used.
    unverified: usize,
    /// Segments of characters that are not classes.
    others: usize,
}

impl Unipen {
    /// Reads `<root>/<config.folder>/strokes.jsonl.gz`.
    ///
    /// # Errors
    /// A missing or unreadable file; a line that is not in the format (with its number); no usable training segment.
    pub fn open(config: &UnipenConfig, root: &Path) -> Result<Self, DataError> {
        let path = folder_at(root, &config.folder)?.join(FILE);
        let failed = |error| DataError::io(&path, error);
        let file = File::open(&path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() == 0 {
            return Err(DataError::format(&path, files::EMPTY));
        }
        let mut unipen = Self {
            config: config.clone(),
            classes: config
                .characters
                .as_ref()
                .map_or_else(alphanumeric_classes, |all| {
                    all.chars().map(String::from).collect()
                }),
            splits: [Vec::new(), Vec::new(), Vec::new()],
            left_out: 0,
            unverified: 0,
            others: 0,
        };
        let mut lines = Lines::new(MultiGzDecoder::new(BufReader::new(file)), &LIMITS);
        while let Some(line) = lines
            .next_line()
            .map_err(|problem| DataError::format(&path, problem))?
        {
            let added = unipen.add(line.text);
            added.map_err(|problem| {
                DataError::format(&path, format!("line {}: {problem}", line.number))
            })?;
        }
        if unipen.len(Split::Train) == 0 {
            return Err(DataError::Empty(format!(
                "{}: no segments remain for training; change data.split or data.unverified",
                path.display()
            )));
        }
        Ok(unipen)
    }

    /// Number of segments that were skipped because they are not characters.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let line = Recorded::parse(text)?;
        let verified = line.is_verified()?;
        let label = self
            .classes
            .iter()
            .position(|class| *class == line.character);
        let Some(label) = label else {
            return match self.config.characters {
                None => Err(format!(
                    "\"c\" is {:?}; expected A-Z or 0-9",
                    line.character
                )),
                Some(_) => {
                    self.others += 1;
                    Ok(())
                }
            };
        };
        if !verified && !self.config.unverified {
            self.unverified += 1;
            return Ok(());
        }
        if flaw(&line.character, &line.strokes).is_some() {
            self.left_out += 1;
            return Ok(());
        }
        let split = if self.config.recorded_split {
            line.split()?
        } else {
            split_rule::assign(&self.config.split, &line.source)
        };
        self.splits[split.index()].push(Segment {
            label: label as u8,
            strokes: line.strokes,
            real_side: line.longer,
        });
        Ok(())
    }

    /// Draws strokes of any kind as if they were a character's.
    pub fn render(&self, strokes: &[Polyline], rng: &mut Rng, out: &mut [f32]) {
        draw::render(&self.config, strokes, None, rng, true, out);
    }

    /// The strokes of a segment, in the file's units.
    pub fn strokes(&self, split: Split, index: usize) -> Option<&[Polyline]> {
        Some(&self.segment(split, index)?.strokes)
    }

    fn segment(&self, split: Split, index: usize) -> Option<&Segment> {
        self.splits.get(split as usize)?.get(index)
    }
}

impl DataSource for Unipen {
    fn shape(&self) -> ImageShape {
        ImageShape {
            channels: 1,
            height: self.config.size,
            width: self.config.size,
        }
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn notes(&self) -> Vec<String> {
        let reasons = [
            (
                self.others,
                "of characters that are not in its key characters",
            ),
            (self.unverified, "with labels that are not verified"),
            (self.left_out, "that are no characters"),
        ];
        let used = reasons.into_iter().filter(|(count, _)| *count > 0);
        used.map(|(count, reason)| {
            let segments = counted(count, "segment", "segments");
            format!("not used: {segments} {reason}")
        })
        .collect()
    }

    fn redraws(&self) -> bool {
        true
    }

    fn len(&self, split: Split) -> usize {
        self.splits.get(split as usize).map_or(0, Vec::len)
    }

    fn label(&self, split: Split, index: usize) -> usize {
        self.segment(split, index)
            .map_or(0, |segment| usize::from(segment.label))
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let segment = self.segment(split, index);
        let segment = segment.filter(|_| out.len() == self.shape().values());
        let segment = segment.ok_or_else(|| {
            DataError::Empty(format!(
                "unipen: no sample {index} of {} values in the {} split",
                out.len(),
                split.name()
            ))
        })?;
        let mut rng = rng::seeded(&[PURPOSE, split as u64, index as u64, draw]);
        let (strokes, side) = (&segment.strokes, segment.real_side);
        draw::render(&self.config, strokes, side, &mut rng, draw != 0, out);
        Ok(())
    }
}
