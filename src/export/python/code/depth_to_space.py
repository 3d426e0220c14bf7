def depth_to_space(x, block):
    """Groups of channels as neighbouring pixels: channel (i block + j) C + c becomes row i, column j of channel c."""
    batch, channels, height, width = x.shape
    x = x.reshape(batch, block, block, channels // block**2, height, width)
    return x.permute(0, 3, 4, 1, 5, 2).reshape(batch, channels // block**2, height * block, width * block)
