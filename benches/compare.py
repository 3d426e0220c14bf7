#!/usr/bin/env python3
"""kiln against a peer, in turns on the same machine: A B A B A B, medians of the rounds, ratio = kiln / peer.

The peer is any program that prints one JSON object per workload with "samples_per_s" and "peak_mb", as `kiln bench
--json` does, called as  PEER WORKLOAD --mode train|infer --batch N.

  benches/compare.py --peer "python3 peer.py" [--rounds 3] [WORKLOAD ...]      the comparison
  benches/compare.py --peer "python3 peer.py" --burn --ndarray KILN            also Burn's own operators on flex, and
                                                                               Burn's ndarray in a kiln that has it
  benches/compare.py --scaling                                                 kiln alone: batch, image size, threads
"""
import argparse, json, os, pathlib, shlex, statistics, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# workload: batch of its recipe, or of the peer's
WORKLOADS = {
    "nist36_cnn": 32, "cifar10_cnn": 32, "nist36_mlp": 64, "nist36_mlp_adam": 32, "nist36_autoencoder": 36,
    "flowers17_squeezenet": 32, "flowers17_squeezenet_full": 32,
}


def run(command, threads=None):
    env = dict(os.environ, **({"RAYON_NUM_THREADS": str(threads)} if threads else {}))
    try:
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {shlex.join(command)}: {error}")
    return json.loads(out.strip().splitlines()[-1])


def bench(kiln, workload, *options, threads=None):
    return run([kiln, "bench", str(ROOT / "configs" / f"{workload}.json"), "--json", *options], threads)


def median(results, key="samples_per_s"):
    return statistics.median(r[key] for r in results)


def compare(a):
    others = (["burn"] if a.burn else []) + (["ndarray"] if a.ndarray else [])
    names = ["kiln", "peer"] + others
    print(f"{'workload':<25} {'mode':<6} {'batch':>5} " + " ".join(f"{n + '/s':>10}" for n in names)
          + f" {'ratio':>6} {'of top':>7} {'kiln MB':>8} {'peer MB':>8}", flush=True)
    for workload in a.workloads:
        jobs = [("train", WORKLOADS[workload])] + [("infer", int(b)) for b in a.infer_batches.split(",")]
        for mode, batch in jobs:
            tail = ["--mode", mode, "--batch", str(batch)]
            calls = {
                "kiln": lambda: bench(a.kiln, workload, *tail),
                "peer": lambda: run([*shlex.split(a.peer), workload, *tail]),
                "burn": lambda: bench(a.kiln, workload, *tail, "--operators", "burn"),
                "ndarray": lambda: bench(a.ndarray, workload, *tail, "--backend", "ndarray"),
            }
            results = {name: [] for name in names}
            for _ in range(a.rounds):
                for name in names:
                    results[name].append(calls[name]())
            kiln, peer = results["kiln"], results["peer"]
            share = median(kiln, "gflops") / median(kiln, "machine_gflops")
            print(f"{workload:<25} {mode:<6} {batch:>5} " + " ".join(f"{median(results[n]):>10.0f}" for n in names)
                  + f" {median(kiln) / median(peer):>6.2f} {100 * share:>5.0f} %"
                  + f" {max(r['peak_mb'] for r in kiln):>8} {max(r['peak_mb'] for r in peer):>8}", flush=True)


def scaling(a):
    def line(what, value, result):
        print(f"{what:<18} {value:>5} {result['ms_per_step']:>9.3f} ms {result['samples_per_s']:>10.0f}/s"
              f" {result['gflops']:>7.1f} GFLOP/s", flush=True)
    for mode in ["train", "infer"]:
        for batch in [1, 4, 16, 64, 256]:
            line(f"{mode}, batch", batch, bench(a.kiln, "nist36_cnn", "--mode", mode, "--batch", str(batch)))
    for size in [16, 32, 64, 128]:
        options = ["--mode", "train", "--batch", "32", "--set", f"data.size={size}"]
        line("train, image side", size, bench(a.kiln, "unipen_cnn", *options))
    threads = [1]
    while threads[-1] * 2 <= len(os.sched_getaffinity(0)):
        threads.append(threads[-1] * 2)
    for count in threads:
        options = ["--mode", "train", "--batch", "32"]
        line("train, threads", count, bench(a.kiln, "nist36_cnn", *options, threads=count))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("workloads", nargs="*", default=list(WORKLOADS), help="of " + ", ".join(WORKLOADS) + " (all)")
    ap.add_argument("--peer", help="command of the peer")
    ap.add_argument("--kiln", default=str(ROOT / "target/release/kiln"), help="the binary (%(default)s)")
    ap.add_argument("--burn", action="store_true", help="also time Burn's own operators on flex")
    ap.add_argument("--ndarray", metavar="KILN", help="also time Burn's ndarray, in this binary")
    ap.add_argument("--scaling", action="store_true", help="how kiln's time grows, without a peer")
    ap.add_argument("--rounds", type=int, default=3, help="turns of each program (%(default)s)")
    ap.add_argument("--infer-batches", default="1,64", help="batch sizes of inference (%(default)s)")
    a = ap.parse_args()
    for workload in a.workloads:
        if workload not in WORKLOADS:
            ap.error(f"{workload}: unknown workload; known: {', '.join(WORKLOADS)}")
    if a.scaling:
        return scaling(a)
    if not a.peer:
        ap.error("--peer is missing: the command of the program to compare with")
    compare(a)


if __name__ == "__main__":
    main()
