#!/usr/bin/env python3
"""Measures what one bad neighbour costs the good ones, against the same run without it, and prints a table in Markdown.

    bench/neighbours.py [--bin build/release/bin] [--rounds 3] [--rate 2000] [--seconds 10] [all | NAME ...]

One hundred good vehicles publish at a fixed rate; a bad one publishes a tenth of their messages, or a tenth of their bytes where
that is less. A figure is the good ones' throughput, from the first message to the last one in Kafka, divided by that without the
bad one. Real mosquitto, real Kafka, the agent as it is packaged.

clock      its clock is two hours ahead, which Kafka 4 refuses as a timestamp
absent     its tenant's topic does not exist
refused    its records are larger than its tenant's topic accepts
malformed  its payloads are no JSON
members    its payloads have thousands of members, each twice
letters    its payloads are arrays of thousands of elements that are refused
illegal    its payloads name a tenant that contradicts its topic
strangers  its tenant is not on the allow list
huge       its payloads are as large as the agent accepts

The script needs mosquitto-clients, kcat, the programs of preset release, and tests/realparts.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness.bench import Bench  # noqa: E402
from harness.neighbours import KINDS, Neighbours  # noqa: E402
from harness.parts import ROOT  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=2000, help="messages a second of the good vehicles")
    parser.add_argument("--seconds", type=int, default=10, help="how long they publish")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="where data goes: a real file system")
    parser.add_argument("what", nargs="*", default=["all"], choices=["all", *KINDS], metavar="NAME")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    names = list(KINDS) if "all" in options.what else options.what
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        bench = Bench(options.bin.resolve(), Path(folder), options.rounds)
        bench.header()
        Neighbours(bench, options.rate, options.seconds).measure(names)


if __name__ == "__main__":
    main()
