#!/usr/bin/env python3
"""Measures the reader against baselines in the same run and prints a table in Markdown.

    bench/reader.py [--bin build/release/bin] [--rounds 3] [--count 200000] [all | NAME ...]

land     landed documents per second / libmongoc alone inserting the same documents into the same server, duplicates, CPU by stage
workers  two workers on two partitions / one, with a database that discards documents; CPU of reader, broker and database
project  documents projected per second while they land / landed without projecting, CPU, saves
api      p50 and p99 of the HTTP API's lists while documents land and are projected / on an idle reader

The script needs the programs of preset release with -DTIDEGATE_TESTS=ON -DTIDEGATE_BENCH=ON, and tests/realparts.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import api, land, project, workers  # noqa: E402
from harness.bench import Bench  # noqa: E402
from harness.parts import ROOT  # noqa: E402

STEPS = {"land": land.land, "workers": workers.workers, "project": project.project, "api": api.api}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="where data goes: a real file system")
    parser.add_argument("what", nargs="*", default="all", choices=["all", *STEPS], metavar="NAME")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    names = list(STEPS) if "all" in options.what else options.what
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        bench = Bench(options.bin.resolve(), Path(folder), options.rounds)
        bench.header()
        for name in names:
            STEPS[name](bench, options.count)


if __name__ == "__main__":
    main()
