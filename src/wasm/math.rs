//! Functions of `f32`, rounded correctly, in place of the target's own.
//!
//! Linux's C library computes these in 64 bits and rounds once, so that nearly every result is the closest `f32`; what Rust links in
//! WebAssembly is off by one in the last place now and then. That is enough to turn a pixel from paper into ink: weights of a blur differ,
//! then its threshold, then a letter. With these, the reader finds the same ink as on Linux.

// The names by which compilers call them; nothing is read or written.
#![allow(unsafe_code)]

macro_rules! through_f64 {
    ($($name:ident($($x:ident),+) = $result:expr;)+) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $name($($x: f32),+) -> f32 {
                $(let $x = f64::from($x);)+
                $result as f32
            }
        )+
    };
}

through_f64! {
    expf(x) = x.exp();
    exp2f(x) = x.exp2();
    logf(x) = x.ln();
    log2f(x) = x.log2();
    powf(x, y) = x.powf(y);
    sinf(x) = x.sin();
    cosf(x) = x.cos();
    hypotf(x, y) = (x * x + y * y).sqrt();
}
