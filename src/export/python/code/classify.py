def probabilities(logits):
    """Probabilities of the classes, [batch, classes]."""
    return torch.softmax(logits / TEMPERATURE, 1)


if __name__ == "__main__":
    from PIL import Image

    network = load()
    for path in sys.argv[1:]:
        with torch.no_grad():
            row = probabilities(network(prepare(Image.open(path))[None]))[0]
        best = row.argsort(descending=True)[:5].tolist()
        print(path, *(f"{CLASSES[index]} {row[index]:.1%}" for index in best), sep="\t")
