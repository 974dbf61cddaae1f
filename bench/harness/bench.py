"""What all measurements use: programs, folders, the table, and a backlog that is made once."""

import datetime
import os
import platform
import re
import shutil
import statistics
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .parts import ROOT, Agent, DevBroker, Kafka, new_broker, wait_until


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def spread(values: list[float], digits: int = 2) -> str:
    """Returns the median and, if there are several rounds, each of them in parentheses."""
    text = f"{median(values):,.{digits}f}"
    return text if len(values) == 1 else f"{text} ({', '.join(f'{v:,.{digits}f}' for v in values)})"


def machine() -> str:
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    return f"{os.cpu_count()} cores of {cpu}, Linux {platform.release().split('-')[0]}"


def commit() -> str:
    def git(*words):
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True)
        return done.stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (" with changes" if git("status", "--porcelain") else "")


@dataclass
class Bench:
    programs: Path
    folder: Path
    rounds: int = 3
    records: int = 1_000_000  # In the backlog.
    flash_seconds: int = 300
    kafka: str = "real"
    _backlog: Path | None = None

    def header(self):
        load = os.getloadavg()[0]
        print(f"{datetime.date.today()}, commit {commit()}, {machine()}, load {load:.1f} before\n")
        print("| figure | measured | target |\n| --- | --- | --- |", flush=True)

    @staticmethod
    def row(what: str, figure: str, target: str = ""):
        print(f"| {what} | {figure} | {target} |", flush=True)

    def run(self, program: str, *words: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run([self.programs / program, *words], capture_output=True, text=True,
                              env={**os.environ, **(env or {})}, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{program} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def agent(self, name: str, **settings: str) -> Agent:
        return Agent(self.programs, self.folder / name, **settings)

    def new_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def new_kafka(self, name: str) -> DevBroker | Kafka:
        folder = self.new_folder(f"{name}-kafka")
        return Kafka(folder) if self.kafka == "real" else DevBroker(self.programs, folder)

    @property
    def kafka_name(self) -> str:
        return "Kafka 4" if self.kafka == "real" else "mock brokers"

    @staticmethod
    def topic_uri(port: int, root: str = "fleet") -> str:
        return f"mqtt://127.0.0.1:{port}/{root}/{{tenant}}/{{asset}}/heartbeat"

    def publish(self, port: int, count: int, rate: int = 0, root: str = "fleet"):
        self.publisher(port, count, rate, root).communicate()

    def publisher(self, port: int, count: int, rate: int, root: str = "fleet") -> subprocess.Popen:
        """Starts a publisher; with count 0 it publishes until it is terminated."""
        return subprocess.Popen(
            [self.programs / "tidegate-sim", "--assets", "100", "--rate", str(rate), "--count", str(count),
             "--seed", "1", "--quiet", "--mqtt", self.topic_uri(port, root)],
            stdout=subprocess.DEVNULL)

    def backlog(self, name: str) -> Path:
        """Makes a folder `name` with the store of an agent that has no Kafka. Its commits hold 20
        records each, as at 100 messages a second."""
        if self._backlog is None:
            self._backlog = self.folder / "backlog"
            # The broker sends at most 20 unacknowledged messages, so each commit holds 20.
            with new_broker(self.folder / "backlog-broker", in_flight=20) as broker:
                agent = Agent(self.programs, self._backlog, TIDEGATE_INPUT_MQTT=f"{self.topic_uri(broker.port)}?receive_maximum=20",
                              TIDEGATE_DURABILITY="process-safe")
                agent.start()
                agent.wait_connected()
                self.publish(broker.port, self.records, rate=30_000)
                wait_until(lambda: agent.settled() >= self.records, 600, "the backlog to be stored")
                agent.stop()
        shutil.copytree(self._backlog, self.folder / name, ignore=shutil.ignore_patterns("*.sock", "log"))
        return self.folder / name
