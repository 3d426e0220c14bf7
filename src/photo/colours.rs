//! Colours of TIFF images as red, green and blue in 8 bits.

/// Ink on paper: what neither the ink nor the black absorbs.
pub(super) fn printed(ink: u8, black: u8) -> u8 {
    let light = u32::from(255 - ink) * u32::from(255 - black);
    ((light + 127) / 255) as u8
}

/// ITU-R BT.601 with full range, as JFIF (ECMA TR/98) gives it.
pub(super) fn from_ycbcr(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let rgb = [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ];
    rgb.map(|value| value.round().clamp(0.0, 255.0) as u8)
}

/// Colour of an index; black beyond the palette. Palettes have 16 bits, of which the upper 8 are the colour.
pub(super) fn looked_up(palette: &[u16], index: u8) -> [u8; 3] {
    let colors = palette.len() / 3;
    let index = usize::from(index);
    [0, 1, 2].map(|channel| {
        let value = palette
            .get(channel * colors + index)
            .filter(|_| index < colors);
        value.map_or(0, |value| (value >> 8) as u8)
    })
}
