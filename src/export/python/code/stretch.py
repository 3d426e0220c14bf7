def fit(pixels):
    """Scales the image to the input's size."""
    return resize(pixels, INPUT[1:])
