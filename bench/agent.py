#!/usr/bin/env python3
"""Measures the whole agent against baselines in the same run and prints a table in Markdown.

    bench/agent.py [--bin build/release/bin] [--rounds 3] [--kafka real|mock] [all | NAME ...]

ingest  durable ingest over MQTT (PUBACK after fsync) / the rate at which the same broker delivers to a discarding subscriber
path    the agent's CPU for each record from MQTT to Kafka, by stage / that of the discarding subscriber
drain   draining a backlog / librdkafka alone producing the same messages with the same settings to the same Kafka
start   time from exec to READY=1 with a backlog, and the bytes on disk of that backlog
memory  PSS with a backlog, while ingesting, and while ingesting and draining
wire    bytes sent to Kafka for each record, draining and live
flash   bytes written for each payload byte at 1 to 1,000 messages a second, by the process and at a block device
link    time from the return of a cut link to the first record in Kafka
scale   the store's append, next and delete at backlogs of different sizes (store_bench)

A backlog is 1,000,000 records in commits of 20, as 100 messages a second produce them; --records changes the number. flash and
link need root (a loop device, a network namespace). The script needs mosquitto, iproute2, the programs of preset release with
-DTIDEGATE_TESTS=ON -DTIDEGATE_BENCH=ON, and, for a real Kafka, tests/realparts.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import backlog, flash, ingest, link  # noqa: E402
from harness.bench import Bench  # noqa: E402
from harness.parts import ROOT  # noqa: E402

STEPS = {
    "ingest": ingest.ingest,
    "path": ingest.path,
    "drain": backlog.drain,
    "start": backlog.start,
    "memory": backlog.memory,
    "wire": backlog.wire,
    "flash": flash.flash,
    "link": link.link,
    "scale": backlog.scale,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=1_000_000, help="of a backlog")
    parser.add_argument("--flash-seconds", type=int, default=300)
    parser.add_argument("--kafka", choices=("real", "mock"), default="real", help="for drain")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="where data goes: a real file system")
    parser.add_argument("what", nargs="*", default=["all"], choices=["all", *STEPS], metavar="NAME")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    names = list(STEPS) if "all" in options.what else options.what
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        bench = Bench(options.bin.resolve(), Path(folder), options.rounds, options.records, options.flash_seconds, options.kafka)
        bench.header()
        for name in names:
            STEPS[name](bench)


if __name__ == "__main__":
    main()
