def prepare(image):
    """A Pillow image of any size as the network's input, [channels, height, width], as kiln prepares it."""
    values = fit(pixels_of(image)).float() / 255
    if MEAN is not None:
        values = (values - torch.tensor(MEAN).reshape(-1, 1, 1)) / torch.tensor(STD).reshape(-1, 1, 1)
    return values


def pixels_of(image):
    """The upright image on white, [channels, height, width], from 0 to 255."""
    from PIL import ImageOps

    image = ImageOps.exif_transpose(image).convert("RGBA")
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    pixels = pixels.reshape(image.height, image.width, 4).permute(2, 0, 1).int()
    alpha = pixels[3:]
    colours = (pixels[:3] * alpha + 255 * (255 - alpha) + 127) // 255
    if INPUT[0] == 3:
        return colours
    red, green, blue = colours
    return ((2126 * red + 7152 * green + 722 * blue + 5000) // 10000)[None]


def resize(pixels, size):
    """Antialiased bilinear interpolation, rounded to whole numbers."""
    values = F.interpolate(pixels.double()[None], size, mode="bilinear", antialias=True)[0]
    return (values + 0.5).floor().clamp(0, 255)
