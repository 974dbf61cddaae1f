"""The reader as a process, the broker that it reads from, and a database that is never the limit."""

import os
import re
import subprocess
import time
import urllib.request

from .bench import Bench
from .parts import TOPIC, Kafka, Process, cpu_seconds, free_ports, tail, wait_until


def new_kafka(bench: Bench, name: str, **properties: str) -> Kafka:
    """Makes a Kafka without retention, because the heartbeats have times in the past. Members that join
    within a second of one another share the partitions from the start; Kafka's default delay is 3 s."""
    kept = {"log.retention.ms": "-1", "group.initial.rebalance.delay.ms": "1000"}
    return Kafka(bench.new_folder(f"{name}-kafka"), properties=kept | {key.replace("_", "."): value for key, value in properties.items()})


def fill(bench: Bench, kafka: Kafka, count: int, *options: str):
    bench.run("tidegate-bench-kafka-raw", kafka.bootstrap, TOPIC, str(count), *options)


class Sink:
    """tests/support/mongo_stub as a database that acknowledges and discards documents."""

    def __init__(self, bench: Bench):
        self._child = subprocess.Popen([bench.programs / "tidegate-mongo-stub", "--sink"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        self.pid = self._child.pid
        self.url = f"mongodb://127.0.0.1:{int(self._child.stdout.readline())}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.kill()
        self._child.communicate()

    def finish(self) -> int:
        """Ends the stub and returns the number of documents that it acknowledged."""
        return int(self._child.communicate()[0].split()[0])


class Reader(Process):
    """A reader that only lands heartbeats, with a consumer group of its own, unless the settings say
    otherwise. After another start() it resumes from its committed offsets. `token` is an operator's;
    `token`-demo sees only the tenant demo."""

    def __init__(self, bench: Bench, name: str, kafka: str, landing: str, database: str, token: str = "", **settings: str):
        folder = bench.folder / name
        folder.mkdir()
        super().__init__("tidegate-reader", folder / "log")
        (self.port,) = free_ports(1)
        self.token = token
        self._command = [bench.programs / "tidegate-reader", "run"]
        self._env = {
            **os.environ,
            "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS": kafka,
            "TIDEGATE_KAFKA_GROUP_ID": name,
            "TIDEGATE_ROLES": "land",
            "TIDEGATE_STREAMS": "heartbeat",
            "TIDEGATE_LANDING": landing,
            "TIDEGATE_DATABASE": database,
            "TIDEGATE_HTTP_LISTEN": f"127.0.0.1:{self.port}",
            "TIDEGATE_API_RATE": "1000",
            **settings,
        }
        if token:
            (folder / "api.tokens").write_text(f"{token} tenants=* role=read\n{token}-demo tenants=demo role=read\n")
            self._env["CREDENTIALS_DIRECTORY"] = str(folder)

    def start(self, **settings: str):
        self.launch(self._command, env=self._env | settings)

    def get(self, path: str, token: str | None = None) -> bytes:
        """Returns the body; raises HTTPError if the status is not 200."""
        token = token or self.token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.read()

    def await_answer(self):
        def answers() -> bool:
            try:
                return bool(self.get("/healthz"))
            except OSError:
                return False

        wait_until(answers, 30, lambda: f"an answer: {tail(self.log)}")

    def metric(self, name: str) -> int:
        """Returns the sum over the metric's labels, or 0 while the reader does not answer. Callers poll
        it seldom, because it shares the machine with what is measured."""
        try:
            text = self.get("/metrics").decode()
        except OSError:
            return 0
        return sum(int(float(value)) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.M))

    def done(self) -> int:
        """Returns the number of messages whose documents landed or existed already."""
        return self.metric("messages_processed_total")

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid)

    def await_first(self) -> int:
        """Waits until the first batch has landed and returns its size."""
        return wait_until(self.done, 60, lambda: f"the first documents: {tail(self.log)}", every=0.01)

    def await_done(self, count: int, seconds: float = 900):
        wait_until(lambda: self.done() >= count, seconds, lambda: f"{count} documents: {tail(self.log)}", every=0.1)

    def land(self, count: int) -> tuple[float, float]:
        """Lands `count` documents. Returns the documents per second after the first batch, and the CPU
        seconds for each."""
        self.start()
        first = self.await_first()
        begin, cpu = time.monotonic(), self.cpu_seconds()
        self.await_done(count)
        seconds, cpu = time.monotonic() - begin, self.cpu_seconds() - cpu
        self.stop()
        return (count - first) / seconds, cpu / (count - first)
