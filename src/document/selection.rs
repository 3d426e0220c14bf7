//! Which pages of a file are read: `1,3-5`.

use std::str::FromStr;

/// Numbers of pages, from 1, as single ones and ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSelection {
    /// First and last page of each range; `None`: to the end.
    ranges: Vec<(usize, Option<usize>)>,
}

impl PageSelection {
    /// The chosen ones of `count` pages, in the order of the file and each once.
    ///
    /// # Errors
    /// The first page that the file does not have.
    pub fn choose(&self, count: usize) -> Result<Vec<usize>, usize> {
        let missing = self.ranges.iter().find_map(|&(first, last)| {
            let beyond = |page: &usize| *page > count;
            Some(first).filter(beyond).or(last.filter(beyond))
        });
        if let Some(page) = missing {
            return Err(page);
        }
        let is_chosen = |page: &usize| {
            let mut ranges = self.ranges.iter();
            ranges.any(|&(first, last)| (first..=last.unwrap_or(count)).contains(page))
        };
        Ok((1..=count).filter(is_chosen).collect())
    }
}

impl FromStr for PageSelection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = |part: &str| -> Option<(usize, Option<usize>)> {
            let number = |text: &str| text.trim().parse().ok().filter(|&page: &usize| page > 0);
            let (first, last) = match part.split_once('-') {
                None => (number(part)?, Some(number(part)?)),
                Some((first, "")) => (number(first)?, None),
                Some((first, last)) => (number(first)?, Some(number(last)?)),
            };
            last.is_none_or(|last| first <= last)
                .then_some((first, last))
        };
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        let ranges = ranges.ok_or("pages are numbers from 1 and ranges of them, as in 1,3-5,8-")?;
        Ok(Self { ranges })
    }
}
