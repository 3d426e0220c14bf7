//! How the cores of a machine are divided among the processes on it.

use std::collections::BTreeSet;

use super::group::{Group, Moment};

/// The machine and the cores that a process may use.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    machine: String,
    cores: BTreeSet<usize>,
}

impl Place {
    fn of(group: &dyn Group) -> Self {
        Self {
            machine: group.machine(),
            cores: cores(),
        }
    }

    /// On one line: the machine's name, and the numbers of the cores.
    fn to_bytes(&self) -> Vec<u8> {
        let cores: Vec<String> = self.cores.iter().map(usize::to_string).collect();
        format!("{}\n{}", self.machine, cores.join(" ")).into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (machine, cores) = text.split_once('\n').unwrap_or((&text, ""));
        let cores = cores.split(' ').filter_map(|core| core.parse().ok());
        Self {
            machine: machine.to_string(),
            cores: cores.collect(),
        }
    }

    /// How many of these processes, itself included, want the cores of this one.
    fn sharers(&self, all: &[Self]) -> usize {
        let shares = |other: &&Self| {
            other.machine == self.machine
                && (self.cores.is_empty() || !other.cores.is_disjoint(&self.cores))
        };
        all.iter().filter(shares).count().max(1)
    }
}

/// The number of threads that this process should compute with: an equal share of the cores that it and others of the group may use; all
/// of them if a launcher has bound each process to cores of its own. `None` for a process that is alone.
pub fn threads(group: &dyn Group) -> Option<usize> {
    if group.is_alone() {
        return None;
    }
    let here = Place::of(group);
    let all = group.gather(Moment::Preparing, &here.to_bytes());
    let all: Vec<Place> = all.iter().map(|bytes| Place::from_bytes(bytes)).collect();
    let usable = std::thread::available_parallelism().map_or(1, usize::from);
    Some((usable / here.sharers(&all)).max(1))
}

/// The numbers of the cores that this process may run on; empty where the system does not tell.
fn cores() -> BTreeSet<usize> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let list = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    ranges(list.unwrap_or_default())
}

/// The numbers in a list as Linux writes it: `0-3,8`.
fn ranges(list: &str) -> BTreeSet<usize> {
    let numbers = list.trim().split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    numbers.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(machine: &str, cores: &[usize]) -> Place {
        Place {
            machine: machine.into(),
            cores: cores.iter().copied().collect(),
        }
    }

    #[test]
    fn processes_share_the_cores_that_they_have_in_common() {
        let all = [
            place("a", &[0, 1, 2, 3]),
            place("a", &[0, 1, 2, 3]),
            place("b", &[0, 1]),
            place("b", &[2, 3]),
        ];
        let sharers: Vec<usize> = all.iter().map(|place| place.sharers(&all)).collect();
        assert_eq!(sharers, [2, 2, 1, 1]);
        // A system that does not tell: all on the machine.
        let unknown = [place("a", &[]), place("a", &[])];
        assert_eq!(unknown[0].sharers(&unknown), 2);
    }

    #[test]
    fn the_lists_of_linux_are_read() {
        let read = |list: &str| ranges(list).into_iter().collect::<Vec<_>>();
        assert_eq!(read("\t0-2,8,10-11"), [0, 1, 2, 8, 10, 11]);
        assert!(read("").is_empty());
    }

    #[test]
    fn a_place_is_the_same_after_it_was_sent() {
        for place in [place("node-1.example", &[0, 5]), place("", &[])] {
            assert_eq!(Place::from_bytes(&place.to_bytes()), place);
        }
    }
}
