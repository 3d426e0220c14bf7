//! Images of all kinds, and bad ones.

use crate::support::Case;
use crate::support::Expect::{Refused, Used};

const CAT_DOG: &[&str] = &["cat", "dog"];
const QUARTERS: [usize; 3] = [4, 2, 2];

pub const CASES: &[Case] = &[
    // ---- Images ----
    Case {
        name: "all formats, by all their names",
        keys: "",
        make: |f| {
            for (class, other) in [("cat", "dog"), ("dog", "cat")] {
                let names = [
                    ("rgb.jpg", "a.JPG"),
                    ("grey.jpe", "b.jpe"),
                    ("progressive.jfif", "c.jfif"),
                    ("two_pictures.mpo", "d.mpo"),
                    ("lossy.webp", "e.webp"),
                    ("animated.gif", "f.GIF"),
                    ("rgb.bmp", "g.bmp"),
                    ("fax.tif", "h.tif"),
                    ("two_pages.tif", "i.tiff"),
                    ("grey.pgm", "j.pgm"),
                    ("one_bit.pbm", "k.pbm"),
                    ("rgb.ppm", "l.ppm"),
                    ("rgb.qoi", "m.qoi"),
                    ("grey.dib", "n.dib"),
                    ("sixteen_bit.png", "o.png"),
                    ("cmyk.jpg", "p.jpeg"),
                ];
                names
                    .iter()
                    .for_each(|(from, to)| f.pillow(from, &format!("{class}/{to}")));
                f.folder(other);
            }
        },
        expect: Used(CAT_DOG, [16, 8, 8], &[]),
    },
    Case {
        name: "names that lie: a PNG called .jpg, a JPEG called .png",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 3);
            f.pillow("rgb.jpg", "cat/x.png");
            f.pillow("rgb.png", "dog/x.jpg");
        },
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    Case {
        name: "images without an extension",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 3);
            f.image("cat/photo");
            f.image("dog/photo");
            f.text("dog/README", "about dogs");
        },
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &["passed over: 1 file without an extension;"],
        ),
    },
    Case {
        name: "double extensions",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 3);
            f.image("cat/a.jpg.png");
            f.image("dog/a.tar.PNG");
            f.image("dog/a.png.bak");
        },
        expect: Used(CAT_DOG, QUARTERS, &["passed over: 1 file (.bak);"]),
    },
    Case {
        name: "Unicode, spaces and long names",
        keys: "",
        make: |f| {
            f.images(&["кошка", "ein großer Hund 🐕"], 3);
            f.image("кошка/фото 1 (копия).png");
            f.image(&format!("ein großer Hund 🐕/{}.png", "é".repeat(100)));
        },
        expect: Used(&["ein großer Hund 🐕", "кошка"], QUARTERS, &[]),
    },
    Case {
        name: "images of one pixel",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 3);
            f.text("cat/one.pgm", b"P5 1 1 255\n\x07");
            f.text("dog/one.ppm", b"P3 1 1 255\n1 2 3\n");
        },
        expect: Used(CAT_DOG, QUARTERS, &[]),
    },
    Case {
        name: "most of a class in a format that is not read",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 4);
            (0..22).for_each(|n| f.text(&format!("cat/{n}.HEIC"), "\0\0\0\x18ftypheic"));
        },
        expect: Used(
            CAT_DOG,
            QUARTERS,
            &["passed over: 22 files (.heic); `kiln data info CONFIG --files` lists them"],
        ),
    },
    Case {
        name: "everything in a format that is not read",
        keys: "",
        make: |f| {
            f.text("cat/1.heic", "\0\0\0\x18ftypheic");
            f.text("dog/1.heic", "\0\0\0\x18ftypheic");
        },
        expect: Refused(
            1,
            &[
                "no images (passed over: 2 files (.heic)); convert it with `heif-convert in.heic out.jpg`",
            ],
        ),
    },
    // ---- Bad images ----
    Case {
        name: "a bad image",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 4);
            f.text("cat/0.png", "not an image");
        },
        expect: Refused(
            1,
            &[
                "cat/0.png: unrecognized image format",
                "replace or remove this file, or set data.on_bad_image to \"skip\"",
            ],
        ),
    },
    Case {
        name: "several bad images",
        keys: "",
        make: |f| {
            f.images(&["cat", "dog"], 30);
            f.text("cat/0.jpg", "");
            f.pillow("photo.avif", "cat/1.jpg");
            f.text("dog/2.png", "<!DOCTYPE html>");
            f.text("dog/3.pgm", "P5 0 0 255\n");
        },
        expect: Refused(
            1,
            &[
                "4 of 63 images can't be read; replace or remove them, or set data.on_bad_image to \"skip\"",
                "cat/0.jpg: the file is empty",
                "cat/1.jpg: this is an AVIF image",
                "dog/2.png: this is a web page",
                "dog/3.pgm: ",
            ],
        ),
    },
    Case {
        name: "several bad images, skipped",
        keys: r#""on_bad_image": "skip""#,
        make: |f| {
            f.images(&["cat", "dog"], 8);
            f.text("cat/x.jpg", "");
            f.text("dog/x.jpg", "no image");
            f.text("dog/notes.txt", "");
        },
        expect: Used(
            CAT_DOG,
            [9, 4, 3],
            &["passed over: 1 file (.txt), 2 unreadable images;"],
        ),
    },
    Case {
        name: "a class of which no image can be read, skipped",
        keys: r#""on_bad_image": "skip""#,
        make: |f| {
            f.images(&["cat", "dog"], 4);
            f.text("rose/x.jpg", "");
        },
        expect: Used(
            &["cat", "dog", "rose"],
            QUARTERS,
            &[
                "no images in any split: rose",
                "passed over: 1 unreadable image;",
            ],
        ),
    },
    Case {
        name: "more bad images than are listed",
        keys: "",
        make: |f| {
            (0..25).for_each(|n| {
                ["cat", "dog"]
                    .iter()
                    .for_each(|c| f.text(&format!("{c}/{n}.png"), "no"))
            })
        },
        expect: Refused(
            1,
            &[
                "50 of 50 images can't be read",
                "cat/0.png: ",
                "and 30 more; `kiln data info CONFIG --files` lists all",
            ],
        ),
    },
];
