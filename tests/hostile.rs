//! The limits of the readers of untrusted files: what exceeds them is rejected with a message and before it fills the memory, what
//! is within still works. tests/bad_inputs has whole files with their messages, tests/fuzz arbitrary bytes.

use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use kiln::archive::{self, Format, UnpackError};
use kiln::config;
use kiln::data::formats::lines::{Limits, Lines};
use kiln::progress::Monitor;
use kiln::{files, photo};

// ---- Texts ----

const LIMITS: Limits = Limits { line: 8, file: 20 };

/// The lines of a text until its end or an error.
fn lines(text: &[u8]) -> Result<Vec<(usize, String)>, String> {
    let mut lines = Lines::new(Cursor::new(text), &LIMITS);
    let mut found = Vec::new();
    while let Some(line) = lines.next_line()? {
        found.push((line.number, line.text.to_string()));
    }
    Ok(found)
}

#[test]
fn lines_within_the_limits_have_numbers_and_line_ends() {
    let found = lines(b"one\n\n1234567\nlast").unwrap();
    let expected = [(1, "one\n"), (2, "\n"), (3, "1234567\n"), (4, "last")];
    assert_eq!(
        found,
        expected.map(|(number, text)| (number, text.to_string()))
    );
    assert_eq!(lines(b"").unwrap(), []);
}

#[test]
fn too_long_lines_and_files_and_invalid_text_are_rejected_with_the_line_number() {
    let text = lines(b"one\n123456789\n").unwrap_err();
    assert_eq!(text, "line 2: longer than the maximum of 8 bytes per line");
    let text = lines(&b"1234567\n".repeat(3)).unwrap_err();
    assert_eq!(text, "line 3: the file unpacks to more than 20 bytes");
    let text = lines(b"one\n\xff\n").unwrap_err();
    assert!(text.starts_with("line 2: invalid utf-8"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_endless_device_is_read_up_to_the_limit_and_rejected() {
    let text = files::read(Path::new("/dev/zero"), 1000)
        .unwrap_err()
        .to_string();
    assert!(text.contains("limit of 1000 bytes"), "{text}");
    assert!(
        files::read(Path::new("/dev/null"), 1000)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn at_most_fifty_problems_are_shown() {
    let keys: Vec<String> = (0..400).map(|i| format!("\"unknown{i}\": {i}")).collect();
    let text = format!(
        r#"{{"data": {{"kind": "glyphs"}}, "model": {{"kind": "mlp"}}, {}}}"#,
        keys.join(", ")
    );
    let error = config::parse(&text, Path::new("many.json"), &[])
        .unwrap_err()
        .to_string();
    assert_eq!(error.lines().count(), 51);
    assert!(
        error.ends_with("many.json: and 350 more problems"),
        "{error}"
    );
}

// ---- Archives ----

/// Unpacks a tar archive, each file under the last part of its name.
fn unpacked(packed_files: &[u8]) -> Result<Vec<PathBuf>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    let mut packed =
        flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
    std::io::copy(&mut Cursor::new(packed_files), &mut packed).unwrap();
    packed.finish().unwrap();
    let to = folder.path().join("to");
    std::fs::create_dir(&to).unwrap();
    let place = |parts: &[&str]| parts.last().map(PathBuf::from);
    let limits = archive::Limits::of_length(packed_files.len() as u64);
    let stage = Monitor::default().stage("unpacking", None);
    let mut file = File::open(&path).unwrap();
    match archive::unpack(&mut file, Format::TarGz, &to, &place, limits, &stage) {
        Err(UnpackError::Archive(problem)) => return Err(problem),
        Err(UnpackError::Write(error)) => panic!("{error}"),
        Err(UnpackError::Cancelled(_)) => panic!("nobody cancels"),
        Ok(()) => {}
    }
    let names = std::fs::read_dir(&to).unwrap();
    let mut names: Vec<PathBuf> = names
        .map(|entry| entry.unwrap().file_name().into())
        .collect();
    names.sort();
    Ok(names)
}

fn tar_of(fill: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    fill(&mut archive);
    archive.into_inner().unwrap()
}

fn add(archive: &mut tar::Builder<Vec<u8>>, name: &str) {
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    archive.append_data(&mut header, name, &b"hi"[..]).unwrap();
}

#[test]
fn tar_names_in_separate_entries_are_read() {
    let long = format!("{}long.bin", "folder/".repeat(30));
    let found = unpacked(&tar_of(|archive| {
        add(archive, &long);
        archive
            .append_pax_extensions([("mtime", &b"1.5"[..]), ("path", b"far/away.bin")])
            .unwrap();
        add(archive, "near.bin");
        add(archive, "own.bin");
    }));
    let expected = ["away.bin", "long.bin", "own.bin"].map(PathBuf::from);
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn a_tar_name_in_a_separate_entry_stays_in_the_folder_and_has_a_limit() {
    let outside = unpacked(&tar_of(|archive| {
        archive
            .append_pax_extensions([("path", &b"../../away.bin"[..])])
            .unwrap();
        add(archive, "near.bin");
    }));
    assert!(
        outside
            .unwrap_err()
            .contains("points outside the target folder")
    );
    for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader] {
        let endless = unpacked(&tar_of(|archive| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(40 << 20);
            header.set_cksum();
            archive.append(&header, &vec![b'a'; 40 << 20][..]).unwrap();
            add(archive, "near.bin");
        }));
        assert!(
            endless
                .unwrap_err()
                .contains("an entry name of more than 64 KiB")
        );
    }
}

// ---- Images ----

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(kind);
    checksum.update(content);
    let length = (content.len() as u32).to_be_bytes();
    [&length[..], kind, content, &checksum.sum().to_be_bytes()].concat()
}

/// A PNG that claims `side` x `side` colour pixels, has none, and has an EXIF orientation.
fn png(side: u32, orientation: u8) -> Vec<u8> {
    let mut size = [side; 2].map(u32::to_be_bytes).concat();
    size.extend([8, 2, 0, 0, 0]);
    let exif = [
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec(),
        vec![orientation, 0, 0, 0, 0, 0, 0],
    ];
    let parts = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &size),
        chunk(b"eXIf", &exif.concat()),
        chunk(b"IDAT", &[]),
        chunk(b"IEND", &[]),
    ];
    parts.concat()
}

#[test]
fn an_image_to_be_rotated_may_have_half_the_pixels() {
    let message = |side, orientation| {
        let error = photo::decode(&png(side, orientation), Path::new("page.png"));
        error.unwrap_err().to_string()
    };
    // 432 MB alone, 864 MB with its rotated copy, and no content.
    for orientation in [1, 6] {
        let text = message(12_000, orientation);
        assert!(!text.contains("to decode; the limit"), "{text}");
    }
    assert!(!message(17_000, 1).contains("to decode; the limit"));
    let text = message(17_000, 6);
    assert!(
        text.contains("17000x17000 pixels in Rgb8 need 1734 MB to decode; the limit is 900 MB"),
        "{text}"
    );
    assert!(text.contains("downscale the image"), "{text}");
}
