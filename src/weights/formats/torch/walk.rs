//! Finds the tensors in what a pickle describes, under the names that PyTorch's `state_dict()` gives them.

use std::collections::HashMap;

use super::limits::{
    MAX_DEPTH, MAX_DICTIONARIES, MAX_NAME_BYTES, MAX_NAMES_BYTES, MAX_TENSORS, MAX_VISITS,
};
use super::resolve::Resolver;
use super::value::{Id, Object, Value, Values};
use crate::weights::formats::saved::{Saved, Stored};

/// Where the classes of quantized modules are.
const QUANTIZED: [&str; 2] = ["torch.ao.nn.quantized.", "torch.nn.quantized."];

/// All tensors below `root`: in dictionaries and lists, and in modules as their `state_dict()` lists them.
pub fn walk(values: &Values, root: Id, resolver: &Resolver) -> Result<Saved, String> {
    let mut walk = Walk {
        values,
        resolver,
        visits: 0,
        name_bytes: 0,
        above: Vec::new(),
        places: HashMap::new(),
        saved: Saved {
            dictionaries: vec![String::new()],
            in_order: true,
            ..Saved::default()
        },
    };
    walk.visit(root, "", false)?;
    let mut saved = walk.saved;
    saved.reader.has_objects = values.iter().any(|value| matches!(value, Value::Object(_)));
    saved.is_quantized = values.iter().any(|value| match value {
        Value::Global(name) => QUANTIZED.iter().any(|module| name.starts_with(module)),
        _ => false,
    });
    Ok(saved)
}

struct Walk<'w> {
    values: &'w Values,
    resolver: &'w Resolver<'w>,
    visits: usize,
    /// Bytes of all names that are kept.
    name_bytes: usize,
    /// The values that the current one is in.
    above: Vec<Id>,
    /// Where each name stands in the list.
    places: HashMap<String, usize>,
    saved: Saved,
}

impl Walk<'_> {
    /// Looks at a value and what it contains; `in_module` tells whether a module contains it.
    fn visit(&mut self, id: Id, name: &str, in_module: bool) -> Result<(), String> {
        self.visits += 1;
        let is_large = self.saved.tensors.len() > MAX_TENSORS || self.name_bytes > MAX_NAMES_BYTES;
        if is_large || self.visits > MAX_VISITS {
            return Err(
                "it has too many values to look for tensors; save the state_dict alone".into(),
            );
        }
        if self.above.len() > MAX_DEPTH || self.above.contains(&id) {
            return Ok(());
        }
        let tensor = self.resolver.tensor(id);
        if let Some(tensor) = tensor.map_err(|problem| format!("{name}: {problem}"))? {
            self.keep(name, tensor);
            return Ok(());
        }
        self.above.push(id);
        self.parts(id, name, in_module)?;
        self.above.pop();
        Ok(())
    }

    fn parts(&mut self, id: Id, name: &str, in_module: bool) -> Result<(), String> {
        let values = self.values;
        match values.get(id) {
            Value::Dict(items) => {
                self.open(name, in_module);
                self.items(items, name, false, &[])?;
            }
            Value::Tuple(items) | Value::List(items) => {
                for (index, &item) in items.iter().enumerate() {
                    self.visit(item, &joined(name, &index.to_string())?, false)?;
                }
            }
            Value::Object(object) => self.object(object, name, in_module)?,
            _ => {}
        }
        Ok(())
    }

    fn object(&mut self, object: &Object, name: &str, in_module: bool) -> Result<(), String> {
        let values = self.values;
        // Classes with `__slots__` have a tuple of their attributes and the slots.
        let state = match object.state.map(|state| (state, values.items(state))) {
            Some((_, Some([first, ..]))) => Some(*first),
            Some((state, _)) => Some(state),
            None => None,
        };
        let table = |table: &str| match values.get(values.entry(state?, table)?) {
            Value::Dict(items) => Some(items.as_slice()),
            _ => None,
        };
        let tables = (table("_parameters"), table("_buffers"), table("_modules"));
        let (Some(parameters), Some(buffers), Some(modules)) = tables else {
            self.open(name, in_module);
            self.items(&object.items, name, false, &[])?;
            return match state.map(|state| values.get(state)) {
                Some(Value::Dict(items)) => self.items(items, name, false, &[]),
                _ => Ok(()),
            };
        };
        // A state_dict leaves these out.
        let passing = state.and_then(|state| values.entry(state, "_non_persistent_buffers_set"));
        let passing = passing
            .and_then(|list| values.items(list))
            .unwrap_or_default();
        let passing: Vec<String> = passing.iter().filter_map(|&id| values.text(id)).collect();
        self.open(name, in_module);
        self.items(parameters, name, true, &[])?;
        self.items(buffers, name, true, &passing)?;
        self.items(modules, name, true, &[])
    }

    fn items(
        &mut self,
        items: &[(Id, Id)],
        name: &str,
        in_module: bool,
        without: &[String],
    ) -> Result<(), String> {
        for &(key, value) in items {
            if let Some(key) = self.values.text(key)
                && !without.contains(&key)
            {
                self.visit(value, &joined(name, &key)?, in_module)?;
            }
        }
        Ok(())
    }

    /// Notes a dictionary, or a module that is in no other.
    fn open(&mut self, name: &str, in_module: bool) {
        // The whole file is one from the start.
        let is_new = !in_module && !name.is_empty();
        if is_new && self.saved.dictionaries.len() < MAX_DICTIONARIES {
            self.name_bytes += name.len();
            self.saved.dictionaries.push(name.to_string());
        }
    }

    /// Adds a tensor; a dictionary keeps the last value of a key, in the place of the first.
    fn keep(&mut self, name: &str, tensor: Stored) {
        let next = self.saved.tensors.len();
        let place = *self.places.entry(name.to_string()).or_insert(next);
        match self.saved.tensors.get_mut(place) {
            Some(entry) => entry.1 = tensor,
            None => {
                self.name_bytes += name.len();
                self.saved.tensors.push((name.to_string(), tensor));
            }
        }
    }
}

/// A name below another.
fn joined(name: &str, key: &str) -> Result<String, String> {
    if name.len() + key.len() > MAX_NAME_BYTES {
        return Err("it has names of more than a thousand letters".into());
    }
    Ok(if name.is_empty() {
        key.to_string()
    } else {
        format!("{name}.{key}")
    })
}
