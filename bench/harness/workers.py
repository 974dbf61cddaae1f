"""Measures two workers on two partitions against one, with a database that is not the limit."""

import os
import time

from .bench import Bench, median, spread
from .parts import cpu_seconds
from .reader import Reader, Sink, fill, new_kafka

PROCESSES = ("reader", "broker", "sink")


class Run:
    """One run over `count` documents: the rate after the first batch, and the CPU of each process."""

    def __init__(self, bench: Bench, kafka, name: str, number: int, count: int):
        with Sink(bench) as sink:
            reader = Reader(bench, name, kafka.bootstrap, sink.url, "bench", TIDEGATE_WORKERS=str(number))
            reader.start()
            first = reader.await_first()
            pids = (reader.pid, kafka.pid, sink.pid)
            begin, before = time.monotonic(), [cpu_seconds(pid) for pid in pids]
            reader.await_done(count)
            seconds = time.monotonic() - begin
            used = [cpu_seconds(pid) - cpu for pid, cpu in zip(pids, before)]
            assert reader.stop() == 0
            # A rebalance in the middle of the run would land some documents twice.
            assert (taken := sink.finish()) == count, taken
        self.rate = (count - first) / seconds
        self.cpu = [cpu / (count - first) for cpu in used]
        self.cores = sum(used) / seconds


def workers(bench: Bench, count: int):
    """Measures over 5 * count documents, because one worker lands `count` within seconds."""
    count *= 5
    one, two = [], []
    with new_kafka(bench, "workers", num_partitions="2") as kafka:
        fill(bench, kafka, count, "--partitions=2")
        for i in range(bench.rounds):
            one.append(Run(bench, kafka, f"one{i}", 1, count))
            two.append(Run(bench, kafka, f"two{i}", 2, count))
    cores = os.cpu_count()
    bench.row("two workers on two partitions / one, a sink as database", spread([b.rate / a.rate for a, b in zip(one, two)]), "≥ 1.7")
    bench.row("documents/s: two / one", f"{median(r.rate for r in two):,.0f} / {median(r.rate for r in one):,.0f}")
    for i, name in enumerate(PROCESSES):
        bench.row(f"· CPU a document, {name}, µs: two / one", f"{median(r.cpu[i] for r in two) * 1e6:.2f} / {median(r.cpu[i] for r in one) * 1e6:.2f}")
    bench.row(f"· cores in use by all three, of {cores}: two / one", f"{median(r.cores for r in two):.2f} / {median(r.cores for r in one):.2f}")
    bench.row(f"· the ratio at which {cores} cores would be used up", spread([cores / sum(b.cpu) / a.rate for a, b in zip(one, two)]))
