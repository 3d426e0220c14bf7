"""The table of `src/ocr/mixed/sizes.rs`: where the top and foot of each lower-case letter and mark lie, in heights of an x.

    python benches/letter_sizes.py $KILN_DATA/unipen-lower

Median, and half the distance between the 16th and 84th percentile (a standard deviation, if it were normal), over the train and extra
splits' segments with a known place. The foot is `y + h`; both count downwards from the base line.
"""
import gzip, json, sys

PUNCTUATION = ".,:;!?'\"()-+/#&@%$*="
places = {}
with gzip.open(sys.argv[1] + "/strokes.jsonl.gz", "rt") as lines:
    for line in map(json.loads, lines):
        c = line["c"]
        wanted = c.islower() or c in PUNCTUATION
        if wanted and line["split"] in ("train", "extra") and line["y"] is not None and line["h"] is not None:
            places.setdefault(c, []).append((line["y"], line["y"] + line["h"]))


def middle(values):
    values = sorted(values)
    at = lambda share: values[min(len(values) - 1, int(share * len(values)))]
    return at(0.5), (at(0.84) - at(0.16)) / 2


order = sorted(c for c in places if c.islower()) + [c for c in PUNCTUATION if c in places]
for c in order:
    (top, top_spread), (foot, foot_spread) = (middle([p[i] for p in places[c]]) for i in (0, 1))
    print(f"    ({c!r}, {top:.2f}, {top_spread:.2f}, {foot:.2f}, {foot_spread:.2f}), // {len(places[c])}")
