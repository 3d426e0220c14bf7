//! Reads a pickle: the stack machine of Python's `pickle`, protocols 0 to 5, whose calls make descriptions instead of running.
//!
//! Python's `pickletools` lists the instructions.

use std::collections::HashMap;
use std::sync::Arc;

use super::calls;
use super::program::Program;
use super::value::{Id, Value, Values};

/// The newest protocol of pickles.
const MAX_PROTOCOL: u8 = 5;

/// Reads one pickle; returns what it describes.
pub fn run(program: &mut Program, values: &mut Values) -> Result<Id, String> {
    let mut machine = Machine {
        program,
        values,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    loop {
        machine.values.count_instruction()?;
        let code = machine.program.byte()?;
        if code == b'.' {
            return machine.pop();
        }
        machine.step(code)?;
    }
}

struct Machine<'m, 'p> {
    program: &'m mut Program<'p>,
    values: &'m mut Values,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl Machine<'_, '_> {
    fn step(&mut self, code: u8) -> Result<(), String> {
        match code {
            // PROTO, FRAME
            0x80 => return self.protocol(),
            0x95 => drop(self.program.array::<8>()?),
            // MARK, POP, POP_MARK, DUP
            b'(' => self.marks.push(self.stack.len()),
            b'0' => self.discard()?,
            b'1' => drop(self.pop_to_mark()?),
            b'2' => self.stack.push(self.top()?),
            // GET, PUT and their binary forms, MEMOIZE
            b'g' | b'h' | b'j' => {
                let key = self.memo_key(code)?;
                let value = self.memo.get(&key).copied();
                let value = value.ok_or("a pickle refers to a value that it does not have")?;
                self.stack.push(value);
            }
            b'p' | b'q' | b'r' | 0x94 => {
                let key = self.memo_key(code)?;
                self.memo.insert(key, self.top()?);
            }
            _ => {
                return match self.simple(code)? {
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

    /// Values without parts.
    fn simple(&mut self, code: u8) -> Result<Option<Value>, String> {
        let program = &mut *self.program;
        Ok(Some(match code {
            b'N' => Value::Plain,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            // INT, LONG, FLOAT as text
            b'I' => match program.line()? {
                "00" => Value::Bool(false),
                "01" => Value::Bool(true),
                digits => digits.parse().map_or(Value::Plain, Value::Integer),
            },
            b'L' => {
                let digits = program.line()?.trim_end_matches('L');
                digits.parse().map_or(Value::Plain, Value::Integer)
            }
            b'F' => {
                program.line()?;
                Value::Plain
            }
            b'J' => Value::Integer(i32::from_le_bytes(program.array()?).into()),
            b'K' => Value::Integer(program.byte()?.into()),
            b'M' => Value::Integer(u16::from_le_bytes(program.array()?).into()),
            b'G' => {
                program.array::<8>()?;
                Value::Plain
            }
            0x8a | 0x8b => long(self.part(code)?),
            // UNICODE and STRING as lines, then the binary forms of str and bytes
            b'V' => Value::Text(program.escaped_line()?),
            b'S' => Value::Text(program.line()?.trim_matches(['\'', '"']).into()),
            b'X' | 0x8c | 0x8d | b'U' | b'T' => {
                Value::Text(String::from_utf8_lossy(self.part(code)?).into_owned())
            }
            b'C' | b'B' | 0x8e | 0x96 => Value::Bytes(Arc::from(self.part(code)?)),
            // EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT, EMPTY_SET
            b')' => Value::Tuple(Vec::new()),
            b']' | 0x8f => Value::List(Vec::new()),
            b'}' => Value::Dict(Vec::new()),
            // GLOBAL
            b'c' => {
                let module = program.line()?;
                Value::Global(format!("{module}.{}", program.line()?))
            }
            _ => return Ok(None),
        }))
    }

    /// Values made of those on the stack.
    fn structure(&mut self, code: u8) -> Result<(), String> {
        match code {
            // TUPLE, TUPLE1, TUPLE2, TUPLE3, LIST, FROZENSET, DICT
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Tuple(items));
            }
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..code {
                    items.insert(0, self.pop()?);
                }
                self.push(Value::Tuple(items));
            }
            b'l' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.push(Value::List(items));
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Dict(pairs(&items)));
            }
            // APPEND, APPENDS, ADDITEMS, SETITEM, SETITEMS
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' | 0x90 => {
                let items = self.pop_to_mark()?;
                self.append(&items)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(&[(key, value)])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&pairs(&items))?;
            }
            _ => self.call(code)?,
        }
        Ok(())
    }

    /// Instructions with which Python would call something.
    fn call(&mut self, code: u8) -> Result<(), String> {
        match code {
            // STACK_GLOBAL
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let text = |id| self.values.text(id).unwrap_or_default();
                let name = format!("{}.{}", text(module), text(name));
                self.push(Value::Global(name));
            }
            // REDUCE, NEWOBJ, NEWOBJ_EX
            b'R' | 0x81 | 0x92 => {
                if code == 0x92 {
                    self.pop()?;
                }
                let arguments = self.pop()?;
                let callable = self.pop()?;
                let made = calls::call(self.values, callable, arguments)?;
                self.stack.push(made);
            }
            // INST, OBJ
            b'i' => {
                self.program.line()?;
                self.program.line()?;
                self.pop_to_mark()?;
                self.push(Value::Object(Box::default()));
            }
            b'o' => {
                self.pop_to_mark()?;
                self.push(Value::Object(Box::default()));
            }
            // BUILD
            b'b' => {
                let state = self.pop()?;
                let target = self.top()?;
                if let Some(Value::Object(object)) = self.values.get_mut(target) {
                    object.state = Some(state);
                }
            }
            // PERSID, BINPERSID
            b'P' => {
                self.program.line()?;
                self.push(Value::Plain);
            }
            b'Q' => {
                let id = self.pop()?;
                let made = calls::persistent(self.values, id)?;
                self.stack.push(made);
            }
            _ => return Err(format!("0x{code:02x} is not a pickle opcode")),
        }
        Ok(())
    }

    fn protocol(&mut self) -> Result<(), String> {
        match self.program.byte()? {
            0..=MAX_PROTOCOL => Ok(()),
            version => Err(format!("unknown pickle protocol {version}")),
        }
    }

    /// The bytes of an argument that begins with its length.
    fn part(&mut self, code: u8) -> Result<&[u8], String> {
        let length = match code {
            b'C' | b'U' | 0x8a | 0x8c => self.program.byte()?.into(),
            b'T' | b'X' | b'B' | 0x8b => u32::from_le_bytes(self.program.array()?).into(),
            _ => u64::from_le_bytes(self.program.array()?),
        };
        self.program.slice(length)
    }

    fn memo_key(&mut self, code: u8) -> Result<u32, String> {
        Ok(match code {
            b'g' | b'p' => {
                let number = self.program.line()?.parse();
                number.map_err(|_| "a pickle has a memo entry without an index")?
            }
            b'h' | b'q' => self.program.byte()?.into(),
            b'j' | b'r' => u32::from_le_bytes(self.program.array()?),
            _ => self.memo.len() as u32,
        })
    }

    fn push(&mut self, value: Value) {
        let id = self.values.add(value);
        self.stack.push(id);
    }

    /// The value on top of the stack, above the last mark.
    fn top(&self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.last() {
            Some(&top) if self.stack.len() > floor => Ok(top),
            _ => Err("a pickle is damaged: stack underflow".into()),
        }
    }

    fn pop(&mut self) -> Result<Id, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// As Python does, a mark is discarded where no value stands above it.
    fn discard(&mut self) -> Result<(), String> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop();
        let mark = mark.ok_or("a pickle is damaged: MARK not found")?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, items: &[Id]) -> Result<(), String> {
        let target = self.top()?;
        if let Some(Value::List(list)) = self.values.get_mut(target) {
            list.extend(items);
        }
        Ok(())
    }

    fn set_items(&mut self, pairs: &[(Id, Id)]) -> Result<(), String> {
        let target = self.top()?;
        match self.values.get_mut(target) {
            Some(Value::Dict(items)) => items.extend(pairs),
            Some(Value::Object(object)) => object.items.extend(pairs),
            _ => {}
        }
        Ok(())
    }
}

/// Keys and values that follow each other.
fn pairs(items: &[Id]) -> Vec<(Id, Id)> {
    let (pairs, _) = items.as_chunks::<2>();
    pairs.iter().map(|&[key, value]| (key, value)).collect()
}

/// A whole number in two's complement, little-endian.
fn long(bytes: &[u8]) -> Value {
    if bytes.len() > 8 {
        return Value::Long(bytes.to_vec());
    }
    let fill = match bytes.last() {
        Some(last) if last & 0x80 != 0 => 0xff,
        _ => 0,
    };
    let mut all = [fill; 8];
    for (to, from) in all.iter_mut().zip(bytes) {
        *to = *from;
    }
    Value::Integer(i64::from_le_bytes(all))
}
