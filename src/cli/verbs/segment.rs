//! `kiln segment`

use std::path::{Path, PathBuf};

use crate::cli::destinations;
use crate::cli::failure::VerbResult;
use crate::cli::inputs;
use crate::cli::open;
use crate::cli::terminal::output;
use crate::files;
use crate::segmentation::{self, Segmentation, StagePicture};

/// Find lines, words and letters on a photographed page.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln segment page.jpg --overlay boxes.png --stages stages/

Prints one line of boxes per line of text: x,y,width,height in pixels of the upright image, words separated by \" | \".")]
pub struct Args {
    /// Image file
    image: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write the page with the boxes drawn on it
    #[arg(long, value_name = "PNG")]
    overlay: Option<PathBuf>,
    /// Write an image of every stage into this folder
    #[arg(long, value_name = "DIR")]
    stages: Option<PathBuf>,
}

pub fn run(args: Args) -> VerbResult {
    inputs::require_image(&args.image)?;
    if let Some(path) = &args.overlay {
        destinations::validate_picture(path, Some(&args.image))?;
    }
    let photo = open::photo(&args.image)?;
    let (segmentation, pictures) = if args.stages.is_some() {
        segmentation::segment_with_pictures(&photo, segmentation::View::default())
    } else {
        (segmentation::segment(&photo), Vec::new())
    };
    if let Some(path) = &args.overlay {
        files::write_png(path, &segmentation::overlay(&photo, &segmentation, &[]))?;
    }
    if let Some(folder) = &args.stages {
        write_stages(folder, &pictures, &args.image)?;
    }
    if segmentation.lines.is_empty() {
        output::note(&format!("{}: no text found", args.image.display()));
    }
    if args.json {
        output::json(&serde_json::json!({
            "image": args.image.display().to_string(),
            "width": segmentation.width,
            "height": segmentation.height,
            "measures": segmentation.measures,
            "lines": segmentation.lines,
        }))?;
    } else {
        output::emit(&table(&segmentation))?;
    }
    Ok(())
}

/// Writes the images of the stages, numbered in order.
pub fn write_stages(folder: &Path, pictures: &[StagePicture], image: &Path) -> VerbResult {
    let path = |(number, stage): (usize, &StagePicture)| {
        folder.join(format!("{:02}_{}.png", number + 1, stage.name))
    };
    let paths: Vec<PathBuf> = pictures.iter().enumerate().map(path).collect();
    destinations::refuse_overwrite(paths.iter().map(PathBuf::as_path), [image])?;
    std::fs::create_dir_all(folder)
        .map_err(|source| crate::error::FileError::write(folder, source))?;
    for (path, stage) in paths.iter().zip(pictures) {
        files::write_png(path, &stage.picture)?;
    }
    Ok(())
}

/// The letters' boxes, one line per line of text.
fn table(segmentation: &Segmentation) -> String {
    segmentation
        .lines
        .iter()
        .map(|line| {
            let words: Vec<String> = line
                .words
                .iter()
                .map(|word| {
                    let boxes: Vec<String> = word
                        .letters
                        .iter()
                        .map(|letter| {
                            let b = letter.bounds;
                            format!("{},{},{},{}", b.x, b.y, b.width, b.height)
                        })
                        .collect();
                    boxes.join(" ")
                })
                .collect();
            words.join(" | ") + "\n"
        })
        .collect()
}
