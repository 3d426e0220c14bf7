def drop_path(x, p, training):
    """In training, sets the values of some images to zero (stochastic depth)."""
    if not training:
        return x
    kept = torch.rand(len(x), *[1] * (x.dim() - 1), device=x.device) >= p
    return x * kept / (1 - p)
