//! A fuzzing driver in the manner of libFuzzer, on stable Rust: seeds and the corpus are run as they are, then mutated until the
//! time is up. Inputs with a new answer are mutated further.
//!
//! No input may panic, hold more than [`MAX_BYTES`] or take longer than [`MAX_TIME`]. `KILN_FUZZ_SECONDS` is the time for each
//! target (1 by default); `KILN_FUZZ_SEED` changes the inputs; with `KILN_FUZZ_KEEP` set, inputs with new answers and crashes are
//! kept in tests/corpus.
#![allow(unsafe_code)] // The counting allocator, which only this test has.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// A reader of bytes, with its answer as text; for cargo-fuzz, `fuzz_target!(|bytes: &[u8]| { reader(bytes); })`.
pub type Reader = fn(&[u8]) -> String;

/// A reader, and what its inputs are made of.
pub struct Target {
    /// Also the name of its folder in tests/corpus.
    pub name: &'static str,
    pub reader: Reader,
    pub seeds: Vec<Vec<u8>>,
    /// Tokens of the format.
    pub words: &'static [&'static [u8]],
}

/// Maximum bytes held at a time: a gigabyte, as for the whole binary, less what the process needs otherwise.
const MAX_BYTES: usize = 960 << 20;

/// Maximum time for one input, on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(30);

/// Maximum length of an input.
const MAX_LENGTH: usize = 1 << 16;

/// Maximum number of inputs to mutate further.
const MAX_INPUTS: usize = 4000;

/// Maximum length of the inputs that are kept in the corpus, and their number.
const KEPT_BYTES: usize = 2048;
const KEPT: usize = 24;

// ---- Memory and time ----

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// Bytes held before the input was read.
static BEFORE: AtomicUsize = AtomicUsize::new(0);
/// Whether an input is being read.
static WATCHED: AtomicBool = AtomicBool::new(false);
/// When reading it started, in milliseconds.
static STARTED: AtomicU64 = AtomicU64::new(0);

impl Counting {
    fn count(&self, size: usize) {
        let held = HELD.fetch_add(size, Ordering::Relaxed) + size;
        PEAK.fetch_max(held, Ordering::Relaxed);
        let before = BEFORE.load(Ordering::Relaxed);
        if held.saturating_sub(before) > MAX_BYTES && WATCHED.swap(false, Ordering::Relaxed) {
            give_up("memory", size);
        }
    }
}

// SAFETY: all calls are forwarded to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.count(size);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Ends the process: neither the allocator nor an endless loop can be left otherwise.
fn give_up(what: &str, size: usize) -> ! {
    eprintln!(
        "too much {what} ({size}); the input is in {}",
        last_input().display()
    );
    std::process::abort();
}

/// The file of the input that is being read; it outlives the process.
fn last_input() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| scratch().join(format!("kiln-fuzz-{}.input", std::process::id())))
}

/// Where temporary files go: into memory where possible, as an input takes microseconds and a disk milliseconds.
pub fn scratch() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        memory.to_path_buf()
    } else {
        std::env::temp_dir()
    }
}

fn milliseconds() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64
}

/// Checks every second whether an input takes too long.
fn watch_the_clock() {
    static WATCH: OnceLock<()> = OnceLock::new();
    WATCH.get_or_init(|| {
        std::thread::spawn(|| {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                let taken = milliseconds().saturating_sub(STARTED.load(Ordering::Relaxed));
                if WATCHED.load(Ordering::Relaxed) && taken > MAX_TIME.as_millis() as u64 {
                    give_up("time", taken as usize);
                }
            }
        });
    });
}

// ---- Running ----

/// The results of a run.
#[derive(Default)]
struct Tally {
    inputs: u64,
    peak: usize,
    slowest: Duration,
}

/// Runs a target for its time; fails with the first crash.
pub fn run(target: Target) {
    // Memory is counted for the whole process.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    watch_the_clock();
    let keeps = std::env::var_os("KILN_FUZZ_KEEP").is_some();
    let seconds: f64 = number("KILN_FUZZ_SECONDS").unwrap_or(1.0);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(target.name);
    let mut pool: Vec<Vec<u8>> = target.seeds.clone();
    pool.extend(corpus(&folder));
    let mut kept = pool.len() - target.seeds.len();
    assert!(!pool.is_empty(), "{}: no seeds", target.name);
    let (mut answers, mut tally) = (HashSet::new(), Tally::default());
    for input in &pool {
        answers.insert(shape(&tried(&target, input, &mut tally, &folder)));
    }
    let mut rng = Rng(number("KILN_FUZZ_SEED").unwrap_or(0x6b69_6c6e));
    let started = Instant::now();
    while started.elapsed().as_secs_f64() < seconds {
        let input = mutated(&pool, target.words, &mut rng);
        let answer = tried(&target, &input, &mut tally, &folder);
        if answers.insert(shape(&answer)) {
            if keeps && kept < KEPT && input.len() <= KEPT_BYTES {
                keep(&folder, "found", &input);
                kept += 1;
            }
            if pool.len() < MAX_INPUTS {
                pool.push(input);
            } else {
                let at = rng.below(pool.len());
                pool[at] = input;
            }
        }
    }
    let _ = std::fs::remove_file(last_input());
    eprintln!(
        "{}: {} inputs, {} answers, at most {:.1} MB, slowest {:.0} ms",
        target.name,
        tally.inputs,
        answers.len(),
        tally.peak as f64 / 1e6,
        tally.slowest.as_secs_f64() * 1e3
    );
}

/// A number from the environment.
fn number<N: std::str::FromStr>(name: &str) -> Option<N> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .ok()
            .unwrap_or_else(|| panic!("{name} is not a number: {text}")),
    )
}

/// The files of the corpus, in the order of their names.
fn corpus(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry of the corpus").path())
        .collect();
    paths.sort();
    let read = |path| std::fs::read(path).expect("a file of the corpus");
    paths.iter().map(read).collect()
}

fn keep(folder: &Path, kind: &str, input: &[u8]) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let path = folder.join(format!("{kind}-{:016x}", hasher.finish()));
    std::fs::write(&path, input).expect("a file");
    path
}

/// The answer of the reader to an input; a panic ends the test.
fn tried(target: &Target, input: &[u8], tally: &mut Tally, folder: &Path) -> String {
    std::fs::write(last_input(), input).expect("the temporary folder can be written");
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    BEFORE.store(before, Ordering::Relaxed);
    STARTED.store(milliseconds(), Ordering::Relaxed);
    let started = Instant::now();
    WATCHED.store(true, Ordering::Relaxed);
    let answer = catch_unwind(AssertUnwindSafe(|| (target.reader)(input)));
    WATCHED.store(false, Ordering::Relaxed);
    tally.inputs += 1;
    tally.slowest = tally.slowest.max(started.elapsed());
    let peak = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    tally.peak = tally.peak.max(peak);
    answer.unwrap_or_else(|_| {
        let place = match std::env::var_os("KILN_FUZZ_KEEP") {
            Some(_) => keep(folder, "crash", input),
            None => keep(&std::env::temp_dir(), "kiln-crash", input),
        };
        panic!(
            "{}: the reader panicked at {}",
            target.name,
            place.display()
        )
    })
}

/// An answer without its numbers and quotes: it tells one path through a reader from another.
fn shape(answer: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut quoted = false;
    for letter in answer.chars() {
        quoted ^= matches!(letter, '"' | '`' | '\'');
        if letter.is_alphabetic() && !quoted {
            letter.hash(&mut hasher);
        }
    }
    hasher.finish()
}

// ---- Mutations ----

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `count - 1`; 0 of none.
    fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// Numbers at the limits of types and formats.
const NUMBERS: [u64; 20] = [
    0,
    1,
    2,
    7,
    8,
    127,
    128,
    255,
    256,
    1024,
    32_767,
    65_535,
    65_536,
    60_000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    i64::MAX as u64,
    u64::MAX,
];

fn mutated(pool: &[Vec<u8>], words: &[&[u8]], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = rng.pick(pool).clone();
    for _ in 0..1 + rng.below(4) {
        mutate(&mut bytes, pool, words, rng);
    }
    bytes.truncate(MAX_LENGTH);
    bytes
}

fn mutate(bytes: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&[u8]], rng: &mut Rng) {
    let at = rng.below(bytes.len());
    match rng.below(10) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.below(8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = rng.next() as u8;
            }
        }
        3 => overwrite_number(bytes, at, rng),
        4 => replace_digits(bytes, at, rng),
        5 => {
            let end = (at + 1 + rng.below(64)).min(bytes.len());
            bytes.drain(at..end);
        }
        6 => {
            // Sometimes many times: growth with each repetition becomes visible.
            let end = (at + 1 + rng.below(32)).min(bytes.len());
            let times = [1, 1, 2, 8, 500][rng.below(5)];
            let part = bytes.get(at..end).unwrap_or_default().repeat(times);
            bytes.splice(at..at, part);
        }
        7 => {
            let word = match words {
                [] => &[][..],
                words => *rng.pick(words),
            };
            let over = [0, word.len()][rng.below(2)];
            let end = (at + over).min(bytes.len());
            bytes.splice(at..end, word.iter().copied());
        }
        8 => {
            let other = rng.pick(pool);
            let from = rng.below(other.len());
            let to = (from + 1 + rng.below(256)).min(other.len());
            let part = other.get(from..to).unwrap_or_default().to_vec();
            bytes.splice(at..at, part);
        }
        _ => bytes.truncate(at),
    }
}

/// A number of 2, 4 or 8 bytes in either byte order.
fn overwrite_number(bytes: &mut [u8], at: usize, rng: &mut Rng) {
    let near = (bytes.len() as u64)
        .wrapping_add(rng.below(9) as u64)
        .wrapping_sub(4);
    let number = if rng.below(4) == 0 {
        near
    } else {
        *rng.pick(&NUMBERS)
    };
    let width = [2, 4, 8][rng.below(3)];
    let mut digits = number.to_le_bytes()[..width].to_vec();
    if rng.below(2) == 0 {
        digits.reverse();
    }
    for (byte, digit) in bytes.iter_mut().skip(at).zip(digits) {
        *byte = digit;
    }
}

/// Replaces the next number in decimal digits.
fn replace_digits(bytes: &mut Vec<u8>, at: usize, rng: &mut Rng) {
    let Some(start) = (at..bytes.len()).find(|&i| bytes[i].is_ascii_digit()) else {
        return;
    };
    let after = (start..bytes.len()).find(|&i| !bytes[i].is_ascii_digit());
    let number = rng.pick(&NUMBERS).to_string();
    bytes.splice(start..after.unwrap_or(bytes.len()), number.bytes());
}
