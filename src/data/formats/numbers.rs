//! Numbers of fixed width in a stream of bytes. Memory grows with what is really there, not with what a header claims.

use std::io::Read;

use super::array::Values;

/// Bytes that are read at a time; a multiple of the width of every type.
const BLOCK: usize = 1 << 16;

/// The type of a stored number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Unsigned, of one byte; booleans too.
    U8,
    /// Signed, of one byte.
    I8,
    /// Unsigned, of two bytes.
    U16,
    /// Signed, of two bytes.
    I16,
    /// Unsigned, of four bytes.
    U32,
    /// Signed, of four bytes.
    I32,
    /// Unsigned, of eight bytes.
    U64,
    /// Signed, of eight bytes.
    I64,
    /// Floating point, of two bytes.
    F16,
    /// Floating point, of four bytes.
    F32,
    /// Floating point, of eight bytes.
    F64,
}

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// The lowest.
    Little,
    /// The highest.
    Big,
}

impl Kind {
    /// The type that NumPy calls by a letter and a number of bytes: `u1`, `f4`.
    pub fn of_numpy(code: &str) -> Option<Self> {
        Some(match code {
            "u1" | "b1" => Kind::U8,
            "i1" => Kind::I8,
            "u2" => Kind::U16,
            "i2" => Kind::I16,
            "u4" => Kind::U32,
            "i4" => Kind::I32,
            "u8" => Kind::U64,
            "i8" => Kind::I64,
            "f2" => Kind::F16,
            "f4" => Kind::F32,
            "f8" => Kind::F64,
            _ => return None,
        })
    }

    /// Bytes of a number.
    pub fn width(self) -> usize {
        match self {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 | Kind::F16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
        }
    }
}

/// Reads `count` numbers.
///
/// # Errors
/// The stream ends early or is damaged; a whole number that 32 bits don't hold.
pub fn read(
    stream: &mut dyn Read,
    count: usize,
    kind: Kind,
    order: ByteOrder,
) -> Result<Values, String> {
    let mut values = match kind {
        Kind::U8 => Values::Bytes(Vec::new()),
        Kind::F16 | Kind::F32 | Kind::F64 => Values::Floats(Vec::new()),
        _ => Values::Integers(Vec::new()),
    };
    let bytes = (count as u64) * kind.width() as u64;
    let mut stream = stream.take(bytes);
    let mut block = vec![0; BLOCK];
    loop {
        let filled = fill(&mut stream, &mut block)?;
        let part = &block[..filled];
        match &mut values {
            Values::Bytes(values) => values.extend_from_slice(part),
            Values::Integers(values) => integers(part, kind, order, values)?,
            Values::Floats(values) => floats(part, kind, order, values),
            Values::Texts(_) => {}
        }
        if filled < BLOCK {
            break;
        }
    }
    if values.len() < count {
        return Err(format!(
            "ends early: has {} of {count} values",
            values.len()
        ));
    }
    Ok(values)
}

/// Reads until the block is full or the stream ends; returns the bytes read.
fn fill(stream: &mut dyn Read, block: &mut [u8]) -> Result<usize, String> {
    let mut filled = 0;
    while filled < block.len() {
        match stream.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("damaged data ({error})")),
        }
    }
    Ok(filled)
}

/// The numbers of a block, as unsigned integers of their width.
fn raw(block: &[u8], width: usize, order: ByteOrder) -> impl Iterator<Item = u64> {
    block.chunks_exact(width).map(move |bytes| {
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match order {
            ByteOrder::Big => bytes.iter().fold(0, join),
            ByteOrder::Little => bytes.iter().rev().fold(0, join),
        }
    })
}

fn integers(
    block: &[u8],
    kind: Kind,
    order: ByteOrder,
    values: &mut Vec<i32>,
) -> Result<(), String> {
    for raw in raw(block, kind.width(), order) {
        let value = match kind {
            Kind::I8 => Ok((raw as u8 as i8).into()),
            Kind::I16 => Ok((raw as u16 as i16).into()),
            Kind::I32 => Ok(raw as u32 as i32),
            Kind::I64 => i32::try_from(raw as i64),
            _ => i32::try_from(raw),
        };
        values.push(value.map_err(|_| "has a number of more than 32 bits")?);
    }
    Ok(())
}

fn floats(block: &[u8], kind: Kind, order: ByteOrder, values: &mut Vec<f32>) {
    values.extend(raw(block, kind.width(), order).map(|raw| match kind {
        Kind::F16 => half::f16::from_bits(raw as u16).to_f32(),
        Kind::F64 => f64::from_bits(raw) as f32,
        _ => f32::from_bits(raw as u32),
    }));
}
