#!/usr/bin/env python3
"""Trains one run on two "hosts": network namespaces of this machine with a core each, and a link of a given rate between them.

  benches/network.py --kiln KILN speed [--rates 10000,1000] [--rounds 3] [NAME ...]   samples per second, on two hosts and on one
  benches/network.py --kiln KILN cut [--rate 1000] [--timeout 5]                      the link is cut without a word in the middle of a run
                                                                                      and what the cost model says of them

Each host is a namespace with its own network device and host name; between them is a third one with a bridge, where the link is cut, so that
neither host is told. `tc` (token bucket) limits what each host sends. A rate is in Mbit/s; 0 is the bare pair of virtual devices. Needs root, `ip`,
`tc`, MPICH, two cores and a kiln that was built with --features mpi; for nist36 and flowers17, KILN_DATA with these sets.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOSTS = {"kiln-a": "10.77.0.1", "kiln-b": "10.77.0.2"}
SWITCH = "kiln-switch"
# Bytes that may leave at once; a packet that the kernel has put together has up to 64 KiB.
BURST = 256 * 1024

# What hydra starts instead of ssh: HOST COMMAND..., as ssh would. Each host has a core and a name of its own.
LAUNCHER = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
case "$1" in
  10.77.0.1) host=kiln-a core=0 ;;
  *) host=kiln-b core=1 ;;
esac
shift
exec ip netns exec $host unshare --uts sh -c "hostname $host; exec taskset -c $core $*"
"""

# Whether a host is there: it refuses what nobody listens to.
REACH = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 9), timeout=1)
except ConnectionRefusedError:
    sys.exit(0)
except OSError:
    sys.exit(1)
"""

GLYPHS = {"kind": "glyphs", "size": 16, "train": 3600, "valid": 72, "test": 36}


def mlp(hidden):
    """A network of chosen size, whose steps are mostly exchange."""
    return {"data": GLYPHS, "model": {"kind": "mlp", "hidden": hidden, "activation": "relu"},
            "optimizer": {"kind": "sgd", "lr": 0.001}}


# name: config, or the file of one; batch; epochs; parameters that train.
RUNS = {
    "mlp_8": (mlp([8]), 64, 5, 2_380),
    "mlp_2048": (mlp([2048, 2048]), 64, 2, 4_796_452),
    "nist36_cnn_64": ("nist36_cnn.json", 64, 2, 626_916),
    "nist36_cnn_256": ("nist36_cnn.json", 256, 2, 626_916),
    "squeezenet_head_32": ("flowers17_squeezenet.json", 32, 2, 8_721),
}
# The constants of the cost model are taken from these; the others are predicted.
SMALL, LARGE = "mlp_8", "mlp_2048"


def sh(*command, check=True):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and result.returncode:
        sys.exit(f"error: {' '.join(command)}: {result.stdout.strip()}")
    return result.returncode == 0


class Network:
    """The namespaces; gone when the program ends."""

    def __init__(self, rate):
        self.down()
        sh("ip", "netns", "add", SWITCH)
        sh("ip", "-n", SWITCH, "link", "add", "bridge", "type", "bridge")
        sh("ip", "-n", SWITCH, "link", "set", "bridge", "up")
        for host, address in HOSTS.items():
            inner, outer = f"{host}-in", f"{host}-out"
            sh("ip", "netns", "add", host)
            sh("ip", "-n", host, "link", "set", "lo", "up")
            sh("ip", "link", "add", inner, "netns", host, "type", "veth", "peer", "name", outer, "netns", SWITCH)
            sh("ip", "-n", host, "address", "add", f"{address}/24", "dev", inner)
            sh("ip", "-n", host, "link", "set", inner, "up")
            sh("ip", "-n", SWITCH, "link", "set", outer, "master", "bridge")
            sh("ip", "-n", SWITCH, "link", "set", outer, "up")
            if rate:
                sh("ip", "netns", "exec", host, "tc", "qdisc", "add", "dev", inner, "root", "tbf", "rate", f"{rate}mbit",
                   "burst", str(BURST), "latency", "50ms")
        for _ in range(50):
            if sh("ip", "netns", "exec", "kiln-a", sys.executable, "-c", REACH, HOSTS["kiln-b"], check=False):
                return
        sys.exit("error: the hosts do not reach each other")

    def cut(self):
        """Packets between the hosts are lost from now on; both devices stay up."""
        sh("ip", "-n", SWITCH, "link", "set", "kiln-b-out", "nomaster")

    @staticmethod
    def down():
        for name in [*HOSTS, SWITCH]:
            sh("ip", "netns", "delete", name, check=False)


class Bench:
    """A folder for runs."""

    def __init__(self, kiln):
        self.kiln = str(pathlib.Path(kiln).resolve())
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-network-"))
        self.launcher = self.folder / "launcher"
        self.launcher.write_text(LAUNCHER)
        self.launcher.chmod(0o755)
        self.hosts = self.folder / "hosts"
        self.hosts.write_text("".join(f"{address}:1\n" for address in HOSTS.values()))

    def train(self, name, run, overrides=(), part=1):
        """The command that trains one of RUNS, or with batches that are smaller by `part`."""
        config, batch, epochs, _ = RUNS[name]
        if isinstance(config, str):
            path = ROOT / "configs" / config
        else:
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(config))
        arguments = ["train", str(path), "--run-dir", str(run)]
        for change in [f"training.batch_size={batch // part}", f"training.epochs={epochs}", *overrides]:
            arguments += ["--set", change]
        return [self.kiln, *arguments]

    def on_two_hosts(self, command):
        """The same as two ranks, one on each host, started from the first."""
        env = {
            "HYDRA_HOST_FILE": str(self.hosts), "HYDRA_IFACE": "kiln-a-in", "HYDRA_LAUNCHER": "ssh",
            "HYDRA_LAUNCHER_EXEC": str(self.launcher), "RAYON_NUM_THREADS": "1",
            # UCX would find that both are one machine, and pass messages through its memory.
            "UCX_TLS": "tcp,self",
        }
        inside = ["ip", "netns", "exec", "kiln-a", "unshare", "--uts", "sh", "-c", 'hostname kiln-a; exec "$@"', "sh"]
        variables = [f"{key}={value}" for key, value in {**env, **kiln_data()}.items()]
        return [*inside, "taskset", "-c", "0", "env", *variables, *command, "--ranks", "2"]

    def speed(self, command, run):
        """Samples per second of training, the best epoch's: others of the machine's programs only take time away."""
        result = subprocess.run(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, "RAYON_NUM_THREADS": "1", **kiln_data()})
        if result.returncode:
            sys.exit(f"error: {' '.join(command)}\n{result.stderr}")
        lines = (run / "timing.jsonl").read_text().splitlines()
        shutil.rmtree(run)
        return max(json.loads(line)["samples_per_second"] for line in lines)


def kiln_data():
    data = os.environ.get("KILN_DATA")
    return {"KILN_DATA": str(pathlib.Path(data).resolve())} if data else {}


def speed(args):
    bench = Bench(args.kiln)
    run = bench.folder / "run"
    rates = [int(rate) for rate in args.rates.split(",")]
    found = {}
    for _ in range(args.rounds):
        for name in args.names or RUNS:
            speeds = found.setdefault(name, {})
            for key, part in [("one", 1), ("half", 2)]:
                command = bench.train(name, run, part=part)
                speeds.setdefault(key, []).append(bench.speed(["taskset", "-c", "0", *command], run))
            for rate in rates:
                Network(rate)
                command = bench.train(name, run)
                speeds.setdefault(str(rate), []).append(bench.speed(bench.on_two_hosts(command), run))
                Network.down()
            print(json.dumps({name: {key: values[-1] for key, values in speeds.items()}}), flush=True)
    shutil.rmtree(bench.folder)
    best = {name: {key: max(values) for key, values in speeds.items()} for name, speeds in found.items()}
    print(f"{'':20}{'one host':>12}" + "".join(f"{rate:>10} Mbit/s" for rate in rates))
    for name, speeds in best.items():
        row = "".join(f"{speeds[str(rate)]:>10.0f} {speeds[str(rate)] / speeds['one']:>6.2f}" for rate in rates)
        print(f"{name:20}{speeds['one']:>12.0f}{row}")
    print(json.dumps(best))
    if SMALL in best and LARGE in best and len(rates) > 1:
        model(best, rates)


def model(best, rates):
    """Prints what the cost model (docs/many-machines.md) says, with the constants that SMALL and LARGE give.

    A step of two ranks takes the compute time of half a batch, two exchanges, the time of 4 P bytes on the link, and a time per parameter.
    """
    def extra(name, rate):
        """Seconds of a step that are no computing."""
        batch = RUNS[name][1]
        return batch / best[name][str(rate)] - batch / 2 / best[name]["half"]

    exchange = statistics.mean(extra(SMALL, rate) for rate in rates) / 2
    slow, fast = min(rates), max(rates)
    count = RUNS[LARGE][3]
    bits = 32 * count * (1 / (slow * 1e6) - 1 / (fast * 1e6))
    usable = bits / (extra(LARGE, slow) - extra(LARGE, fast))
    per_parameter = (extra(LARGE, fast) - 2 * exchange - 32 * count / (fast * 1e6 * usable)) / count
    print(f"an exchange takes {exchange * 1e6:.0f} us; {usable:.2f} of a link's rate is used; {per_parameter * 1e9:.2f} ns per parameter")
    print(f"{'':20}{'Mbit/s':>8}{'predicted':>12}{'measured':>10}")
    for name in best:
        batch, _, count = RUNS[name][1:]
        if 8 * count < BURST:
            # What fits into the bucket is not delayed, as it would be on a real link.
            continue
        for rate in rates:
            seconds = batch / 2 / best[name]["half"] + 2 * exchange + count * per_parameter + 32 * count / (rate * 1e6 * usable)
            predicted, measured = batch / seconds, best[name][str(rate)]
            print(f"{name:20}{rate:>8}{predicted:>12.0f}{measured:>10.0f} {100 * (predicted / measured - 1):>+6.1f} %")


def cut(args):
    bench = Bench(args.kiln)
    name = "nist36_cnn_64" if "KILN_DATA" in os.environ else LARGE
    changes = [f"parallel.timeout_s={args.timeout}", "training.epochs=3"]
    straight, run = bench.folder / "straight", bench.folder / "run"
    Network(args.rate)
    subprocess.run(bench.on_two_hosts(bench.train(name, straight, changes)), check=True, stderr=subprocess.DEVNULL)
    network = Network(args.rate)
    process = subprocess.Popen(bench.on_two_hosts(bench.train(name, run, changes)), stderr=subprocess.PIPE, text=True)
    metrics = run / "metrics.jsonl"
    while not metrics.exists() or not metrics.read_text():
        time.sleep(0.05)
    time.sleep(1)
    network.cut()
    began = time.time()
    ended = {}
    while "all" not in ended and time.time() - began < args.timeout + 60:
        left = ranks(bench.kiln)
        if len(left) < 2:
            ended.setdefault("one rank", time.time() - began)
        if not left:
            ended.setdefault("both ranks", time.time() - began)
        if process.poll() is not None:
            ended["all"] = time.time() - began
        time.sleep(0.05)
    process.kill()
    print(f"seconds from the cut: {ended}; exit code {process.wait()}")
    print("".join(line for line in process.stderr if "error" in line or "rank" in line))
    Network(args.rate)
    resume = [bench.kiln, "train", "--resume", str(run)]
    subprocess.run(bench.on_two_hosts(resume), check=True, stderr=subprocess.DEVNULL)
    same = [(straight / file).read_bytes() == (run / file).read_bytes()
            for file in ("model.safetensors", "metrics.jsonl", "summary.json")]
    print("resumed:", "the same bytes" if all(same) else "OTHER BYTES")
    shutil.rmtree(bench.folder)
    sys.exit(0 if all(same) and "all" in ended else 1)


def ranks(kiln):
    """The processes of the ranks: those of the program that MPICH has given a number."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            is_kiln = (folder / "exe").resolve() == pathlib.Path(kiln)
            if is_kiln and b"PMI_RANK=" in (folder / "environ").read_bytes():
                found.append(folder.name)
        except OSError:
            continue
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kiln", default=str(ROOT / "target/release/kiln"))
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("speed")
    verb.add_argument("--rates", default="10000,1000")
    verb.add_argument("--rounds", type=int, default=3)
    verb.add_argument("names", nargs="*")
    verb.set_defaults(work=speed)
    verb = verbs.add_parser("cut")
    verb.add_argument("--rate", type=int, default=1000)
    verb.add_argument("--timeout", type=int, default=5)
    verb.set_defaults(work=cut)
    args = parser.parse_args()
    try:
        args.work(args)
    finally:
        Network.down()


if __name__ == "__main__":
    main()
