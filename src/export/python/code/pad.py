def fit(pixels):
    """Scales the whole image in its proportions into the middle of the input, on the median colour of its border."""
    channels, height, width = INPUT
    rows, columns = pixels.shape[1:]

    def scaled(length, numerator, denominator):
        return max((length * numerator + denominator // 2) // denominator, 1)

    size = (min(scaled(rows, width, columns), height), min(scaled(columns, height, rows), width))
    is_edge = torch.ones(rows, columns, dtype=torch.bool)
    is_edge[1:-1, 1:-1] = False
    border = pixels[:, is_edge].sort(1).values
    canvas = border[:, border.shape[1] // 2].double()[:, None, None].repeat(1, height, width)
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    canvas[:, top : top + size[0], left : left + size[1]] = resize(pixels, size)
    return canvas
