//! What the calls in a pickle stand for. Nothing is called: the few that rebuild tensors, dictionaries and parameters are known by
//! name, and every other becomes an object of which only the parts are kept.

use std::sync::Arc;

use super::elements;
use super::value::{Element, Id, Object, Place, Storage, Value, Values, View};
use crate::weights::formats::saved::Unreadable;

/// What `callable(*arguments)` stands for.
pub fn call(values: &mut Values, callable: Id, arguments: Id) -> Result<Id, String> {
    let (mut callable, mut arguments) = (callable, arguments);
    // _rebuild_from_type_v2(function, type, arguments, state) is function(*arguments).
    while values.global(callable) == Some("torch._tensor._rebuild_from_type_v2") {
        match values.items(arguments) {
            Some(&[function, _, inner, ..]) => (callable, arguments) = (function, inner),
            _ => return Ok(values.add(Value::Unreadable(Unreadable::Subclass))),
        }
    }
    let name = values.global(callable).unwrap_or_default().to_string();
    let first = values
        .items(arguments)
        .and_then(|items| items.first().copied());
    if let Some(made) = container(values, &name, first) {
        return Ok(made);
    }
    let value = match name.strip_prefix("torch._utils.").unwrap_or(&name) {
        "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3" => {
            tensor(values, arguments)?
        }
        "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor" => {
            Value::Unreadable(Unreadable::Sparse)
        }
        "_rebuild_qtensor" => Value::Unreadable(Unreadable::Quantized),
        "_rebuild_nested_tensor" => Value::Unreadable(Unreadable::Nested),
        "_rebuild_meta_tensor_no_storage" => Value::Unreadable(Unreadable::WithoutValues),
        "_rebuild_wrapper_subclass" => Value::Unreadable(Unreadable::Subclass),
        // How `pickle` itself, without torch.save, keeps a storage: as a file within the file.
        "torch.storage._load_from_bytes" => packed_storage(values, first)?,
        "_codecs.encode" => encoded(values, first),
        name if name.starts_with("numpy.") && name.ends_with("._reconstruct") => {
            Value::Unreadable(Unreadable::Numpy)
        }
        // torch.fx keeps the attributes of a module as an argument.
        name if name.starts_with("torch.fx.") => Value::Object(Box::new(Object {
            state: first,
            items: Vec::new(),
        })),
        _ => Value::Object(Box::default()),
    };
    Ok(values.add(value))
}

/// Calls that return their first argument, or a container of its items.
fn container(values: &mut Values, name: &str, first: Option<Id>) -> Option<Id> {
    match name {
        "collections.OrderedDict"
        | "builtins.dict"
        | "__builtin__.dict"
        | "collections.defaultdict" => {
            let items = first
                .and_then(|list| values.items(list))
                .unwrap_or_default();
            let pairs = items.iter().filter_map(|&pair| match values.items(pair) {
                Some(&[key, value]) => Some((key, value)),
                _ => None,
            });
            let dict = Value::Dict(pairs.collect());
            Some(values.add(dict))
        }
        "builtins.set" | "__builtin__.set" | "builtins.frozenset" | "builtins.list" => {
            let list = first.filter(|&list| values.items(list).is_some());
            Some(list.unwrap_or_else(|| values.add(Value::List(Vec::new()))))
        }
        "torch._utils._rebuild_parameter"
        | "torch._utils._rebuild_parameter_with_state"
        | "torch.nn.parameter.Parameter"
        | "torch.nn.parameter.Buffer"
        // A whole module after torch.compile.
        | "torch._dynamo.eval_frame.OptimizedModule" => first,
        _ => None,
    }
}

/// What a persistent id stands for: a storage, or in older files the class of a module with its source code.
pub fn persistent(values: &mut Values, id: Id) -> Result<Id, String> {
    let fields = values.items(id).unwrap_or_default().to_vec();
    let kind = fields.first().and_then(|&kind| values.text(kind));
    match (kind.as_deref(), fields.as_slice()) {
        (Some("module"), &[_, class, ..]) => Ok(class),
        (Some("storage"), &[_, class, key, _, count, ref view @ ..]) => {
            let storage = storage(values, class, key, count, view.first().copied())?;
            Ok(values.add(Value::Storage(Box::new(storage))))
        }
        _ => Err("a pickle refers to something outside that is not a storage".into()),
    }
}

/// `('storage', class, key, location, count, view)`; a view of older files is `(key, offset, count)`.
fn storage(
    values: &Values,
    class: Id,
    key: Id,
    count: Id,
    view: Option<Id>,
) -> Result<Storage, String> {
    let wrong = || "a storage of the pickle is not described as torch.save does".to_string();
    let class = values
        .global(class)
        .map(String::from)
        .or(values.text(class));
    let class = class.ok_or_else(wrong)?;
    let element = elements::of_storage(class.rsplit('.').next().unwrap_or_default());
    let key = values.text(key).ok_or_else(wrong)?;
    let count = values.size(count).ok_or_else(wrong)?;
    let skipped = match view.and_then(|view| values.items(view)) {
        Some(&[_, offset, _]) => values.size(offset).ok_or_else(wrong)?,
        _ => 0,
    };
    Ok(Storage {
        place: Place::Key(key),
        element: element.ok_or_else(|| format!("storages of the type {class} are unknown"))?,
        count,
        skipped,
    })
}

/// `_rebuild_tensor(storage, offset, shape, strides)`; later versions append arguments, the third the type of the numbers.
fn tensor(values: &Values, arguments: Id) -> Result<Value, String> {
    let wrong = || "a tensor of the pickle is not described as torch.save does".to_string();
    let items = values.items(arguments).unwrap_or_default();
    let &[storage, offset, shape, strides, ref rest @ ..] = items else {
        return Err(wrong());
    };
    if !matches!(values.get(storage), Value::Storage(_)) {
        return Ok(Value::Unreadable(Unreadable::Subclass));
    }
    let named = rest.get(2).and_then(|&dtype| values.global(dtype));
    let sizes = |list: Id| -> Option<Vec<usize>> {
        let sizes = values.items(list)?.iter();
        sizes.map(|&size| values.size(size)).collect()
    };
    Ok(Value::Tensor(Box::new(View {
        storage,
        element: named.and_then(elements::of_dtype),
        offset: values.size(offset).ok_or_else(wrong)?,
        shape: sizes(shape).ok_or_else(wrong)?,
        strides: sizes(strides).ok_or_else(wrong)?,
    })))
}

fn packed_storage(values: &Values, bytes: Option<Id>) -> Result<Value, String> {
    match bytes.map(|bytes| values.get(bytes)) {
        Some(Value::Bytes(bytes)) => Ok(Value::Storage(Box::new(Storage {
            place: Place::Packed(Arc::clone(bytes)),
            element: Element::Untyped,
            count: 0,
            skipped: 0,
        }))),
        _ => Err("a storage inside the pickle has no bytes".into()),
    }
}

/// `_codecs.encode(text, "latin1")`: how older protocols keep bytes.
fn encoded(values: &Values, text: Option<Id>) -> Value {
    let Some(Value::Text(text)) = text.map(|text| values.get(text)) else {
        return Value::Plain;
    };
    let bytes = text.chars().map(|letter| u8::try_from(u32::from(letter)));
    match bytes.collect::<Result<Vec<u8>, _>>() {
        Ok(bytes) => Value::Bytes(bytes.into()),
        Err(_) => Value::Plain,
    }
}
