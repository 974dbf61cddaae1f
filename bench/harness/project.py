"""Measures landing and projecting in one process against landing alone on the same server."""

import json
import subprocess
import time
from pathlib import Path

from realparts import install

from .bench import Bench, median, spread
from .parts import Secantus, wait_until
from .reader import Reader, fill, new_kafka

PROJECTED = "tidegate_reader_projected_total"


class Run:
    """Lands and projects `count` documents, and measures from the first batch until all are projected."""

    def __init__(self, reader: Reader, count: int):
        reader.start(TIDEGATE_ROLES="land,project")
        first = reader.await_first()
        begin, cpu = time.monotonic(), reader.cpu_seconds()
        self._passed = [(begin, 0)]
        self._landed_at = 0.0

        def look() -> bool:
            now, projected = time.monotonic(), reader.metric(PROJECTED)
            self._passed.append((now, projected))
            if not self._landed_at and reader.done() >= count:
                self._landed_at = now
            return projected >= count

        wait_until(look, 1800, lambda: f"all projected: {self._passed[-1]}", every=0.25)
        end = time.monotonic()
        self.landed = (count - first) / (self._landed_at - begin)
        self.projected = count / (end - begin)
        self.cpu = (reader.cpu_seconds() - cpu) / (count - first)
        self.first_quarter = self._rate(0, count // 4)
        self.last_quarter = self._rate(count * 3 // 4, count)
        reader.stop()

    def _rate(self, first: int, last: int) -> float:
        begin = next(one for one in self._passed if one[1] >= first)
        end = next(one for one in self._passed if one[1] >= last)
        return (end[1] - begin[1]) / (end[0] - begin[0])


def _saves(url: str, database: str) -> dict:
    script = Path(__file__).with_name("saves.py")
    done = subprocess.run([install.python() / "bin/python", script, url, database], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def project(bench: Bench, count: int):
    alone, runs, saves = [], [], []
    with new_kafka(bench, "project") as kafka, Secantus(bench.new_folder("project-mongo")) as mongo:
        fill(bench, kafka, count, f"--cycle={count}")
        for i in range(bench.rounds):
            alone.append(Reader(bench, f"alone{i}", kafka.bootstrap, mongo.url, f"alone{i}").land(count))
            runs.append(Run(Reader(bench, f"all{i}", kafka.bootstrap, mongo.url, f"all{i}"), count))
            saves.append(_saves(mongo.url, f"all{i}"))
    rates = [rate for rate, _ in alone]
    bench.row("documents projected / landed alone, SecantusDB", spread([run.projected / rate for run, rate in zip(runs, rates)]))
    bench.row("documents/s: projected / landed meanwhile / landed alone",
              f"{median(run.projected for run in runs):,.0f} / {median(run.landed for run in runs):,.0f} / {median(rates):,.0f}")
    bench.row("projected/s, the last quarter / the first", spread([run.last_quarter / run.first_quarter for run in runs]))
    bench.row("CPU a document, all threads: landing and projecting / landing alone, µs",
              f"{median(run.cpu for run in runs) * 1e6:.1f} / {median(cpu for _, cpu in alone) * 1e6:.1f}")
    for name in saves[0]:
        if saves[0][name]["saves"]:
            bench.row(f"· {name}: saves a document; projections", f"{median(one[name]['saves'] for one in saves) / count:.3f}; "
                      f"{median(one[name]['projections'] for one in saves):,.0f}")
