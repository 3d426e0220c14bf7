#!/usr/bin/env python3
"""How much of the machine each layer of inference uses, in float32 and in bfloat16, as a table in Markdown (docs/speed-layers.md).

  benches/layers.py [--kiln KILN] [--batch 64] CONFIG [CONFIG ...]

Each layer's GFLOP/s, and its share of what the machine's multiply-adds or its memory allow (`kiln bench --mode layers`). Below 60 %, the last
column says why. Needs a quiet machine: beside other programs the measured limits are too low.
"""
import argparse, json, pathlib, re, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENOUGH = 0.6


def measured(kiln, config, batch, precision):
    command = [kiln, "bench", config, "--mode", "layers", "--batch", str(batch), "--precision", precision, "--json"]
    try:
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    except OSError as error:
        sys.exit(f"error: {kiln}: {error.strerror}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # kiln has said why.
    return json.loads(out.splitlines()[-1])


def reason(layer, precision):
    """Why a layer stays below its limit."""
    work, algorithm = layer["work"], layer["algorithm"]
    sizes = re.search(r"(\d+) to (\d+)", work)
    inputs, outputs = map(int, sizes.groups()) if sizes else (0, 0)
    if work.startswith("normalized"):
        return "read from memory once, divided, and three planes become one"
    if "pool" in work and not algorithm:
        return "every value is read more than once, from the cache"
    if work.startswith(("means", "factors")):
        return "too short: starting it takes as long"
    if layer["limit"] == "memory":
        return "weights come from memory for few images"
    if "winograd" in algorithm:
        what = "transforms and sums in 32 bits take as long as products in bfloat16" if "bf16" in algorithm else \
            "transforms are additions, which the limit does not count"
        return f"{what}; few channels in" if inputs < 64 else what
    if algorithm == "depthwise":
        return "one multiply-add for each value that is read"
    if outputs and outputs % 16 and outputs < 64:
        return f"{outputs} channels fill {-(-outputs // 16)} registers of 16 in part"
    kernel = int(re.match(r"(\d+)x", work).group(1)) if re.match(r"\d+x", work) else 1
    depth = inputs * kernel * kernel
    if depth <= 160:
        return f"an output is written after {depth} multiply-adds: starting and writing sums takes as long"
    if precision == "bf16":
        return "values are rounded before they are multiplied"
    return "short sums, or weights that do not stay in the first cache"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kiln", default=str(ROOT / "target/release/kiln"))
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("configs", nargs="+")
    a = parser.parse_args()
    for config in a.configs:
        both = {p: measured(a.kiln, config, a.batch, p) for p in ("f32", "bf16")}
        single, half = both["f32"], both["bf16"]
        machine = single["machine"]
        bandwidths = ", ".join(f"{b['gb_per_s']:.0f}" for b in machine["bandwidths"])
        print(f"## {single['workload']}\n")
        print(f"Batch {single['batch']}, {single['threads']} threads: {single['us_per_image']:.0f} us for an image, "
              f"{half['us_per_image']:.0f} in bfloat16. Measured limits: {machine['f32_gflops']:.0f} GFLOP/s, "
              f"{half['machine']['bf16_gflops']:.0f} in bfloat16; {bandwidths} GB/s in the caches and in memory.\n")
        print("| layer | | how | us | GFLOP/s | of limit | us, bf16 | GFLOP/s | of limit | below 60 % because |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for x, y in zip(single["layers"], half["layers"]):
            if max(x["us"], y["us"]) < 0.05:
                continue
            why = [reason(layer, p) for layer, p in ((x, "f32"), (y, "bf16")) if layer["share"] < ENOUGH]
            cells = [f"`{x['layer']}`", x["work"], x["algorithm"]]
            for layer in (x, y):
                cells += [f"{layer['us']:.1f}", f"{layer['gflops']:.0f}" if layer["gflops"] else "", f"{100 * layer['share']:.0f} %"]
            print("| " + " | ".join(cells + ["; in bfloat16, ".join(dict.fromkeys(why))]) + " |")
        print()


if __name__ == "__main__":
    main()
