//! The names of runs and sweeps.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::serve::problem::Problem;
use crate::sweeps::runs;

/// The folders that were named.
#[derive(Debug, Clone)]
pub struct Catalog {
    folders: Vec<PathBuf>,
}

/// A run or a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name in addresses: its path from the folder that was named, preceded by that folder's own name where two have the same.
    pub id: String,
    /// Its folder.
    pub path: PathBuf,
    /// Why its runs can't be listed, if it is a sweep.
    pub problem: Option<String>,
}

impl Catalog {
    /// What is in these folders.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }

    /// All runs, those of sweeps included. A folder that can't be read has none: see [`problems`](Self::problems).
    pub fn runs(&self) -> Vec<Named> {
        self.named(|places| (places.runs, Vec::new()))
    }

    /// All sweeps.
    pub fn sweeps(&self) -> Vec<Named> {
        self.named(|places| (places.sweeps, places.unreadable))
    }

    /// What is wrong with the folders that were named, in a line each. One that doesn't exist (yet) is none of it.
    pub fn problems(&self) -> Vec<String> {
        let there = self.folders.iter().filter(|folder| folder.exists());
        let problems = there.filter_map(|folder| runs::places(folder).err());
        problems.map(crate::error::one_line).collect()
    }

    /// The folder of a run.
    ///
    /// # Errors
    /// There is no run of this name.
    pub fn run(&self, id: &str) -> Result<PathBuf, Problem> {
        find(self.runs(), id).ok_or_else(|| Problem::not_found(format!("there is no run {id:?}")))
    }

    /// The folder of a sweep.
    ///
    /// # Errors
    /// There is no sweep of this name.
    pub fn sweep(&self, id: &str) -> Result<PathBuf, Problem> {
        find(self.sweeps(), id)
            .ok_or_else(|| Problem::not_found(format!("there is no sweep {id:?}")))
    }

    fn named(
        &self,
        of: impl Fn(runs::Places) -> (Vec<PathBuf>, Vec<(PathBuf, String)>),
    ) -> Vec<Named> {
        let mut taken = BTreeSet::new();
        let mut found = Vec::new();
        for folder in &self.folders {
            let Ok(real) = folder.canonicalize() else {
                continue;
            };
            let (paths, unreadable) = of(runs::places(folder).unwrap_or_default());
            for path in paths {
                // A link that leads out of the folder is not followed.
                if !path
                    .canonicalize()
                    .is_ok_and(|path| path.starts_with(&real))
                {
                    continue;
                }
                let id = free_name(folder, &path, &taken);
                taken.insert(id.clone());
                let mut problems = unreadable.iter();
                let problem = problems.find(|(sweep, _)| *sweep == path);
                found.push(Named {
                    id,
                    problem: problem.map(|(_, problem)| problem.clone()),
                    path,
                });
            }
        }
        found
    }
}

fn find(all: Vec<Named>, id: &str) -> Option<PathBuf> {
    all.into_iter().find(|one| one.id == id).map(|one| one.path)
}

/// A name that is not taken.
fn free_name(folder: &Path, path: &Path, taken: &BTreeSet<String>) -> String {
    let own = |path: &Path| {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let name = absolute.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = below
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    let short = if parts.is_empty() {
        own(path)
    } else {
        parts.join("/")
    };
    let long = format!("{}/{short}", own(folder));
    let numbered = (2..).map(|number| format!("{long}~{number}"));
    let mut names = [short, long.clone()].into_iter().chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or(long)
}
