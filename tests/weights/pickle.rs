//! Files as `torch.save` writes them, made by hand.

use std::io::Write;

use super::files::{Named, Precision, named};

/// A pickle as `torch.save` writes it (protocol 2), with the memory that its tensors lie in.
#[derive(Default)]
pub struct Pickle {
    pub program: Vec<u8>,
    pub storages: Vec<Vec<u8>>,
}

impl Pickle {
    pub fn text(&mut self, text: &str) {
        self.program.push(b'X');
        self.program.extend((text.len() as u32).to_le_bytes());
        self.program.extend(text.as_bytes());
    }

    pub fn global(&mut self, module: &str, name: &str) {
        self.program.extend(format!("c{module}\n{name}\n").bytes());
    }

    pub fn integer(&mut self, value: usize) {
        self.program.push(b'J');
        self.program.extend((value as i32).to_le_bytes());
    }

    pub fn integers(&mut self, values: &[usize]) {
        self.program.push(b'(');
        values.iter().for_each(|&value| self.integer(value));
        self.program.push(b't');
    }

    pub fn tensor(&mut self, shape: &[usize], storage: &str, bytes: Vec<u8>) {
        let count: usize = shape.iter().product();
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.program.extend(b"((");
        self.text("storage");
        self.global("torch", storage);
        self.text(&self.storages.len().to_string());
        self.text("cpu");
        self.integer(count);
        self.program.extend(b"tQ");
        self.integer(0);
        self.integers(shape);
        let strides: Vec<usize> = (1..=shape.len())
            .map(|from| shape[from..].iter().product())
            .collect();
        self.integers(&strides);
        self.program.push(0x89);
        self.global("collections", "OrderedDict");
        self.program.extend(b")RtR");
        self.storages.push(bytes);
    }

    /// A `state_dict`, with a batch norm's counter.
    pub fn dictionary(&mut self, tensors: &[Named], precision: Precision) {
        self.program.extend(b"}(");
        for (name, shape, values) in tensors {
            self.text(name);
            let bytes = values.iter().flat_map(|&value| precision.bytes(value));
            self.tensor(shape, precision.storage(), bytes.collect());
            if name.ends_with("running_var") {
                self.text(&name.replace("running_var", "num_batches_tracked"));
                self.tensor(&[], "LongStorage", 7i64.to_le_bytes().to_vec());
            }
        }
        self.program.push(b'u');
    }

    /// The whole file, a zip without compression.
    pub fn file(self) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let plain = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        let mut add = |name: &str, content: &[u8]| {
            zip.start_file(format!("archive/{name}"), plain).unwrap();
            zip.write_all(content).unwrap();
        };
        let program = [b"\x80\x02", self.program.as_slice(), b"."].concat();
        add("data.pkl", &program);
        add("byteorder", b"little");
        for (index, bytes) in self.storages.iter().enumerate() {
            add(&format!("data/{index}"), bytes);
        }
        add("version", b"3\n");
        zip.finish().unwrap().into_inner()
    }
}

pub fn torch_file(tensors: &[Named], precision: Precision) -> Vec<u8> {
    let mut pickle = Pickle::default();
    pickle.dictionary(tensors, precision);
    pickle.file()
}

/// As training scripts save: the weights under a name of their own, among other things.
pub fn nested_file(key: &str, tensors: &[Named]) -> Vec<u8> {
    let mut pickle = Pickle::default();
    pickle.program.extend(b"}(");
    pickle.text("epoch");
    pickle.integer(12);
    pickle.text(key);
    pickle.dictionary(tensors, Precision::F32);
    pickle.text("optimizer");
    pickle.dictionary(&[named("momentum", &[3], 9.0)], Precision::F32);
    pickle.program.push(b'u');
    pickle.file()
}
