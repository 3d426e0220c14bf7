//! The stack machine of Python's `pickle`, protocols 0 to 5, without its power to call anything.

use std::collections::HashMap;

use super::item::{Id, Item, Stored};
use super::program::Program;
use crate::data::formats::numbers::ByteOrder;

/// Most instructions of a pickle. CIFAR-100's has about 250,000: two labels and a name for each of 50,000 images.
const MAX_INSTRUCTIONS: usize = 4_000_000;

/// Reads a pickle: all its values, and which of them it stands for.
pub fn run(bytes: &[u8]) -> Result<(Vec<Item<'_>>, Id), String> {
    let mut machine = Machine {
        program: Program::new(bytes),
        items: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    for _ in 0..MAX_INSTRUCTIONS {
        let code = machine.program.byte()?;
        if code == b'.' {
            let root = machine.pop()?;
            return Ok((machine.items, root));
        }
        machine.step(code)?;
    }
    Err(format!(
        "is a pickle of more than {MAX_INSTRUCTIONS} instructions"
    ))
}

/// The stack machine.
struct Machine<'a> {
    program: Program<'a>,
    items: Vec<Item<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl<'a> Machine<'a> {
    fn step(&mut self, code: u8) -> Result<(), String> {
        match code {
            // PROTO, FRAME
            0x80 => drop(self.program.slice(1)?),
            0x95 => drop(self.program.slice(8)?),
            b'(' => self.marks.push(self.stack.len()),
            // POP, DUP
            b'0' => drop(self.pop()?),
            b'2' => self.stack.push(self.top()?),
            // GET and PUT in all forms, MEMOIZE
            b'g' | b'h' | b'j' => {
                let key = self.memo_key(code)?;
                let id = self.memo.get(&key).copied();
                self.stack
                    .push(id.ok_or("refers to a value that it lacks")?);
            }
            b'p' | b'q' | b'r' | 0x94 => {
                let key = self.memo_key(code)?;
                self.memo.insert(key, self.top()?);
            }
            _ => {
                return match self.program.value(code)? {
                    Some(value) => {
                        self.push(value);
                        Ok(())
                    }
                    None => self.structure(code),
                };
            }
        }
        Ok(())
    }

    fn memo_key(&mut self, code: u8) -> Result<u64, String> {
        match code {
            b'g' | b'p' => {
                let line = self.program.line()?;
                let number = line.parse();
                number.map_err(|_| "has a memo entry without an index".to_string())
            }
            b'h' | b'q' => self.program.byte().map(u64::from),
            b'j' | b'r' => self.program.unsigned(4),
            _ => Ok(self.memo.len() as u64),
        }
    }

    /// Values made of those on the stack.
    fn structure(&mut self, code: u8) -> Result<(), String> {
        match code {
            // TUPLE, LIST, and TUPLE1 to TUPLE3
            b't' | b'l' => {
                let items = self.pop_to_mark()?;
                self.push(Item::List(items));
            }
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..code {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(Item::List(items));
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push(Item::Dict(pairs(&items)));
            }
            // APPEND, APPENDS, SETITEM, SETITEMS
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(&items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(&[(key, value)])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set(&pairs(&items))?;
            }
            // STACK_GLOBAL, REDUCE, BUILD
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (name, module) = (self.text(name), self.text(module));
                self.push(Item::Global(format!("{module}.{name}")));
            }
            b'R' => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                let made = self.call(callable, arguments)?;
                self.push(made);
            }
            b'b' => {
                let state = self.pop()?;
                let target = self.top()?;
                self.build(target, state)?;
            }
            _ => {
                return Err(format!(
                    "is not a pickle of plain values and NumPy arrays (opcode 0x{code:02x})"
                ));
            }
        }
        Ok(())
    }

    /// What a known call makes.
    fn call(&mut self, callable: Id, arguments: Id) -> Result<Item<'a>, String> {
        let name = match self.items.get(callable) {
            Some(Item::Global(name)) => name.clone(),
            _ => String::new(),
        };
        let arguments = match self.items.get(arguments) {
            Some(Item::List(ids)) => ids.clone(),
            _ => Vec::new(),
        };
        let argument = |index: usize| arguments.get(index).copied();
        let text = |index: usize| argument(index).map(|id| self.text(id)).unwrap_or_default();
        match name.as_str() {
            "numpy.core.multiarray._reconstruct" | "numpy._core.multiarray._reconstruct" => {
                Ok(Item::Array(None))
            }
            "numpy.core.numeric._frombuffer" | "numpy._core.numeric._frombuffer" => {
                let parts = (argument(0), argument(1), argument(2));
                let (Some(bytes), Some(dtype), Some(shape)) = parts else {
                    return Err("has an array without its parts".into());
                };
                Ok(Item::Array(Some(Stored {
                    shape,
                    dtype,
                    is_fortran: text(3) == "F",
                    bytes,
                })))
            }
            "numpy.dtype" => Ok(Item::Dtype {
                code: text(0),
                order: ByteOrder::Little,
            }),
            // How Python 3 writes bytes for Python 2.
            "_codecs.encode" => {
                let text = text(0);
                let bytes = text.chars().map(|letter| u8::try_from(u32::from(letter)));
                let bytes: Result<Vec<u8>, _> = bytes.collect();
                let bytes = bytes.map_err(|_| "has an invalid bytes object")?;
                Ok(Item::Bytes(bytes.into()))
            }
            name => Err(format!(
                "calls {name:?}; only pickles of plain values and NumPy arrays are read"
            )),
        }
    }

    /// Gives an array or a type its state.
    fn build(&mut self, target: Id, state: Id) -> Result<(), String> {
        let state = match self.items.get(state) {
            Some(Item::List(ids)) => ids.clone(),
            _ => Vec::new(),
        };
        let order = match state.get(1).map(|&id| self.text(id)).as_deref() {
            Some(">") => ByteOrder::Big,
            _ => ByteOrder::Little,
        };
        let is_fortran = matches!(
            state.get(3).and_then(|&id| self.items.get(id)),
            Some(Item::Integer(1))
        );
        match (self.items.get_mut(target), state.as_slice()) {
            (Some(Item::Array(stored)), &[_, shape, dtype, _, bytes]) => {
                *stored = Some(Stored {
                    shape,
                    dtype,
                    is_fortran,
                    bytes,
                });
                Ok(())
            }
            (Some(Item::Dtype { order: own, .. }), [_, _, ..]) => {
                *own = order;
                Ok(())
            }
            _ => Err("has an object of an unknown kind".into()),
        }
    }

    fn text(&self, id: Id) -> String {
        match self.items.get(id) {
            Some(Item::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        }
    }

    fn push(&mut self, item: Item<'a>) {
        self.stack.push(self.items.len());
        self.items.push(item);
    }

    /// The value on top of the stack, above the last mark.
    fn top(&self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.last() {
            Some(&top) if self.stack.len() > floor => Ok(top),
            _ => Err("is damaged: stack underflow".into()),
        }
    }

    fn pop(&mut self) -> Result<Id, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("is damaged: MARK not found")?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, items: &[Id]) -> Result<(), String> {
        let target = self.top()?;
        if let Some(Item::List(list)) = self.items.get_mut(target) {
            list.extend(items);
        }
        Ok(())
    }

    fn set(&mut self, pairs: &[(Id, Id)]) -> Result<(), String> {
        let target = self.top()?;
        if let Some(Item::Dict(items)) = self.items.get_mut(target) {
            items.extend(pairs);
        }
        Ok(())
    }
}

/// Keys and values that follow each other.
fn pairs(items: &[Id]) -> Vec<(Id, Id)> {
    let (pairs, _) = items.as_chunks::<2>();
    pairs.iter().map(|&[key, value]| (key, value)).collect()
}
