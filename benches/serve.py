#!/usr/bin/env python3
"""What `kiln serve` does under load, beside the command line, and while clients misbehave.

    benches/serve.py load --kiln target/release/kiln PAGES         50 requests at once, and `kiln ocr` over the same folder, in turns
    benches/serve.py attack --kiln target/release/kiln             slow connections, huge bodies, long headers, paths, foreign sites
    benches/serve.py watched --kiln target/release/kiln CONFIG     training with and without a client of its events, in turns

PAGES is a folder of images; --draw 50 draws so many pages into it first. Needs a quiet machine for its times, Linux for its memory, and
for `attack` 10,100 open files (ulimit -n). `attack` exits with 1 where a request was answered otherwise than it should be.
"""

import argparse
import filecmp
import http.client
import json
import multiprocessing
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HOST = "127.0.0.1"
# Seconds within which any answer must come.
PATIENCE = 180


class Server:
    """A server at a free port, over the folders that are given."""

    def __init__(self, kiln, *arguments, cwd=None):
        self.process = subprocess.Popen([kiln, "serve", "--bind", f"{HOST}:0", *arguments], cwd=cwd, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.port = int(re.search(r":(\d+)/", line)[1])
        self.said = []
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()

    def megabytes(self, key="VmRSS"):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024

    def processor(self):
        """Seconds of processors that it has used."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, method, path, body=None, headers=()):
        """Status, headers and body of an answer."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def raw(self, request):
        """The status that these bytes are answered with; None if the connection is closed without one."""
        with socket.create_connection((HOST, self.port), timeout=PATIENCE) as stream:
            try:
                stream.sendall(request)
            except OSError:
                pass  # Refused before all was sent.
            try:
                line = stream.recv(64)
            except OSError:
                return None
            return int(line.split()[1]) if line else None

    def end(self):
        self.process.terminate()
        code = self.process.wait(60)
        panics = [line for line in self.said if "panick" in line]
        if code or panics:
            sys.exit(f"the server ended with {code}: {''.join(self.said)}")


class Peak:
    """The most memory that a server uses meanwhile, in MB."""

    def __init__(self, server):
        self.server, self.most, self.over = server, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.wait(0.05):
            self.most = max(self.most, self.server.megabytes())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def share(times, part):
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * part))]


def load(options):
    folder = pathlib.Path(options.folder)
    folder.mkdir(exist_ok=True)
    for number in range(options.draw):
        subprocess.run([options.kiln, "data", "page", "--vary", str(number), folder / f"page{number:03}.png"], check=True, capture_output=True)
    for truth in folder.glob("*.json"):
        truth.unlink()
    pages = sorted(path for path in folder.iterdir() if path.is_file())
    truth = json.loads(subprocess.run([options.kiln, "ocr", folder, "--json"], check=True, capture_output=True).stdout)
    server = Server(options.kiln)
    ratios = []
    try:
        for round in range(options.rounds):
            began = time.perf_counter()
            child = subprocess.Popen([options.kiln, "ocr", folder, "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, _, usage = os.wait4(child.pid, 0)
            alone = time.perf_counter() - began
            times, lost, wrong = [], [], []

            def ask(path, expected):
                began = time.perf_counter()
                status, _, body = server.ask("POST", f"/api/ocr?name={path.name}", path.read_bytes())
                times.append(time.perf_counter() - began)
                if status != 200:
                    lost.append((path.name, status))
                elif json.loads(body)["lines"] != expected["lines"]:
                    wrong.append(path.name)

            threads = [threading.Thread(target=ask, args=pair) for pair in zip(pages, truth)]
            with Peak(server) as peak:
                used, began = server.processor(), time.perf_counter()
                [thread.start() for thread in threads]
                [thread.join() for thread in threads]
                served = time.perf_counter() - began
            used = server.processor() - used
            ratios.append(alone / served)
            print(f"{round + 1}: {len(pages)} at once in {served:.2f} s ({len(pages) / served:.1f} a second), median {share(times, 0.5):.2f} s, "
                  f"99th percentile {share(times, 0.99):.2f} s, {used:.2f} s of processors, {peak.most:.0f} MB, lost {lost}, other than on the command "
                  f"line {wrong}; kiln ocr {alone:.2f} s, {usage.ru_utime + usage.ru_stime:.2f} s of processors, {usage.ru_maxrss / 1024:.0f} MB", flush=True)
        print(f"throughput beside kiln ocr: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")
    finally:
        server.end()


def slow(port, count, opened, over):
    """Connections of which each sends a part of a request and, later, one byte more. In a process of its own: those of Python share time."""
    parts = [b"GET / HTTP/1.1\r\nHost: ", b"", b"G",
             f"POST /api/ocr HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Length: 1000000\r\n\r\nabc".encode()]
    streams = []
    for number in range(count):
        stream = socket.create_connection((HOST, port), timeout=10)
        streams.append(stream)
        send(stream, parts[number % len(parts)])
    opened.set()
    time.sleep(5)
    for stream in streams:
        send(stream, b"x")
    over.wait()


def send(stream, data):
    try:
        stream.sendall(data)
    except OSError:
        pass  # Closed by the server.


def attack(options):
    limit = options.connections + 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    work = tempfile.TemporaryDirectory()
    os.mkdir(f"{work.name}/runs")
    server = Server(options.kiln, "runs", cwd=work.name)
    page = f"{work.name}/page.png"
    subprocess.run([options.kiln, "data", "page", "--text", "HELLO", page], check=True, capture_output=True)
    page = pathlib.Path(page).read_bytes()
    host, bad, waits, over = f"Host: {HOST}:{server.port}\r\n", [], [], threading.Event()

    def others():
        """Somebody else, who asks in the meantime: for a word, and now and then for a page."""
        number = 0
        while not over.wait(0.02):
            number += 1
            began = time.perf_counter()
            try:
                status = server.ask("POST", "/api/ocr", page)[0] if number % 50 == 0 else server.ask("GET", "/healthz")[0]
            except OSError as error:
                status = repr(error)
            waits.append(time.perf_counter() - began)
            if status != 200:
                bad.append(("others", status))

    def expect(what, status, *wanted):
        print(f"{what}: {status}", flush=True)
        if status not in wanted:
            bad.append((what, status))

    other = threading.Thread(target=others)
    with Peak(server) as peak:
        other.start()
        opened, done = multiprocessing.Event(), multiprocessing.Event()
        strangers = multiprocessing.Process(target=slow, args=(server.port, options.connections, opened, done))
        strangers.start()
        if not opened.wait(PATIENCE):
            bad.append(("connections", "not opened"))
        during = len(waits)
        time.sleep(15)
        done.set()
        strangers.join()
        print(f"{options.connections} slow connections: {len(waits)} requests of others, {during} of them while they were opened, "
              f"{peak.most:.0f} MB", flush=True)

        gigabyte = 1 << 30
        expect("a body of 1 GB, announced", server.raw(f"POST /api/ocr HTTP/1.1\r\n{host}Content-Length: {gigabyte}\r\n\r\n".encode()), 413)
        expect("a body of 1 TB, announced", server.raw(f"POST /api/ocr HTTP/1.1\r\n{host}Content-Length: {gigabyte << 10}\r\n\r\n".encode()), 413)
        chunk = b"100000\r\n" + b"\0" * (1 << 20) + b"\r\n"

        def stream_of(megabytes):
            with socket.create_connection((HOST, server.port), timeout=PATIENCE) as stream:
                stream.sendall(f"POST /api/ocr HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n".encode())
                sent = 0
                try:
                    for sent in range(megabytes):
                        stream.sendall(chunk)
                except OSError:
                    pass
                try:
                    line = stream.recv(64)
                except OSError:
                    line = b""
                return (int(line.split()[1]) if line else None), sent

        status, sent = stream_of(1024)
        # The client may see its own reset before the answer.
        expect(f"a body of 1 GB in pieces, cut off after {sent} MB", status, 413, None)
        several = [threading.Thread(target=stream_of, args=(1024,)) for _ in range(20)]
        [thread.start() for thread in several]
        [thread.join() for thread in several]
        print(f"20 bodies of 1 GB at once: {peak.most:.0f} MB", flush=True)
        expect("10 MB of one header", server.raw(f"GET / HTTP/1.1\r\n{host}X: {'a' * 10_000_000}\r\n\r\n".encode()), 431, None)
        expect("100,000 headers", server.raw(f"GET / HTTP/1.1\r\n{host}{''.join(f'X{i}: a' + chr(13) + chr(10) for i in range(100_000))}\r\n".encode()), 431, None)
        expect("an address of 1 MB", server.raw(f"GET /{'a' * 1_000_000} HTTP/1.1\r\n{host}\r\n".encode()), 414, 431, None)
        for path in ["/../../etc/passwd", "/assets/../../etc/passwd", "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/api/runs/..%2f..%2fetc",
                     "/api/runs/%2fetc%2fpasswd", "/api/sweeps/..%2f..", "/api/runs/..%2fpage.png/samples/test/0.png"]:
            expect(path, server.raw(f"GET {path} HTTP/1.1\r\n{host}\r\n".encode()), 400, 404)
        for header in ["Origin: https://evil.example", "Origin: null", f"Origin: http://{HOST}:1", "Sec-Fetch-Site: cross-site"]:
            expect(header, server.ask("POST", "/api/ocr", page, [header.split(": ")])[0], 403)
        expect("Host: evil.example", server.raw(b"GET /api/runs HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421)
        expect("no host", server.raw(b"GET / HTTP/1.1\r\n\r\n"), 400, 421)
        expect("not HTTP", server.raw(os.urandom(4096)), 400, None)
        bomb = subprocess.run([sys.executable, "-c", BOMB], capture_output=True, check=True).stdout
        expect(f"a PNG of 60,000 x 60,000 pixels in {len(bomb)} bytes", server.ask("POST", "/api/ocr", bomb)[0], 422)
        time.sleep(1)
        over.set()
        other.join()
    print(f"others asked {len(waits)} times: the slowest answer took {max(waits):.2f} s; memory {peak.most:.0f} MB")
    server.end()
    # The server says nothing else while it serves.
    bad += [("panicked", line) for line in server.said if "panic" in line]
    sys.exit(f"not as it should be: {bad}" if bad else 0)


BOMB = """
import struct, sys, zlib
def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
rows = zlib.compressobj(9)
data = b''.join(rows.compress(bytes(60001)) for _ in range(60000)) + rows.flush()
sys.stdout.buffer.write(b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 60000, 60000, 8, 0, 0, 0, 0)) + chunk(b'IDAT', data) + chunk(b'IEND', b''))
"""


def watched(options):
    config = pathlib.Path(options.folder).resolve()
    work = tempfile.TemporaryDirectory()
    os.mkdir(f"{work.name}/runs")
    seconds, processor = {False: [], True: []}, {False: [], True: []}
    server = Server(options.kiln, "runs", cwd=work.name)

    def train(name):
        command = [options.kiln, "train", config, "--run-dir", f"runs/{name}", *(f"--set={one}" for one in options.set)]
        began = time.perf_counter()
        child = subprocess.Popen(command, cwd=work.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            sys.exit(f"{name}: training failed")
        return time.perf_counter() - began, usage.ru_utime + usage.ru_stime

    def follow(name, lines):
        for _ in range(600):
            connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE)
            connection.request("GET", f"/api/runs/{name}/events")
            answer = connection.getresponse()
            if answer.status == 200:
                break
            connection.close()
            time.sleep(0.05)
        for line in answer:
            lines.append(line)
            if line.startswith(b"data:") and b"finished" in line:
                return

    train("warm")
    for round in range(options.rounds):
        for is_watched in ([False, True] if round % 2 == 0 else [True, False]):
            name, lines = f"{'watched' if is_watched else 'alone'}{round}", []
            if is_watched:
                threading.Thread(target=follow, args=(name, lines), daemon=True).start()
            for times, one in zip((seconds, processor), train(name)):
                times[is_watched].append(one)
            time.sleep(1)
            epochs = sum(line.startswith(b"event: epoch") for line in lines)
            print(f"{name}: {seconds[is_watched][-1]:.2f} s, {processor[is_watched][-1]:.2f} s of processors"
                  + f", {epochs} epochs followed" * is_watched, flush=True)
        for file in ["model.safetensors", "metrics.jsonl"]:
            if not filecmp.cmp(f"{work.name}/runs/alone{round}/{file}", f"{work.name}/runs/watched{round}/{file}", shallow=False):
                sys.exit(f"{file} differs")
    print("the same bytes")
    # The time of processors is that of training alone, which another program disturbs less.
    for what, times in (("elapsed", seconds), ("of processors", processor)):
        alone, seen = (statistics.median(times[one]) for one in (False, True))
        pairs = [100 * (b / a - 1) for a, b in zip(times[False], times[True])]
        print(f"{what}: medians {alone:.2f} s alone, {seen:.2f} s watched: {100 * (seen / alone - 1):+.1f} %; by pairs "
              f"{', '.join(f'{one:+.1f}' for one in pairs)} %, their median {statistics.median(pairs):+.1f} %")
    server.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["load", "attack", "watched"])
    parser.add_argument("folder", nargs="?", help="PAGES or CONFIG")
    parser.add_argument("--kiln", default="target/release/kiln")
    parser.add_argument("--draw", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--set", nargs="*", default=[], metavar="PATH=VALUE", help="settings of CONFIG for `watched`")
    options = parser.parse_intermixed_args()
    options.kiln = os.path.abspath(options.kiln)
    if options.what != "attack" and not options.folder:
        parser.error("name a folder of pages, or a config")
    {"load": load, "attack": attack, "watched": watched}[options.what](options)


if __name__ == "__main__":
    main()
