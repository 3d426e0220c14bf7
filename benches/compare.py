#!/usr/bin/env python3
"""kiln against a peer, in turns on the same machine: A B A B A B, medians of the rounds, ratio = kiln / peer.

The peer is any program that prints one JSON object per workload with "samples_per_s" and "peak_mb", as `kiln bench
--json` does, called as  PEER WORKLOAD --mode train|infer --batch N.

  benches/compare.py --peer "python3 peer.py" [--kiln target/release/kiln] [--rounds 3] [WORKLOAD ...]
"""
import argparse, json, shlex, statistics, subprocess

# workload: batch of its recipe
WORKLOADS = {"nist36_mlp": 64, "nist36_cnn": 32}


def run(command):
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    ap.add_argument("--peer", required=True, help="command of the peer")
    ap.add_argument("--kiln", default="target/release/kiln")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--infer-batches", default="1,64")
    a = ap.parse_args()
    print(f"{'workload':<14} {'mode':<6} {'batch':>5} {'kiln/s':>10} {'peer/s':>10} {'ratio':>6} {'kiln MB':>8} {'peer MB':>8}")
    for workload in a.workloads:
        jobs = [("train", WORKLOADS[workload])] + [("infer", int(b)) for b in a.infer_batches.split(",")]
        for mode, batch in jobs:
            tail = ["--mode", mode, "--batch", str(batch)]
            ours, theirs = [], []
            for _ in range(a.rounds):
                ours.append(run([a.kiln, "bench", f"configs/{workload}.json", "--json", *tail]))
                theirs.append(run([*shlex.split(a.peer), workload, *tail]))
            k, p = (statistics.median(r["samples_per_s"] for r in rs) for rs in (ours, theirs))
            km, pm = (max(r["peak_mb"] for r in rs) for rs in (ours, theirs))
            print(f"{workload:<14} {mode:<6} {batch:>5} {k:>10.0f} {p:>10.0f} {k / p:>6.2f} {km:>8} {pm:>8}", flush=True)


if __name__ == "__main__":
    main()
