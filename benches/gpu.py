#!/usr/bin/env python3
"""Training on a GPU: kiln and PyTorch on the same card in turns, samples per second, medians of the rounds.

UNTRIED: written without a GPU at hand; nothing of it was run but --help. First compare the parameters of PyTorch's networks with what
`kiln model info CONFIG` counts, and try --device cpu.

Both train on a synthetic batch that is on the card, with the network, batch, loss and optimizer of a recipe in configs/. Times are of ten
steps until the device has done them, divided by ten; the first rounds, in which kernels are compiled and tuned, are not counted.

  benches/gpu.py --kiln target/release/kiln --backend vulkan              every workload, PyTorch eager
  benches/gpu.py --backend cuda --torch eager,channels_last,compile,bf16  all ways of PyTorch, each against kiln
  benches/gpu.py --backend vulkan --batch 256 nist36_cnn                  one workload, another batch

PyTorch: `eager`, `channels_last` (memory format of images and weights), `compile` (torch.compile, default mode), `bf16` (autocast to
bfloat16, weights in float32; kiln has no mixed precision: its column is float32 throughout). TF32 is off for PyTorch unless --tf32 is given.
"""
import argparse, json, pathlib, shlex, statistics, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent

# recipe: batch, classes, image [channels, height, width], overrides for kiln
WORKLOADS = {
    "nist36_cnn": (64, 36, [1, 32, 32], []),
    "cifar10_best": (128, 10, [3, 32, 32], []),
    "flowers17_squeezenet_full": (32, 17, [3, 224, 224], []),
    "flowers17_resnet18": (32, 17, [3, 224, 224], ["data.height=224", "data.width=224"]),
    "flowers17_resnet50": (32, 17, [3, 224, 224], ["data.height=224", "data.width=224", "model.kind=resnet50"]),
}
WAYS = ["eager", "channels_last", "compile", "bf16"]
STEPS_TOGETHER, WARM_UP, MIN_TIMES, SECONDS = 10, 3, 5, 2.0


def network(workload, classes):
    """The network of a recipe, in PyTorch."""
    import torch.nn as nn

    def block(inputs, outputs, pool):
        layers = [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        return layers + ([nn.MaxPool2d(2)] if pool else [])

    class Residual(nn.Module):
        def __init__(self, *layers):
            super().__init__()
            self.layers = nn.Sequential(*layers)

        def forward(self, x):
            return x + self.layers(x)

    if workload == "nist36_cnn":
        return nn.Sequential(*block(1, 32, True), *block(32, 64, True), *block(64, 128, True), nn.Flatten(),
                             nn.Linear(128 * 4 * 4, 256), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(256, classes))
    if workload == "cifar10_best":
        pair = lambda n: Residual(*block(n, n, False), *block(n, n, False))
        return nn.Sequential(*block(3, 32, False), *block(32, 64, True), pair(64), *block(64, 128, True), *block(128, 256, True),
                             pair(256), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(256, classes))
    import torchvision
    name = {"flowers17_squeezenet_full": "squeezenet1_1", "flowers17_resnet18": "resnet18",
            "flowers17_resnet50": "resnet50"}[workload]
    return getattr(torchvision.models, name)(num_classes=classes)


def recipe(workload):
    name = "flowers17_resnet18" if workload == "flowers17_resnet50" else workload
    return json.loads((ROOT / "configs" / f"{name}.json").read_text())


def torch_times(workload, batch, way, device):
    """Times of a step in milliseconds, and the largest memory in MB."""
    import torch
    _, classes, shape, _ = WORKLOADS[workload]
    config = recipe(workload)
    torch.manual_seed(1)
    model = network(workload, classes).to(device).train()
    optimizer = config["optimizer"]
    if optimizer["kind"] == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), lr=optimizer["lr"], momentum=optimizer["momentum"],
                                    weight_decay=optimizer.get("weight_decay", 0))
    else:
        optimizer = torch.optim.AdamW(model.parameters(), lr=optimizer["lr"], weight_decay=optimizer["weight_decay"])
    images = torch.rand([batch, *shape], device=device)
    labels = torch.arange(batch, device=device) % classes
    if way == "channels_last":
        model, images = model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=config.get("loss", {}).get("label_smoothing", 0.0))
    # The recipes' running average (EMA) is left out on both sides: `kiln bench` does not update it either.
    compute = torch.compile(model) if way == "compile" else model
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=way == "bf16"):
            loss = loss_of(compute(images), labels)
        loss.backward()
        optimizer.step()

    times, began = [], time.perf_counter()
    while len(times) < WARM_UP + MIN_TIMES or time.perf_counter() - began < SECONDS:
        start = time.perf_counter()
        for _ in range(STEPS_TOGETHER):
            step()
        wait()
        times.append((time.perf_counter() - start) * 1e3 / STEPS_TOGETHER)
        if len(times) == WARM_UP:
            began = time.perf_counter()
    memory = torch.cuda.max_memory_allocated() >> 20 if device == "cuda" else 0
    return times[WARM_UP:], memory


def peer(a):
    """This script as the peer: one way of PyTorch in a process of its own."""
    import torch
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = a.tf32
    torch.backends.cudnn.benchmark = True
    times, memory = torch_times(a.workloads[0], a.batch, a.peer, a.device)
    print(json.dumps({"samples_per_s": a.batch / statistics.median(times) * 1e3, "memory_mb": memory}))


def output(command):
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip().splitlines()[-1]
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        sys.exit(f"error: {shlex.join(command)}: {error}")


def kiln_bench(a, workload, batch):
    name = "flowers17_resnet18" if workload == "flowers17_resnet50" else workload
    command = [a.kiln, "bench", str(ROOT / "configs" / f"{name}.json"), "--json", "--mode", "train",
               "--backend", a.backend, "--batch", str(batch)]
    if a.number is not None:
        command += ["--device", str(a.number)]
    for override in WORKLOADS[workload][3] + ["init.weights=null"]:
        command += ["--set", override]
    return json.loads(output(command))


def torch_bench(a, workload, batch, way):
    command = [sys.executable, __file__, workload, "--peer", way, "--batch", str(batch), "--device", a.device]
    return json.loads(output(command + (["--tf32"] if a.tf32 else [])))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("workloads", nargs="*", default=list(WORKLOADS), help="of " + ", ".join(WORKLOADS) + " (all)")
    ap.add_argument("--kiln", default=str(ROOT / "target/release/kiln"), help="the binary (%(default)s)")
    ap.add_argument("--backend", default="vulkan", help="kiln's backend (%(default)s)")
    ap.add_argument("--number", type=int, metavar="N", help="kiln's --device")
    ap.add_argument("--device", default="cuda", choices=["cuda", "cpu"], help="PyTorch's device (%(default)s)")
    ap.add_argument("--torch", default="eager", help="ways of PyTorch, of " + ",".join(WAYS) + " (%(default)s)")
    ap.add_argument("--batch", type=int, help="samples of a step, instead of the recipe's")
    ap.add_argument("--rounds", type=int, default=3, help="turns of each program (%(default)s)")
    ap.add_argument("--tf32", action="store_true", help="let PyTorch round products to TF32")
    ap.add_argument("--peer", help=argparse.SUPPRESS)
    a = ap.parse_args()
    ways = a.torch.split(",")
    for wrong in [w for w in a.workloads if w not in WORKLOADS] + [w for w in ways if w not in WAYS]:
        ap.error(f"{wrong}: unknown; workloads: {', '.join(WORKLOADS)}; ways of PyTorch: {', '.join(WAYS)}")
    if a.peer:
        return peer(a)
    print(f"{'workload':<26} {'batch':>5} {'kiln/s':>10} " + " ".join(f"{w + '/s':>16} {'ratio':>6}" for w in ways), flush=True)
    for workload in a.workloads:
        batch = a.batch or WORKLOADS[workload][0]
        kiln, torch = [], {way: [] for way in ways}
        for _ in range(a.rounds):
            kiln.append(kiln_bench(a, workload, batch)["samples_per_s"])
            for way in ways:
                torch[way].append(torch_bench(a, workload, batch, way)["samples_per_s"])
        ours = statistics.median(kiln)
        theirs = [statistics.median(torch[way]) for way in ways]
        print(f"{workload:<26} {batch:>5} {ours:>10.0f} " + " ".join(f"{t:>16.0f} {ours / t:>6.2f}" for t in theirs), flush=True)


if __name__ == "__main__":
    main()
