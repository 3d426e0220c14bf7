//! Where the tensors that a pickle describes have their numbers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::legacy;
use super::value::{Element, Id, Place, Storage, Value, Values, View};
use crate::weights::formats::saved::Stored;
use crate::weights::formats::source::{Region, Source};
use crate::weights::formats::tensor::FileTensor;

/// Finds the bytes of a storage by its name.
pub type Find<'a> = dyn Fn(&str) -> Result<Region, String> + 'a;

/// Finds the numbers of tensors.
pub struct Resolver<'a> {
    values: &'a Values,
    find: &'a Find<'a>,
    /// Files inside the pickle that were read before, by their address.
    packed: RefCell<HashMap<*const u8, (Storage, Region)>>,
}

impl<'a> Resolver<'a> {
    pub fn new(values: &'a Values, find: &'a Find<'a>) -> Self {
        Self {
            values,
            find,
            packed: RefCell::default(),
        }
    }

    /// The tensor that a value is, or `None` if it is none. The error is one problem without a name.
    pub fn tensor(&self, id: Id) -> Result<Option<Stored>, String> {
        match self.values.get(id) {
            Value::Tensor(view) => self.view(view).map(Some),
            Value::Unreadable(kind) => Ok(Some(Stored::Unreadable(*kind))),
            _ => Ok(None),
        }
    }

    fn view(&self, view: &View) -> Result<Stored, String> {
        let Value::Storage(storage) = self.values.get(view.storage) else {
            return Err("a tensor without a storage".into());
        };
        let (storage, region) = match &storage.place {
            Place::Packed(bytes) => self.unpacked(bytes)?,
            Place::Key(key) => ((**storage).clone(), (self.find)(key)?),
        };
        let dtype = match (storage.element, view.element) {
            (Element::Unreadable(kind, _), _) | (_, Some(Element::Unreadable(kind, _))) => {
                return Ok(Stored::Unreadable(kind));
            }
            (Element::Known(dtype), None) | (Element::Untyped, Some(Element::Known(dtype))) => {
                dtype
            }
            (Element::Known(stored), Some(Element::Known(dtype))) if stored == dtype => dtype,
            _ => return Err("a tensor of other numbers than its storage's".into()),
        };
        let needed = storage.count.checked_mul(storage.element.size());
        if needed.is_none_or(|needed| needed as u64 > region.length) {
            return Err("a storage is shorter than described".into());
        }
        let offset = view.offset.checked_add(storage.skipped);
        let offset = offset.ok_or("a tensor begins beyond the end of its storage")?;
        let (shape, strides) = (view.shape.clone(), view.strides.clone());
        FileTensor::new(dtype, shape, strides, offset, region).map(Stored::Tensor)
    }

    /// The one storage in a file that stands inside the pickle. Such a file can't hold another one.
    fn unpacked(&self, bytes: &Arc<[u8]>) -> Result<(Storage, Region), String> {
        if let Some(known) = self.packed.borrow().get(&bytes.as_ptr()) {
            return Ok(known.clone());
        }
        let file = legacy::read(&Arc::new(Source::Memory(Arc::clone(bytes))))?;
        let found = match file.values.get(file.root) {
            Value::Storage(storage) => match &storage.place {
                Place::Key(key) => file.storages.get(key).map(|region| (storage, region)),
                Place::Packed(_) => None,
            },
            _ => None,
        };
        let (storage, region) = found.ok_or("a storage inside the pickle can't be read")?;
        let found = ((**storage).clone(), region.clone());
        self.packed
            .borrow_mut()
            .insert(bytes.as_ptr(), found.clone());
        Ok(found)
    }
}
