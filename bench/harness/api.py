"""Measures the HTTP API's lists while documents land and are projected at full speed, against an idle reader. The database is
SQLite, which reads lists through indexes; SecantusDB scans and sorts the whole collection."""

import json
import threading
import time
from collections.abc import Callable

from .bench import Bench, median, spread
from .project import PROJECTED
from .reader import Reader, fill, new_kafka

TOKEN = "bench-token-of-an-operator"
PATHS = {
    "/telemetry": "/telemetry?stream=heartbeat&limit=100",
    "/devices": "/devices?limit=100",
    "/aggregated": "/aggregated?limit=100",
    "/alerts": "/alerts?limit=100",
    "/devices/{id}/telemetry": "/devices/{device}/telemetry?stream=heartbeat&limit=100",
}
RATE = 20  # Requests a second.
SECONDS = 15


class Load:
    """Sends requests at fixed times, whether or not earlier ones are answered. A time counts from the moment at which its
    request was due."""

    def __init__(self, reader: Reader, going_on: Callable[[], bool]):
        self._reader = reader
        self.times: dict[str, list[float]] = {name: [] for name in PATHS}
        self._failed: list[str] = []
        (device,) = {one["device_id"] for one in self._items("/devices?limit=1")}
        threads, begin, names = [], time.monotonic() + 0.1, list(PATHS)
        for i in range(RATE * SECONDS):
            due = begin + i / RATE
            name = names[i % len(names)]
            time.sleep(max(0.0, due - time.monotonic()))
            thread = threading.Thread(target=self._ask, args=(name, PATHS[name].format(device=device), due))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
        assert not self._failed, self._failed[:3]
        assert going_on(), "the documents ran out: give more by --count"

    def _items(self, path: str) -> list:
        return json.loads(self._reader.get(path, f"{TOKEN}-demo"))["items"]

    def _ask(self, name: str, path: str, due: float):
        try:
            items = self._items(path)
            self.times[name].append(time.monotonic() - due)
            if not items:
                self._failed.append(f"{path}: an empty list")
        except OSError as error:
            self._failed.append(f"{path}: {error}")

    def all(self) -> list[float]:
        return [one for times in self.times.values() for one in times]


def _percentile(times: list[float], share: float) -> float:
    """Returns the percentile in ms of times in seconds."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1e3


def api(bench: Bench, count: int):
    """Measures over 3 * count documents; the first `count` of them land before the first request."""
    idle, busy, rates, total = [], [], [], 3 * count
    with new_kafka(bench, "api") as kafka:
        # The reader applies rules to messages without headers, so there are alerts to list.
        fill(bench, kafka, total, f"--cycle={total}", "--plain")
        for i in range(bench.rounds):
            reader = Reader(bench, f"api{i}", kafka.bootstrap, f"sqlite:{bench.folder}/api{i}.db", "bench", token=TOKEN,
                            TIDEGATE_TENANT="demo", TIDEGATE_RULE_HOT="temperature_c > 50 clear 48")
            reader.start(TIDEGATE_ROLES="land,project,api")
            reader.await_done(count)
            reader.stop()
            reader.start(TIDEGATE_ROLES="api")
            reader.await_answer()
            idle.append(Load(reader, lambda: True))
            reader.stop()
            reader.start(TIDEGATE_ROLES="land,project,api")
            landed = reader.await_first()
            begin = time.monotonic()
            busy.append(Load(reader, lambda: reader.metric(PROJECTED) < total - count))
            landed, seconds = reader.done() - landed, time.monotonic() - begin
            rates.append(landed / seconds)
            reader.stop()

    def row(what: str, times: Callable[[Load], list[float]]):
        for share in (0.5, 0.99):
            ms = [[_percentile(times(load), share) for load in loads] for loads in (busy, idle)]
            bench.row(f"p{share * 100:.0f} of {what}, ms: documents landing / idle; ratio",
                      f"{median(ms[0]):.1f} / {median(ms[1]):.1f}; {spread([a / b for a, b in zip(*ms)])}")

    row(f"all lists, {RATE} requests/s", Load.all)
    bench.row("· documents/s that landed meanwhile, SQLite", f"{median(rates):,.0f}")
    for name in PATHS:
        row(f"· {name}", lambda load, name=name: load.times[name])
