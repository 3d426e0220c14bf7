#!/usr/bin/env python3
"""Character accuracy of `kiln ocr` on a folder of pages with known text: by page, by kind, and beside earlier runs.

  benches/pages.py [--kiln BINARY] [--pages DIR] [--save TABLE.json] [--against TABLE.json] [NAME ...]
  benches/pages.py --peers [--kiln BINARY] ...     beside RapidOCR (pip install rapidocr onnxruntime) and Tesseract 5, as a Markdown table

DIR holds images and a ground-truth.json that maps file names to lists of lines. Accuracy is 1 - edit distance / length, in upper
case (of mixed text also with its case), only A to Z and 0 to 9, without spaces, and at least 0. A page whose text is empty scores 1 if nothing is read, else 0.
"""
import argparse, json, os, pathlib, statistics, subprocess, sys, time

# What a page shows, by file; anything else is "other". The 18 of "capitals" are PNG and JPEG files of capitals and digits.
KINDS = {
    "capitals": "alphabet_twice.jpg fours.jpg h_scratched.jpg digits_abc.jpg o_sheet.jpg pencil_ruled.jpg torn_paper.jpg"
                " letters_12px.png part_label.jpg label_band.png boxes_band.png digit_boxes.png sudoku_pencil2.jpg"
                " pen_tablet.png white_on_black.jpg half_inverted.jpg turned90.jpg one_digit.jpg",
    "mixed case": "torn_mixed.jpg list_mixed.jpg mixed_digits.jpg",
    "nothing": "symbols.jpg blank_paper.jpg",
    "formats": "alphabet.webp alphabet.tiff alphabet.heic alphabet.pdf",
}
EXTRA = {"symbols.jpg": ["--alphabet", "letters"]}


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def plain(text, keep_case=False):
    return "".join(c for c in (text if keep_case else text.upper()) if c.isascii() and c.isalnum())


def read(kiln, path, options):
    start = time.perf_counter()
    done = subprocess.run([kiln, "ocr", str(path), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, KILN_LOG="error"))
    return done.stdout, done.stderr.strip(), time.perf_counter() - start


def tesseract(path):
    start = time.perf_counter()
    done = subprocess.run(["tesseract", str(path), "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.stdout, time.perf_counter() - start


class RapidOcr:
    """With its defaults: detection, orientation and recognition by the models that its package brings."""

    def __init__(self):
        import rapidocr
        self.engine = rapidocr.RapidOCR(params={"Global.log_level": "error"})

    def __call__(self, path):
        start = time.perf_counter()
        try:
            found = self.engine(str(path)).txts or ()
        except Exception as error:  # A format that its image reader doesn't know.
            print(f"rapidocr: {path.name}: {type(error).__name__}", file=sys.stderr)
            found = ()
        return "\n".join(found), time.perf_counter() - start


def compare(a, truth):
    """Prints a Markdown table of the mean accuracy of each kind, kiln and its peers; pages one after the other, each by all programs."""
    kiln = lambda path: read(a.kiln, path, EXTRA.get(path.name, []))[::2]
    programs = {"kiln": kiln, "RapidOCR": RapidOcr(), "Tesseract 5": tesseract}
    rows = {}
    for name in a.names or truth:
        cells = {}
        for program, run in programs.items():
            text, seconds = run(a.pages / name)
            cells[program] = accuracy(truth[name], text), seconds
        rows[name] = cells
        print(f"{name:<22} " + "  ".join(f"{program} {score:.3f} {seconds:.2f} s" for program, (score, seconds) in cells.items()),
              file=sys.stderr, flush=True)
    print(f"| pages | | {' | '.join(programs)} |\n|---|---|" + "---|" * len(programs))
    for one in [*KINDS, "other"]:
        of_kind = [cells for name, cells in rows.items() if kind(name) == one]
        if of_kind:
            means = [statistics.mean(cells[program][0] for cells in of_kind) for program in programs]
            print(f"| {one} | {len(of_kind)} | " + " | ".join(f"{mean:.2f}" for mean in means) + " |")
    seconds = [statistics.median(cells[program][1] for cells in rows.values()) for program in programs]
    print("| median time | | " + " | ".join(f"{one:.2f} s" for one in seconds) + " |")


def accuracy(truth, text, keep_case=False):
    truth, text = plain(" ".join(truth), keep_case), plain(text, keep_case)
    if not truth:
        return float(not text)
    return max(0.0, 1 - distance(truth, text) / len(truth))


def kind(name):
    return next((kind for kind, names in KINDS.items() if name in names.split()), "other")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kiln", default="kiln")
    parser.add_argument("--pages", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("KILN_DATA", "data")) / "pages")
    parser.add_argument("--save", type=pathlib.Path)
    parser.add_argument("--against", type=pathlib.Path)
    parser.add_argument("--show", action="store_true", help="also prints the text of pages with errors")
    parser.add_argument("--peers", action="store_true", help="compares with RapidOCR and Tesseract")
    parser.add_argument("names", nargs="*")
    a = parser.parse_args()
    truth = json.loads((a.pages / "ground-truth.json").read_text())
    if a.peers:
        return compare(a, truth)
    before = json.loads(a.against.read_text()) if a.against else {}
    table, kept = {}, []
    for name in a.names or truth:
        text, said, seconds = read(a.kiln, a.pages / name, EXTRA.get(name, []))
        table[name] = accuracy(truth[name], text)
        if kind(name) == "mixed case":
            kept.append(accuracy(truth[name], text, keep_case=True))
        earlier = f"{before[name]:.3f} ->" if name in before else ""
        print(f"{kind(name):<11} {name:<22} {earlier:>8} {table[name]:.3f} {seconds:6.2f} s  {said[:110]}", flush=True)
        if a.show and table[name] < 1:
            print("    " + " / ".join(text.splitlines()))
    for one in [*KINDS, "other"]:
        scores = [score for name, score in table.items() if kind(name) == one]
        if scores:
            print(f"{one:<11} mean of {len(scores):>2} {sum(scores) / len(scores):.3f}, least {min(scores):.3f}")
    if kept:
        print(f"mixed case, case kept: mean {sum(kept) / len(kept):.3f}")
    if a.save:
        a.save.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
