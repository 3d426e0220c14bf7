//! Which format an image file has: its content decides, its extension only whether a folder's file is taken for an image.

use std::path::Path;

/// A format that kiln decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    WebP,
    Gif,
    Bmp,
    Tiff,
    Pnm,
    Qoi,
}

/// The formats by name, for messages and help texts.
pub const FORMATS: &str = "PNG, JPEG, WebP, GIF, BMP, TIFF, PNM and QOI";

/// Extensions of the image files in a folder, in lower case. `jfif`, `jpe` and `mpo` (several pictures of one camera, of which
/// the first is read) are JPEG, `dib` is BMP.
const EXTENSIONS: [&str; 18] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "mpo", "webp", "gif", "bmp", "dib", "tif", "tiff", "pnm",
    "pbm", "pgm", "ppm", "pam", "qoi",
];

/// Whether a file has the extension of a supported image format.
pub fn has_image_extension(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    let is_known = |known: &&str| extension.eq_ignore_ascii_case(known);
    EXTENSIONS.iter().any(is_known)
}

/// Bytes at the start of a file that tell its format.
pub const SIGNATURE_BYTES: usize = 16;

/// Whether a file that starts with these bytes ([`SIGNATURE_BYTES`] suffice) is in a supported image format.
pub fn has_image_signature(start: &[u8]) -> bool {
    format_of(start).is_some()
}

/// Whether a file that starts with these bytes is a TIFF, which may hold several images.
pub fn is_tiff(start: &[u8]) -> bool {
    format_of(start) == Some(Format::Tiff)
}

/// The format of a file, or what it is instead and how it is converted.
pub(super) fn recognize(bytes: &[u8]) -> Result<Format, String> {
    if let Some(format) = format_of(bytes) {
        return Ok(format);
    }
    if bytes.starts_with(b"%PDF") {
        return Err(format!("this is a PDF file, not an image; {PDF_ADVICE}"));
    }
    let foreign = FOREIGN.iter().find(|foreign| (foreign.matches)(bytes));
    Err(foreign.map_or_else(
        || format!("unrecognized image format; kiln reads {FORMATS} files"),
        Foreign::problem,
    ))
}

/// The format by the signature at the start of the file.
fn format_of(bytes: &[u8]) -> Option<Format> {
    let at = |place: usize, text: &[u8]| bytes.get(place..).is_some_and(|b| b.starts_with(text));
    let found = [
        (Format::Png, at(0, b"\x89PNG\r\n\x1a\n")),
        (Format::Jpeg, at(0, b"\xff\xd8\xff")),
        (Format::WebP, at(0, b"RIFF") && at(8, b"WEBP")),
        (Format::Gif, at(0, b"GIF87a") || at(0, b"GIF89a")),
        (Format::Bmp, is_bmp(bytes)),
        // The second of each is BigTIFF.
        (
            Format::Tiff,
            at(0, b"II\x2a\0") || at(0, b"MM\0\x2a") || at(0, b"II\x2b\0") || at(0, b"MM\0\x2b"),
        ),
        (Format::Pnm, is_pnm(bytes)),
        (Format::Qoi, at(0, b"qoif")),
    ];
    found
        .into_iter()
        .find_map(|(format, is_it)| is_it.then_some(format))
}

/// `BM`, and at 6 four reserved bytes, which are zero; so that no text counts as a BMP.
fn is_bmp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4])
}

/// `P1` to `P7`, then white space.
fn is_pnm(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'1'..=b'7', space, ..] if space.is_ascii_whitespace())
}

/// What to do about a PDF where images are wanted.
const PDF_ADVICE: &str = if cfg!(feature = "pdf") {
    "convert its pages with `pdftoppm -r 300 -png in.pdf page` (`kiln ocr` and `kiln segment` read PDF files)"
} else {
    "convert its pages with `pdftoppm -r 300 -png in.pdf page`, or build kiln with `cargo build --release --features pdf`, whose \
     `kiln ocr` and `kiln segment` read PDF files"
};

/// Something else that lies among images, with what helps.
struct Foreign {
    name: &'static str,
    /// In lower case.
    extensions: &'static [&'static str],
    matches: fn(&[u8]) -> bool,
    advice: &'static str,
}

impl Foreign {
    fn problem(&self) -> String {
        format!(
            "this is {}, which kiln does not read; {}",
            self.name, self.advice
        )
    }
}

/// The brand of an ISO base media file (ISO/IEC 14496-12, 4.3): `ftyp` at 4, the brand at 8.
fn has_brand(bytes: &[u8], brands: &[&[u8; 4]]) -> bool {
    let brand = bytes.get(8..12).unwrap_or_default();
    bytes.get(4..8) == Some(b"ftyp") && brands.iter().any(|known| *known == brand)
}

/// Whether the file starts with `word`, after white space and in any case.
fn is_text(bytes: &[u8], word: &str) -> bool {
    let start = bytes.trim_ascii_start();
    let found = start.get(..word.len()).unwrap_or_default();
    found.eq_ignore_ascii_case(word.as_bytes())
}

const FOREIGN: &[Foreign] = &[
    Foreign {
        name: "a HEIC image",
        extensions: &["heic", "heif", "hif"],
        matches: |b| {
            has_brand(
                b,
                &[
                    b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1",
                ],
            )
        },
        advice: "convert it with `heif-convert in.heic out.jpg`",
    },
    Foreign {
        name: "an AVIF image",
        extensions: &["avif", "avifs"],
        matches: |b| has_brand(b, &[b"avif", b"avis"]),
        advice: "convert it with `avifdec in.avif out.png`",
    },
    Foreign {
        name: "a JPEG XL image",
        extensions: &["jxl"],
        matches: |b| b.starts_with(b"\xff\x0a") || b.starts_with(b"\0\0\0\x0cJXL "),
        advice: "convert it with `djxl in.jxl out.png`",
    },
    Foreign {
        name: "a JPEG 2000 image",
        extensions: &["jp2", "j2k", "jpf", "jpx"],
        matches: |b| b.starts_with(b"\0\0\0\x0cjP  ") || b.starts_with(b"\xff\x4f\xff\x51"),
        advice: "convert it with `magick in.jp2 out.png`",
    },
    Foreign {
        name: "a camera raw file",
        extensions: &["cr2", "cr3", "nef", "arw", "dng", "orf", "rw2", "raf"],
        matches: |b| has_brand(b, &[b"crx "]) || b.starts_with(b"FUJIFILMCCD-RAW"),
        advice: "convert it with `darktable-cli in.raw out.jpg`",
    },
    Foreign {
        name: "a Photoshop file",
        extensions: &["psd"],
        matches: |b| b.starts_with(b"8BPS"),
        advice: "convert it with `magick 'in.psd[0]' out.png`",
    },
    Foreign {
        name: "an icon file",
        extensions: &["ico", "cur"],
        matches: |b| b.starts_with(b"\0\0\x01\0") || b.starts_with(b"\0\0\x02\0"),
        advice: "convert it with `magick in.ico out.png`",
    },
    Foreign {
        name: "an OpenEXR, Radiance HDR or DPX image",
        extensions: &["exr", "hdr", "dpx"],
        matches: |b| b.starts_with(b"\x76\x2f\x31\x01") || b.starts_with(b"#?RADIANCE"),
        advice: "convert it with `magick in.exr out.png`",
    },
    Foreign {
        name: "a Targa image",
        extensions: &["tga"],
        // Without a signature at its start.
        matches: |_| false,
        advice: "convert it with `magick in.tga out.png`",
    },
    Foreign {
        name: "a PDF file",
        extensions: &["pdf"],
        // `recognize` has another message for it, because some commands read it.
        matches: |_| false,
        advice: PDF_ADVICE,
    },
    Foreign {
        name: "an SVG drawing",
        extensions: &["svg", "svgz"],
        matches: |b| is_text(b, "<svg") || is_text(b, "<?xml"),
        advice: "convert it with `rsvg-convert in.svg -o out.png`",
    },
    Foreign {
        name: "a web page",
        extensions: &["html", "htm"],
        matches: |b| is_text(b, "<!doctype html") || is_text(b, "<html"),
        advice: "a download probably failed: download the image again",
    },
    Foreign {
        name: "a Git LFS pointer",
        extensions: &[],
        matches: |b| b.starts_with(b"version https://git-lfs"),
        advice: "`git lfs pull` fetches the image",
    },
];

/// What to do about a file whose extension is that of images that kiln does not read: a command that converts it.
pub fn conversion(extension: &str) -> Option<&'static str> {
    let extension = extension.to_ascii_lowercase();
    let foreign = FOREIGN
        .iter()
        .find(|foreign| foreign.extensions.contains(&extension.as_str()))?;
    Some(foreign.advice)
}
