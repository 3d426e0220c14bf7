def load(weights=WEIGHTS):
    """The network with the weights of a .safetensors file, ready to answer."""
    data = bytearray(Path(weights).read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, about in json.loads(data[8:start]).items():
        if name != "__metadata__":
            begin, end = (start + offset for offset in about["data_offsets"])
            values = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin)
            tensors[name] = values.reshape(about["shape"])
    network = Network()
    network.load_state_dict(tensors, strict=True)
    return network.eval()
