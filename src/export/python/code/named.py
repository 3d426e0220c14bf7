class Named(nn.Module):
    """A module whose parts have dotted names, which may be any words."""

    def put(self, name, part):
        """Registers a layer or a parameter; the levels of its name are made."""
        *levels, last = name.split(".")
        module = self
        for level in levels:
            module = module._modules.setdefault(level, nn.Module())
        parts = module._parameters if isinstance(part, nn.Parameter) else module._modules
        parts[last] = part

    def at(self, name):
        """The layer or parameter of a name."""
        *levels, last = name.split(".")
        module = self
        for level in levels:
            module = module._modules[level]
        return module._parameters[last] if last in module._parameters else module._modules[last]
