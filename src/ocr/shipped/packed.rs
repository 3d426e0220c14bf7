//! Model files in a smaller form: of numbers of 16 bits, the bytes with sign, exponent and the first bits of the mantissa are coded by
//! how often each occurs nearby, which takes a twentieth less than `gzip` needs for them. The other bytes look like noise and stay as
//! they are.
//!
//! The build script packs for WebAssembly, and the module unpacks. The code is rANS (Duda, "Asymmetric numeral systems", 2013,
//! arXiv:1311.2540) with fixed frequencies: a run of [`RUN`] bytes chooses one of [`TABLES`] tables of them, because the rows of a layer
//! differ in scale.
//!
//! A packed file has, all in little endian: the length of the file (4 bytes), its bytes at even places, the tables (256 frequencies of 2
//! bytes each), the number of the table of each run (a byte), and the code of the bytes at odd places.
#![allow(dead_code)] // The build script needs one half, and the module the other.

/// Tables of frequencies; more of them save less than they take.
const TABLES: usize = 8;
/// Bytes that are coded with the same table: about a row of a convolution, a quarter of one of the layer behind them.
const RUN: usize = 512;
/// The frequencies of a table add up to `1 << SCALE`.
const SCALE: u32 = 14;
/// The state of the code is this at least, and below 256 times as much, between two bytes.
const LOWEST: u32 = 1 << 23;
/// Rounds in which runs choose their tables, and tables follow their runs; later ones change next to nothing.
const ROUNDS: usize = 8;

/// How often each byte occurs.
type Counts = [u32; 256];

/// Packs a file.
pub fn pack(file: &[u8]) -> Vec<u8> {
    let length = u32::try_from(file.len()).expect("below 4 GB");
    let [even, odd] = [0, 1].map(|first| file.iter().copied().skip(first).step_by(2));
    let odd: Vec<u8> = odd.collect();
    let runs: Vec<Counts> = odd.chunks(RUN).map(counts).collect();
    let chosen = choose(&runs);
    let tables = sums(&runs, &chosen).map(|counts| frequencies(&counts));
    let mut packed = length.to_le_bytes().to_vec();
    packed.extend(even);
    packed.extend(
        tables
            .iter()
            .flatten()
            .flat_map(|&one| (one as u16).to_le_bytes()),
    );
    packed.extend(&chosen);
    packed.extend(encode(&odd, &chosen, &tables));
    packed
}

/// The file that was packed. Panics if this is not what [`pack`] gives.
pub fn unpack(packed: &[u8]) -> Vec<u8> {
    let (length, rest) = packed.split_first_chunk().expect("a length");
    let length = u32::from_le_bytes(*length) as usize;
    let (even, rest) = rest.split_at(length.div_ceil(2));
    let (tables, rest) = rest.split_at(TABLES * 256 * 2);
    let (chosen, code) = rest.split_at((length / 2).div_ceil(RUN));
    let tables: Vec<Table> = tables.chunks_exact(512).map(Table::read).collect();
    let mut decoder = Decoder::new(code);
    let mut file = Vec::with_capacity(length);
    for (run, &table) in even.chunks(RUN).zip(chosen) {
        let table = &tables[usize::from(table)];
        for &byte in run {
            file.push(byte);
            if file.len() < length {
                file.push(decoder.next(table));
            }
        }
    }
    // A last byte at an even place, with a run of its own.
    file.extend(&even[file.len().div_ceil(2)..]);
    file
}

fn counts(bytes: &[u8]) -> Counts {
    let mut counts = [0; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    counts
}

/// How often each byte occurs in the runs of each table.
fn sums(runs: &[Counts], chosen: &[u8]) -> [Counts; TABLES] {
    let mut sums = [[0; 256]; TABLES];
    for (run, &table) in runs.iter().zip(chosen) {
        for (sum, count) in sums[usize::from(table)].iter_mut().zip(run) {
            *sum += count;
        }
    }
    sums
}

/// The table of each run: k-means, where the distance is the length of the code.
fn choose(runs: &[Counts]) -> Vec<u8> {
    // The bits below the sign grow with the magnitude.
    let magnitude = |run: &Counts| -> u32 {
        let counts = run.iter().enumerate();
        counts
            .map(|(byte, count)| (byte as u32 & 127) * count)
            .sum()
    };
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|&run| magnitude(&runs[run]));
    let mut chosen = vec![0; runs.len()];
    for (rank, run) in order.into_iter().enumerate() {
        chosen[run] = (rank * TABLES / runs.len()) as u8;
    }
    for _ in 0..ROUNDS {
        let bits = sums(runs, &chosen).map(|counts| {
            let total: u32 = counts.iter().sum();
            // A little more than nothing, for bytes that a table doesn't have yet.
            counts.map(|count| (f64::from(total) + 1.0).log2() - (f64::from(count) + 0.05).log2())
        });
        let length = |run: &Counts, table: usize| -> f64 {
            let bits = run.iter().zip(&bits[table]);
            bits.map(|(&count, bits)| f64::from(count) * bits).sum()
        };
        for (run, chosen) in runs.iter().zip(&mut chosen) {
            let best = (0..TABLES).min_by(|&a, &b| length(run, a).total_cmp(&length(run, b)));
            *chosen = best.unwrap_or(0) as u8;
        }
    }
    chosen
}

/// Frequencies that add up to `1 << SCALE`, none of them zero for a byte that occurs.
fn frequencies(counts: &Counts) -> [u32; 256] {
    let total = counts
        .iter()
        .map(|&count| u64::from(count))
        .sum::<u64>()
        .max(1);
    let scaled = |&count: &u32| {
        let share = (u64::from(count) << SCALE) / total;
        (share as u32).max(u32::from(count > 0))
    };
    let mut frequencies = [0; 256];
    for (frequency, count) in frequencies.iter_mut().zip(counts) {
        *frequency = scaled(count);
    }
    // What rounding took or gave is of the most frequent ones.
    while let excess @ 1.. = frequencies.iter().sum::<u32>().abs_diff(1 << SCALE) {
        let is_less = frequencies.iter().sum::<u32>() < 1 << SCALE;
        let largest = frequencies.iter_mut().max().expect("256 of them");
        if is_less {
            *largest += excess;
        } else {
            *largest -= excess.min(*largest / 2);
        }
    }
    frequencies
}

/// The sum of the frequencies before each byte.
fn starts(frequencies: &[u32; 256]) -> [u32; 256] {
    let mut sum = 0;
    frequencies.map(|frequency| {
        sum += frequency;
        sum - frequency
    })
}

/// Codes bytes, from the last to the first: what is coded last is decoded first.
fn encode(bytes: &[u8], chosen: &[u8], tables: &[[u32; 256]; TABLES]) -> Vec<u8> {
    let starts = tables.each_ref().map(starts);
    let mut state = LOWEST;
    let mut reversed = Vec::new();
    for (place, &byte) in bytes.iter().enumerate().rev() {
        let table = usize::from(chosen[place / RUN]);
        let byte = usize::from(byte);
        let frequency = tables[table][byte];
        while u64::from(state) >= u64::from((LOWEST >> SCALE) << 8) * u64::from(frequency) {
            reversed.push(state as u8);
            state >>= 8;
        }
        state = ((state / frequency) << SCALE) + state % frequency + starts[table][byte];
    }
    reversed.extend(state.to_be_bytes().iter().rev());
    reversed.reverse();
    reversed
}

/// A table as it is decoded with.
struct Table {
    frequencies: [u32; 256],
    starts: [u32; 256],
    /// The byte of each number below `1 << SCALE`.
    bytes: Vec<u8>,
}

impl Table {
    fn read(table: &[u8]) -> Self {
        let mut frequencies = [0; 256];
        for (frequency, pair) in frequencies.iter_mut().zip(table.chunks_exact(2)) {
            *frequency = u32::from(u16::from_le_bytes([pair[0], pair[1]]));
        }
        let bytes = (0..=255u8).zip(frequencies);
        let bytes = bytes.flat_map(|(byte, count)| std::iter::repeat_n(byte, count as usize));
        Self {
            starts: starts(&frequencies),
            bytes: bytes.collect(),
            frequencies,
        }
    }
}

struct Decoder<'a> {
    state: u32,
    code: std::slice::Iter<'a, u8>,
}

impl<'a> Decoder<'a> {
    fn new(code: &'a [u8]) -> Self {
        let (state, code) = code.split_first_chunk().expect("a state");
        Self {
            state: u32::from_be_bytes(*state),
            code: code.iter(),
        }
    }

    fn next(&mut self, table: &Table) -> u8 {
        let place = self.state & ((1 << SCALE) - 1);
        let byte = table.bytes[place as usize];
        let (frequency, start) = (
            table.frequencies[usize::from(byte)],
            table.starts[usize::from(byte)],
        );
        self.state = frequency * (self.state >> SCALE) + place - start;
        while self.state < LOWEST {
            let Some(&next) = self.code.next() else {
                break;
            };
            self.state = self.state << 8 | u32::from(next);
        }
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_are_unpacked_byte_for_byte_and_take_less() {
        for model in ["ocr", "ocr_mixed"] {
            let path = format!(
                "{}/artifacts/{model}/model.safetensors",
                env!("CARGO_MANIFEST_DIR")
            );
            let file = std::fs::read(path).unwrap();
            let packed = pack(&file);
            assert!(unpack(&packed) == file, "{model}");
            assert!(
                packed.len() * 100 < file.len() * 86,
                "{model}: {}",
                packed.len()
            );
        }
    }

    #[test]
    fn any_bytes_are_unpacked_as_they_were() {
        let noise = |length: usize| -> Vec<u8> {
            (0..length)
                .map(|i| (i * i * 7919 % 1009 % 251) as u8)
                .collect()
        };
        for length in [0, 1, 2, 3, 1023, 1024, 1025, 1026, 5001] {
            for file in [noise(length), vec![7; length], vec![0; length]] {
                assert!(unpack(&pack(&file)) == file, "{length}");
            }
        }
    }
}
