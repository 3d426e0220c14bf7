//! `kiln data from-review`

use std::path::{Path, PathBuf};

use image::GrayImage;

use crate::cli::destinations;
use crate::cli::failure::{Failure, VerbResult};
use crate::cli::terminal::output;
use crate::data::class_folders;
use crate::error::{FileError, counted};
use crate::files;
use crate::ocr::review::{Corrected, Review, corrected_letters};
use crate::photo;
use crate::segmentation::JUNK;

/// Height and width of the letters: that of the model that kiln ships.
const SIZE: usize = 32;

/// Make training data of the letters that were corrected on the page of `kiln ocr --review`.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln ocr page.jpg --review review.html                # correct it in a browser, save review.json
  kiln data from-review review.json --images . letters
  kiln train configs/ocr_adapt.json --init-from artifacts/ocr --set data.sources.1.folder=letters
  kiln ocr page.jpg --model runs/ocr_adapt-1")]
pub struct Args {
    /// What the page saved
    review: PathBuf,
    /// Folder of the images that were reviewed [default: that of the review]
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// New folder, with a subfolder for each character
    #[arg(value_name = "OUT")]
    out: PathBuf,
}

pub fn run(args: &Args) -> VerbResult {
    let review = Review::open(&args.review)?;
    destinations::require_new([args.out.as_path()])?;
    let folder = match &args.images {
        Some(folder) => folder.clone(),
        None => files::folder_of(&args.review).to_path_buf(),
    };
    let created = |error| FileError::create(&args.out, error);
    let parent = files::folder_of(&args.out);
    std::fs::create_dir_all(parent).map_err(created)?;
    // Without its name until it is complete.
    let made = files::temporary_folder(parent).map_err(|error| created(error.kind().into()))?;
    let (mut letters, mut missing) = (0, 0);
    for (image, boxes) in &review.images {
        let path = folder.join(image);
        let photo = photo::open(&path)?.into_rgb8();
        let corrected = corrected_letters(&photo, boxes, SIZE);
        missing += corrected.missing;
        letters += write((made.path(), &args.out), Path::new(image), &corrected)?;
    }
    if missing > 0 {
        output::note(&format!(
            "{} no letter in these images; are they the images that were reviewed?",
            counted(missing, "box matches", "boxes match")
        ));
    }
    if letters == 0 {
        let problem = format!("{}: no letters could be used", args.review.display());
        return Err(Failure::failed(problem));
    }
    files::publish_folder(made, &args.out).map_err(created)?;
    let letters = counted(letters, "letter", "letters");
    let summary = format!("{letters} in {}\n", args.out.display());
    Ok(output::emit(&summary)?)
}

/// Writes letters into folders of their characters below `made`, which will be called `out`; returns how many.
fn write(
    (made, out): (&Path, &Path),
    image: &Path,
    corrected: &Corrected,
) -> Result<usize, Failure> {
    let stem = image.file_stem().unwrap_or_default().to_string_lossy();
    for (number, (character, crop)) in corrected.letters.iter().enumerate() {
        let class = match character {
            Some(character) => character.to_string(),
            None => JUNK.to_string(),
        };
        let folder = class_folders::folder(&class).map_err(Failure::failed)?;
        std::fs::create_dir_all(made.join(&folder))
            .map_err(|error| FileError::create(out.join(&folder), error))?;
        let grey = crop
            .pixels
            .iter()
            .map(|value| (value * 255.0).round() as u8);
        let side = crop.size as u32;
        let picture = GrayImage::from_raw(side, side, grey.collect());
        let picture = picture.ok_or_else(|| Failure::failed("a letter's crop is not square"))?;
        let file = Path::new(&folder).join(format!("{stem}_{number:04}.png"));
        let picture = image::DynamicImage::ImageLuma8(picture).into_rgb8();
        files::write_png(&made.join(&file), &picture)
            .map_err(|error| error.rename(out.join(&file)))?;
    }
    Ok(corrected.letters.len())
}
