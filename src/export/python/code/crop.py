def fit(pixels):
    """Scales the image in its proportions until it just covers COVERED, and cuts out the middle."""
    _, height, width = INPUT
    rows, columns = pixels.shape[1:]
    if columns * height >= rows * width:
        size = (COVERED[0], max(COVERED[0] * columns // rows, width))
    else:
        size = (max(COVERED[1] * rows // columns, height), COVERED[1])
    pixels = resize(pixels, size)
    top, left = round((size[0] - height) / 2), round((size[1] - width) / 2)
    return pixels[:, top : top + height, left : left + width]
