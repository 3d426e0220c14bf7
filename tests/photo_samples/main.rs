//! What a user may rely on when photographs become samples: random parts, the middle, what is kept in memory. Numbers of torchvision are
//! of version 0.29.2 on Pillow images, at most a level of 255 off because Pillow also rounds between the two axes.

#[path = "../common/mod.rs"]
mod common;
mod memory;
mod parts;
mod pixels;
mod support;
mod views;
