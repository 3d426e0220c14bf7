#!/usr/bin/env python3
"""How kiln's time grows with the batch, the side of images, the depth of the network and the threads, against the multiply-adds.

  benches/growth.py [--kiln KILN] [--svg artifacts/readme/growth.svg] [--json growth.json]     measures, draws, says what grows faster
  benches/growth.py --from growth.json [--svg ...]                                            draws what was measured

Networks: the CNN of configs/nist36_cnn.json by batch; by side and depth, a list of equal 3x3 convolutions of 32 channels, with ReLU.
Training and inference each, on 1 thread and on 2. Each series has a curve t = a + b m, m being the multiply-adds of a step, fitted so that
relative errors are least, and a slope: that of log t against log m over the larger half of its points, where a hardly counts. A slope above
--most (1.1) is reported, and makes the exit code 1.
"""
import argparse, json, math, os, pathlib, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256]
SIDES = [16, 32, 64, 128, 256]
DEPTHS = [1, 2, 4, 8, 16, 32]
# Fixed where another one varies: small enough that the largest step takes a second.
SIDE_BATCH, SIDE_DEPTH = 4, 2
DEPTH_BATCH, DEPTH_SIDE = 8, 32
CHANNELS = 32


def stack(depth, side):
    """A config of so many equal convolutions on images of this side."""
    conv = [{"kind": "conv", "channels": CHANNELS, "kernel": 3, "padding": 1}, "relu"]
    layers = conv + [{"kind": "repeat", "times": depth, "layers": conv}, "global_avg_pool", {"kind": "linear", "features": 10}]
    data = {"kind": "image_folder", "folder": "none", "channels": 1, "height": side, "width": side}
    return {"data": data, "model": {"kind": "layers", "layers": layers}}


def points(folder):
    """What is measured: axis, value, config, batch."""
    cnn = ROOT / "configs" / "nist36_cnn.json"
    for batch in BATCHES:
        yield "batch", batch, cnn, batch
    for axis, depth, side, batch in [("side", SIDE_DEPTH, side, SIDE_BATCH) for side in SIDES] + [
            ("depth", depth, DEPTH_SIDE, DEPTH_BATCH) for depth in DEPTHS]:
        path = folder / f"{axis}-{depth}-{side}.json"
        path.write_text(json.dumps(stack(depth, side)))
        yield axis, side if axis == "side" else depth, path, batch


def measure(kiln, threads, rounds):
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for axis, value, config, batch in points(pathlib.Path(folder)):
            for mode in ["train", "infer"]:
                for count in threads:
                    command = [kiln, "bench", str(config), "--json", "--mode", mode, "--batch", str(batch)]
                    env = dict(os.environ, RAYON_NUM_THREADS=str(count))
                    best = None
                    for _ in range(rounds):
                        try:
                            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env)
                        except (OSError, subprocess.CalledProcessError) as error:
                            sys.exit(f"error: {' '.join(command)}: {error}")
                        timing = json.loads(done.stdout)
                        if best is None or timing["ms_per_step"] < best["ms_per_step"]:
                            best = timing
                    # Two operations for a multiply-add.
                    multiply_adds = best["gflops"] / 2 * 1e9 * best["ms_per_step"] / 1e3
                    point = {"axis": axis, "value": value, "mode": mode, "threads": count, "batch": batch,
                             "multiply_adds": round(multiply_adds), "ms": best["ms_per_step"], "spread": best["ms_spread"]}
                    found.append(point)
                    print(f"{axis:<6} {value:>4} {mode:<6} {count} threads {multiply_adds / 1e6:>10.2f} MMAC {point['ms']:>9.3f} ms",
                          flush=True)
    return found


def fitted(series):
    """a and b of t = a + b m with the least relative errors, neither below zero."""
    weights = [(m, t, 1 / t ** 2) for m, t in series]
    w, wm, wmm = (sum(k * m ** power for m, _, k in weights) for power in range(3))
    wt, wmt = sum(k * t for _, t, k in weights), sum(k * m * t for m, t, k in weights)
    a, b = (wt * wmm - wm * wmt) / (w * wmm - wm ** 2), (w * wmt - wm * wt) / (w * wmm - wm ** 2)
    if a < 0:
        a, b = 0, wmt / wmm
    if b < 0:
        a, b = wt / w, 0
    return a, b


def slope(series):
    """Of log t against log m, by least squares over the larger half of the points."""
    half = sorted(series)[len(series) // 2:]
    x, y = [math.log(m) for m, _ in half], [math.log(t) for _, t in half]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)


def grouped(found):
    series = {}
    for p in found:
        key = p["axis"], p["mode"], p["threads"]
        series.setdefault(key, []).append((p["multiply_adds"], p["ms"], p["value"]))
    return {key: sorted(points) for key, points in series.items()}


def report(found, most):
    steep = []
    print(f"{'axis':<6} {'mode':<6} threads {'a, ms':>9} {'b, ms/GMAC':>11} {'GFLOP/s':>8} {'slope':>6} {'worst step':>11}")
    for (axis, mode, threads), points in grouped(found).items():
        plain = [(m, t) for m, t, _ in points]
        (a, b), s = fitted(plain), slope(plain)
        steps = [(math.log(q[1] / p[1]) / math.log(q[0] / p[0]), p[2], q[2]) for p, q in zip(points, points[1:])]
        worst, before, after = max(steps)
        speed = 2 / (b / 1e3) / 1e9 if b else math.inf
        print(f"{axis:<6} {mode:<6} {threads:>7} {a:>9.3f} {b * 1e9:>11.3f} {speed:>8.0f} {s:>6.2f} {worst:>5.2f} ({before} to {after})")
        if s > most:
            steep.append(f"{mode}, {axis}, {threads} threads: time grows as multiply-adds^{s:.2f}")
    print("\n".join(steep) or f"nothing grows faster than its multiply-adds (no slope above {most})")
    return not steep


# The figure: a panel for each axis and mode, both scales logarithmic.
WIDTH, HEIGHT, LEFT, TOP, GAP_X, GAP_Y = 250, 150, 62, 34, 74, 58
COLOURS = {1: "#b3541e", 2: "#1f6f8b"}


def panel(x0, y0, title, series):
    every = [p for points in series.values() for p in points]
    decades = lambda values: (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))))
    (mx0, mx1), (ty0, ty1) = decades([p[0] for p in every]), decades([p[1] for p in every])
    x = lambda m: x0 + WIDTH * (math.log10(m) - mx0) / (mx1 - mx0)
    y = lambda t: y0 + HEIGHT - HEIGHT * (math.log10(max(t, 10 ** ty0)) - ty0) / (ty1 - ty0)
    out = [f'<text x="{x0}" y="{y0 - 8}" class="t">{title}</text>',
           f'<rect x="{x0}" y="{y0}" width="{WIDTH}" height="{HEIGHT}" class="f"/>']
    name = lambda e, unit: f"{10 ** e:g}{unit}" if -3 <= e < 4 else f"1e{e}{unit}"
    for e in range(mx0, mx1 + 1):
        out.append(f'<path d="M{x(10 ** e):.1f} {y0}v{HEIGHT}" class="g"/>')
        out.append(f'<text x="{x(10 ** e):.1f}" y="{y0 + HEIGHT + 14}" class="m">{name(e - 6, "")}</text>')
    for e in range(ty0, ty1 + 1):
        out.append(f'<path d="M{x0} {y(10 ** e):.1f}h{WIDTH}" class="g"/>')
        out.append(f'<text x="{x0 - 6}" y="{y(10 ** e) + 4:.1f}" class="e">{name(e, " ms")}</text>')
    for threads, points in series.items():
        colour = COLOURS.get(threads, "#555")
        plain = [(m, t) for m, t, _ in points]
        a, b = fitted(plain)
        low, high = math.log10(points[0][0]), math.log10(points[-1][0])
        curve = [10 ** (low + (high - low) * i / 60) for i in range(61)]
        line = " ".join(f"{x(m):.1f},{y(a + b * m):.1f}" for m in curve)
        out.append(f'<polyline points="{line}" stroke="{colour}" class="c"/>')
        for m, t, value in points:
            hint = f"<title>{value}: {t:.3f} ms, {threads} threads</title>"
            out.append(f'<circle cx="{x(m):.1f}" cy="{y(t):.1f}" r="3" fill="{colour}">{hint}</circle>')
    for row, (threads, points) in enumerate(series.items()):
        s = slope([(m, t) for m, t, _ in points])
        word = "thread" if threads == 1 else "threads"
        out.append(f'<text x="{x0 + 8}" y="{y0 + 16 + 14 * row}" fill="{COLOURS.get(threads, "#555")}">{threads} {word}, slope {s:.2f}</text>')
    return out


def draw(found, path):
    series = grouped(found)
    axes = [("batch", f"CNN, batch {BATCHES[0]} to {BATCHES[-1]}"), ("side", f"side {SIDES[0]} to {SIDES[-1]}"),
            ("depth", f"{DEPTHS[0]} to {DEPTHS[-1]} layers")]
    out = []
    for row, (mode, name) in enumerate([("train", "training"), ("infer", "inference")]):
        for column, (axis, title) in enumerate(axes):
            own = {key[2]: points for key, points in series.items() if key[:2] == (axis, mode)}
            if own:
                out += panel(LEFT + column * (WIDTH + GAP_X), TOP + row * (HEIGHT + GAP_Y), f"{name}: {title}", own)
    width, height = LEFT + 3 * (WIDTH + GAP_X) - GAP_X + 16, TOP + 2 * (HEIGHT + GAP_Y)
    style = ("text{font:11px sans-serif}.t{font-weight:bold}.m{text-anchor:middle}.e{text-anchor:end}"
             ".f{fill:none;stroke:#999}.g{stroke:#e3e3e3}.c{fill:none;stroke-width:1.3}")
    label = f'<text x="{width / 2}" y="{height - 8}" class="m">millions of multiply-adds of a step; curves: time = a + b multiply-adds</text>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="time of a step against its multiply-adds">'
    body = "\n".join([head, f"<style>{style}</style>", f'<rect width="{width}" height="{height}" fill="#fff"/>', *out, label, "</svg>"])
    pathlib.Path(path).write_text(body + "\n")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--kiln", default=str(ROOT / "target/release/kiln"), help="the binary (%(default)s)")
    ap.add_argument("--threads", default="1,2", help="numbers of threads (%(default)s)")
    ap.add_argument("--rounds", type=int, default=1, help="runs of each point, of which the fastest counts (%(default)s)")
    ap.add_argument("--svg", help="where to draw the figure")
    ap.add_argument("--json", help="where to write the points")
    ap.add_argument("--from", dest="source", metavar="JSON", help="points that were measured before")
    ap.add_argument("--most", type=float, default=1.1, help="steepest slope that is no growth beyond the multiply-adds (%(default)s)")
    a = ap.parse_args()
    if a.source:
        found = json.loads(pathlib.Path(a.source).read_text())
    else:
        found = measure(a.kiln, [int(count) for count in a.threads.split(",")], a.rounds)
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(found, indent=1) + "\n")
    if a.svg:
        draw(found, a.svg)
    sys.exit(0 if report(found, a.most) else 1)


if __name__ == "__main__":
    main()
