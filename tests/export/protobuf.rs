//! ONNX files by hand, field by field: <https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto>.

/// A number of variable length.
fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field with a number.
pub fn count(field: u64, value: u64) -> Vec<u8> {
    [number(field << 3), number(value)].concat()
}

/// A field with bytes.
pub fn bytes(field: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    [
        number(field << 3 | 2),
        number(content.len() as u64),
        content.to_vec(),
    ]
    .concat()
}

/// An operator.
pub fn node(kind: &str, domain: &str, inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|name| bytes(1, name));
    let outputs = outputs.iter().flat_map(|name| bytes(2, name));
    let named = [bytes(4, kind), bytes(7, domain)].concat();
    inputs.chain(outputs).chain(named).collect()
}

/// An input or output of a type of numbers; 0 is a side of any length.
pub fn port(name: &str, elements: u64, shape: &[u64]) -> Vec<u8> {
    let sides = shape.iter().flat_map(|&side| {
        let side = if side == 0 {
            bytes(2, "n")
        } else {
            count(1, side)
        };
        bytes(1, side)
    });
    let tensor = [count(1, elements), bytes(2, sides.collect::<Vec<u8>>())].concat();
    [bytes(1, name), bytes(2, bytes(1, tensor))].concat()
}

/// A model of nodes, inputs and outputs.
pub fn model(nodes: &[Vec<u8>], inputs: &[Vec<u8>], outputs: &[Vec<u8>]) -> Vec<u8> {
    let fields = |field: u64, parts: &[Vec<u8>]| -> Vec<u8> {
        parts.iter().flat_map(|part| bytes(field, part)).collect()
    };
    let graph = [
        fields(1, nodes),
        bytes(2, "main"),
        fields(11, inputs),
        fields(12, outputs),
    ]
    .concat();
    [count(1, 8), bytes(7, &graph), bytes(8, count(2, 17))].concat()
}
