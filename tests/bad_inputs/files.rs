//! The files that the table of bad inputs names, in a folder of its own.

use std::fs::File;
use std::io::Write;

use crate::common::{Bench, SMALL, repository};

/// A minimal JPEG of a grey square, made by the image crate.
fn jpeg() -> Vec<u8> {
    let image = image::RgbImage::from_fn(64, 48, |x, y| {
        image::Rgb([(x * 4) as u8, (y * 5) as u8, 90])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

/// A folder with everything that the cases name.
pub fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.output("train small.json --run-dir run --set training.epochs=1");
    bench.output("data page --text PAGE page.png");
    wrong_configs(&bench);
    damaged_data(&bench);
    damaged_runs(&bench);
    image_folders(&bench);
    hostile_configs(&bench);
    hostile_images(&bench);
    hostile_data(&bench);
    hostile_weights(&bench);
    bench
}

fn wrong_configs(bench: &Bench) {
    bench.write("misspelt.json", SMALL.replace("epochs", "epcohs"));
    bench.write(
        "small_images.json",
        SMALL.replace("\"train\": 1440", "\"size\": 16, \"train\": 1440"),
    );
    bench.write(
        "nameless.json",
        r#"{"data": {"kind": "image_folder"}, "model": {"kind": "cnn"}}"#,
    );
    bench.write("truth.json", r#"{"other.png": ["PAGE"]}"#);
    bench.write("broken.json", r#"{"page.png": ["PAGE","#);
    bench.write(
        "twice.json",
        r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}, "training": {"epochs": 5, "epochs": 6}}"#,
    );
}

fn damaged_data(bench: &Bench) {
    for folder in ["nowhere", "text", "cut"] {
        let name = match folder {
            "nowhere" => "nowhere.json".to_string(),
            other => format!("{other}_mat.json"),
        };
        let path = bench.path(folder).display().to_string();
        bench.write(
            &name,
            serde_json::json!({"data": {"kind": "nist36", "folder": path}, "model": {"kind": "mlp"}}).to_string(),
        );
    }
    bench.write(
        "text/nist36_train.mat",
        "this is a text file, and long enough to have a header of 128 bytes. ".repeat(8),
    );
    let mut header = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".to_vec();
    header.resize(124, b' ');
    header.extend([0x00, 0x01, b'I', b'M']);
    header.extend([15, 0, 0, 0, 0x40, 0x42, 0x0f, 0, 0x78, 0x9c]);
    bench.write("cut/nist36_train.mat", header);
    bench.write("notes.png", "these are notes");
    bench.write("hollow.png", "");
    let whole = jpeg();
    bench.write("cut.jpg", &whole[..whole.len() * 2 / 3]);
}

fn damaged_runs(bench: &Bench) {
    std::fs::create_dir(bench.path("empty")).unwrap();
    bench.write("halfway/config.json", bench.read("run/config.json"));
    bench.write("damaged/config.json", bench.read("run/config.json"));
    let mut model = bench.read("run/model.safetensors");
    model.truncate(model.len() / 2);
    bench.write("damaged/model.safetensors", model);
}

/// A folder with an image that is not one, a folder with a single class, and a config of a folder that does not exist.
fn image_folders(bench: &Bench) {
    for name in ["folder/A", "folder/B", "lonely/A"] {
        for number in 0..12 {
            bench.write(&format!("{name}/{number}.png"), bench.read("page.png"));
        }
    }
    bench.write("folder/B/2.png", "not a picture");
    for name in ["folder", "lonely", "absent"] {
        let config = serde_json::json!({
            "data": {"kind": "image_folder", "folder": bench.path(name), "split": {"by": "number", "divisor": 3}},
            "model": {"kind": "mlp"},
        });
        bench.write(&format!("{name}.json"), config.to_string());
    }
}

// ---- Files that are meant to do harm ----

fn hostile_configs(bench: &Bench) {
    bench.write("nothing.json", "");
    bench.write("list.json", "[1, 2]");
    bench.write("latin.json", b"{\"name\": \"caf\xe9\"}");
    bench.write("long.json", format!("{SMALL}{}", " ".repeat(2 << 20)));
    bench.write("deep.json", "[".repeat(10_000));
    bench.write("twofold.json", format!("{SMALL}{SMALL}"));
    bench.write("infinite.json", SMALL.replace("3e-3", "3e+999"));
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(kind);
    checksum.update(content);
    let length = (content.len() as u32).to_be_bytes();
    let sum = checksum.sum().to_be_bytes();
    [&length[..], kind, content, &sum].concat()
}

/// Writes the same byte `count` times, in small blocks: the memory of this process is measured with that of the programs that it
/// starts.
fn repeat(file: &mut impl Write, byte: u8, count: usize) {
    let block = [byte; 1 << 16];
    let mut left = count;
    while left > 0 {
        let now = left.min(block.len());
        file.write_all(&block[..now]).unwrap();
        left -= now;
    }
}

/// A PNG with 20 kB of compressed pixels that claims many more.
fn huge_png() -> Vec<u8> {
    let mut size = [60_000u32; 2].map(u32::to_be_bytes).concat();
    // 8 bits, RGB, and the only methods of compression and filtering; no interlacing.
    size.extend([8, 2, 0, 0, 0]);
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    repeat(&mut zlib, 0, 20 << 20);
    let parts = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &size),
        chunk(b"IDAT", &zlib.finish().unwrap()),
        chunk(b"IEND", b""),
    ];
    parts.concat()
}

/// A small progressive JPEG whose header claims 65500x65500 pixels.
fn huge_jpeg() -> Vec<u8> {
    let corpus = repository().join("tests/corpus/image/progressive-444.jpg");
    let mut bytes = std::fs::read(corpus).unwrap();
    let frame = bytes
        .windows(2)
        .position(|pair| pair == [0xff, 0xc2])
        .unwrap();
    // Length (2 bytes) and precision come first.
    for at in [frame + 5, frame + 7] {
        bytes[at..at + 2].copy_from_slice(&65_500u16.to_be_bytes());
    }
    bytes
}

fn hostile_images(bench: &Bench) {
    bench.write("huge.png", huge_png());
    bench.write("huge.jpg", huge_jpeg());
    bench.write("picture.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    for class in ["A", "B"] {
        for number in 0..12 {
            let name = format!("huge_folder/{class}/{number}.png");
            bench.write(&name, bench.read("page.png"));
        }
    }
    bench.write("huge_folder/A/3.png", huge_png());
    let config = serde_json::json!({
        "data": {"kind": "image_folder", "folder": bench.path("huge_folder"), "split": {"by": "number", "divisor": 3}},
        "model": {"kind": "mlp"},
    });
    bench.write("huge_folder.json", config.to_string());
}

/// A config for a data set of `kind` in the folder `name`.
fn config_of(bench: &Bench, kind: &str, name: &str) {
    let config = serde_json::json!({
        "data": {"kind": kind, "folder": bench.path(name)},
        "model": {"kind": "mlp"},
    });
    bench.write(&format!("{name}.json"), config.to_string());
}

/// A part of a MATLAB element: type, length, content, padding.
fn part(kind: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = [kind, content.len() as u32].map(u32::to_le_bytes).concat();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// A MATLAB file with one compressed variable, stored as bytes and read as doubles.
fn mat(name: &str, rows: u32, columns: u32) -> Vec<u8> {
    let words = |values: [u32; 2]| values.map(u32::to_le_bytes).concat();
    let count = rows * columns;
    let head = [
        part(6, &words([6, 0])),
        part(5, &words([rows, columns])),
        part(1, name.as_bytes()),
        words([2, count]),
    ];
    let head = head.concat();
    let padded = count.next_multiple_of(8);
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(&words([14, head.len() as u32 + padded]))
        .unwrap();
    zlib.write_all(&head).unwrap();
    repeat(&mut zlib, 0, padded as usize);
    let packed = zlib.finish().unwrap();
    let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
    bytes.resize(124, b' ');
    bytes.extend([0x00, 0x01, b'I', b'M']);
    bytes.extend([15, packed.len() as u32].map(u32::to_le_bytes).concat());
    bytes.extend(packed);
    bytes
}

/// Compresses a text behind a number of spaces.
fn gzip(spaces: usize, content: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    repeat(&mut packed, b' ', spaces);
    packed.write_all(content).unwrap();
    packed.finish().unwrap()
}

fn hostile_data(bench: &Bench) {
    let mut newer = b"MATLAB 7.3 MAT-file".to_vec();
    newer.resize(124, b' ');
    newer.extend([0x00, 0x02, b'I', b'M']);
    // 120 million bytes, a gigabyte of doubles.
    let files = [
        ("bomb_mat", mat("train_data", 120_000, 1_000)),
        ("hdf5_mat", newer),
        ("other_mat", mat("other", 2, 2)),
    ];
    for (name, bytes) in files {
        bench.write(&format!("{name}/nist36_train.mat"), bytes);
        config_of(bench, "nist36", name);
    }
    for (name, first) in [
        ("cut_cifar", vec![0; 5000]),
        ("classes_cifar", [vec![0; 3073], vec![11; 3073]].concat()),
        ("sparse_cifar", Vec::new()),
    ] {
        bench.write(&format!("{name}/data_batch_1.bin"), first);
        config_of(bench, "cifar10", name);
    }
    let sparse = File::create(bench.path("sparse_cifar/data_batch_1.bin")).unwrap();
    sparse.set_len(3073 * 1_000_000).unwrap();
    let letter = br#"{"c": "?", "q": "OK", "src": "one", "s": [[[0, 0], [0, 1000]]]}"#;
    for (name, bytes) in [
        ("bomb_unipen", gzip(300 << 20, letter)),
        ("plain_unipen", letter.to_vec()),
        ("letter_unipen", gzip(0, letter)),
        ("words_unipen", gzip(0, b"{\"c\": \"A\"}\n")),
    ] {
        bench.write(&format!("{name}/strokes.jsonl.gz"), bytes);
        config_of(bench, "unipen", name);
    }
}

/// A pickled list of `count` times None.
fn nones(file: &mut impl Write, count: usize) {
    file.write_all(b"\x80\x02(").unwrap();
    repeat(file, b'N', count);
    file.write_all(b"l.").unwrap();
}

/// A file as `torch.save` writes it, around a pickle.
fn torch(
    method: zip::CompressionMethod,
    program: impl FnOnce(&mut zip::ZipWriter<std::io::Cursor<Vec<u8>>>),
) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    zip.start_file("archive/data.pkl", options).unwrap();
    program(&mut zip);
    zip.start_file("archive/byteorder", options).unwrap();
    zip.write_all(b"little").unwrap();
    zip.finish().unwrap().into_inner()
}

fn hostile_weights(bench: &Bench) {
    // os.system("touch was-run") for a tensor.
    let program = b"\x80\x02}X\x01\x00\x00\x00acos\nsystem\nX\x0d\x00\x00\x00touch was-run\x85Rs.";
    let program = torch(zip::CompressionMethod::Stored, |zip| {
        zip.write_all(program).unwrap();
    });
    bench.write("program.pth", program);
    let packed = torch(zip::CompressionMethod::Deflated, |zip| {
        nones(zip, 100_000_000);
    });
    bench.write("packed.pth", packed);
    let mut plain = Vec::new();
    nones(&mut plain, 3_000_000);
    bench.write("nones.pth", plain);
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(3);
    tar.append_data(&mut header, "storages", &b"K\x00."[..])
        .unwrap();
    bench.write("tar.pth", tar.into_inner().unwrap());
    let tensors = |length: u64, end: usize| {
        let header = format!(
            "{{\"a\":{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[0,{end}]}}}}",
            end / 4
        );
        let length = if length == 0 {
            header.len() as u64
        } else {
            length
        };
        [&length.to_le_bytes()[..], header.as_bytes(), &[0; 8]].concat()
    };
    bench.write("header.safetensors", tensors(1 << 60, 8));
    bench.write("short.safetensors", tensors(0, 1 << 40));
    for name in ["sparse", "swollen", "broken_config"] {
        bench.write(
            &format!("{name}/config.json"),
            bench.read("run/config.json"),
        );
    }
    let sparse = File::create(bench.path("sparse/model.safetensors")).unwrap();
    sparse.set_len(5 << 30).unwrap();
    let model = bench.read("run/model.safetensors");
    let text = String::from_utf8_lossy(&model).into_owned();
    let at = text.find("[32]").expect("the width of the network");
    let mut swollen = model.clone();
    swollen[at..at + 4].copy_from_slice(b"[99]");
    bench.write("swollen/model.safetensors", swollen);
    bench.write("broken_config/config.json", "{\"data\": ");
    bench.write("broken_config/model.safetensors", model);
}
