"""Measures the time from the return of a cut link to the first record in Kafka. The agent runs in a network namespace; its link,
a veth pair, is taken down and up while a backlog drains."""

import subprocess
import time
from pathlib import Path

from .bench import Bench, median
from .parts import Agent, Kafka, wait_until

NAMESPACE = "tidegate-bench"
HERE, THERE = "tgbench0", "tgbench1"
ADDRESS_HERE, ADDRESS_THERE = "10.213.7.1", "10.213.7.2"


class Link:
    """The veth pair between this machine and the namespace. While it is down, packets are lost without an error. Needs root."""

    def __enter__(self):
        for words in (f"netns add {NAMESPACE}", f"link add {HERE} type veth peer name {THERE} netns {NAMESPACE}",
                      f"address add {ADDRESS_HERE}/30 dev {HERE}", f"link set {HERE} up",
                      f"-n {NAMESPACE} address add {ADDRESS_THERE}/30 dev {THERE}",
                      f"-n {NAMESPACE} link set {THERE} up", f"-n {NAMESPACE} link set lo up"):
            self._ip(words)
        return self

    def __exit__(self, *_):
        self._ip(f"netns del {NAMESPACE}")

    def down(self):
        self._ip(f"link set {HERE} down")

    def up(self):
        self._ip(f"link set {HERE} up")

    @staticmethod
    def _ip(words: str):
        subprocess.run(["ip", *words.split()], check=True)


class KafkaOnLink(Kafka):
    def _listeners(self, certificates, users) -> str:
        text = super()._listeners(certificates, users)
        text = text.replace(f"listeners=PLAINTEXT://127.0.0.1:{self.port}", f"listeners=PLAINTEXT://0.0.0.0:{self.port}", 1)
        return text.replace(f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}",
                            f"advertised.listeners=PLAINTEXT://{ADDRESS_HERE}:{self.port}", 1)


def link(bench: Bench, cuts: int = 10):
    waits = []
    folder: Path = bench.folder / "link-kafka"
    folder.mkdir()
    with Link() as cable, KafkaOnLink(folder) as kafka:
        agent = Agent(bench.programs, bench.backlog("link"), prefix=("ip", "netns", "exec", NAMESPACE),
                      TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=f"{ADDRESS_HERE}:{kafka.port}")
        agent.start()
        for i in range(cuts):
            wait_until(lambda: agent.acked() > 0, 60, "the backlog to drain", every=0.01)
            time.sleep(0.5)
            cable.down()
            time.sleep(3 + i * 0.7)
            acked = agent.acked()
            if acked >= bench.records:
                break
            cable.up()
            begin = time.monotonic()
            wait_until(lambda: agent.acked() > acked, 120, "the first record after the cut", every=0.002)
            waits.append(time.monotonic() - begin)
        left = bench.records - agent.acked()
        agent.stop()
    bench.row(f"first record in Kafka after a cut of 3–{3 + (cuts - 1) * 0.7:.0f} s, with a backlog, s: median; longest of {len(waits)}",
              f"{median(waits):.2f}; {max(waits):.2f} ({left:,} records left)", "median ≤ 0.4 (peers 0.35–41)")
