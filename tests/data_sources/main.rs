//! What a user may rely on when reading data sets: the course's MATLAB files, folders of images, and how they are divided. Numbers
//! come from scipy, numpy or hand calculation.

mod archives;
#[path = "../common/mod.rs"]
mod common;
mod course_files;
mod division;
mod fitting;
mod folders;
mod info;
mod mat;
mod real_files;
mod support;
