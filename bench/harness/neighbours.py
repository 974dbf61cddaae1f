"""Good vehicles at a fixed rate, with and without one bad neighbour."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .bench import Bench, spread
from .parts import Kafka, new_broker, wait_until

GOOD_BYTES = 310  # Of a good vehicle's payload, about.
PARTITIONS = 3


def heartbeat(number: int, **members) -> str:
    return json.dumps({"speed_kmh": number % 90, "number": number, **members})


def ahead(number: int) -> str:
    then = time.gmtime(time.time() + 7200)
    return heartbeat(number, timestamp=time.strftime("%Y-%m-%dT%H:%M:%S", then) + f".{number % 1000:03}Z")


def members(number: int) -> str:
    names = ",".join(f'"m{i:05}":1' for i in range(4_950))
    return f'{{"number":{number},{names},{names}}}'


def letters(number: int) -> str:
    return "[" + ",".join(["{}"] * 20_000 + [str(number)]) + "]"


@dataclass(frozen=True)
class Kind:
    payload: Callable[[int], str]
    tenant: str = "bad"


KINDS = {
    "clock": Kind(ahead),
    "absent": Kind(heartbeat, tenant="absent"),
    "refused": Kind(lambda number: heartbeat(number, text="x" * 20_000)),
    "malformed": Kind(lambda number: f'{{"number": {number}, "broken'),
    "members": Kind(members),
    "letters": Kind(letters),
    "illegal": Kind(lambda number: heartbeat(number, tenant_id="good")),
    "strangers": Kind(heartbeat, tenant="stranger"),
    "huge": Kind(lambda number: heartbeat(number, text="x" * 250_000)),
}


class BadNeighbour(threading.Thread):
    """Publishes through mosquitto_pub, a line for each message, until it is stopped."""

    def __init__(self, port: int, kind: Kind, messages_a_second: float, bytes_a_second: float):
        super().__init__(daemon=True)
        self._kind, self.published = kind, 0
        self._pause = max(1 / messages_a_second, len(kind.payload(0)) / bytes_a_second)
        self._stopping = threading.Event()
        self._pub = subprocess.Popen(["mosquitto_pub", "-p", str(port), "-q", "1", "-t", f"fleet/{kind.tenant}/bad-1/heartbeat", "-l"],
                                     stdin=subprocess.PIPE, text=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self.join()
        self._pub.stdin.close()
        self._pub.wait(30)

    def run(self):
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            self._pub.stdin.write(self._kind.payload(self.published) + "\n")
            self._pub.stdin.flush()
            self.published += 1
            due += self._pause


class Neighbours:
    def __init__(self, bench: Bench, rate: int, seconds: int):
        self._bench, self._rate, self._count = bench, rate, rate * seconds

    def measure(self, names: list[str]):
        ratios: dict[str, list[float]] = {name: [] for name in names}
        published: dict[str, int] = {}
        for i in range(self._bench.rounds):
            alone = self._run(f"{i}-alone", None)[0]
            for name in names:
                seconds, published[name] = self._run(f"{i}-{name}", KINDS[name])
                ratios[name].append(alone / seconds)
        for name in names:
            self._bench.row(f"good ones' throughput beside a bad neighbour / without it: {name} ({published[name]:,} messages)",
                            spread(ratios[name]), "≥ 0.9")

    def _run(self, name: str, kind: Kind | None) -> tuple[float, int]:
        """Returns the seconds from the first good message to the last one in Kafka, and the bad ones published."""
        bench = self._bench
        with new_broker(bench.folder / f"{name}-broker") as broker, self._new_kafka(name) as kafka:
            self._make_topics(kafka)
            agent = bench.agent(name, TIDEGATE_INPUT_MQTT=bench.topic_uri(broker.port), TIDEGATE_TOPIC_HEARTBEAT="bench.{tenant}",
                                TIDEGATE_TENANTS="demo,good,bad,absent", TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap,
                                TIDEGATE_UPLINK_LINGER="100ms")  # The default of 2 s would be a fifth of the figure, by chance.
            agent.start()
            agent.wait_connected()
            if kind is None:
                seconds, published = self._good(broker.port, kafka), 0
            else:
                with BadNeighbour(broker.port, kind, self._rate / 10, self._rate * GOOD_BYTES / 10) as bad:
                    time.sleep(1)  # The bad one is there first.
                    seconds = self._good(broker.port, kafka)
                published = bad.published
            agent.stop()
        return seconds, published

    def _good(self, port: int, kafka: Kafka) -> float:
        begin = time.monotonic()
        publisher = self._bench.publisher(port, self._count, self._rate)
        wait_until(lambda: self._arrived(kafka) >= self._count, 600, "the good ones' messages in Kafka", every=0.05)
        seconds = time.monotonic() - begin
        publisher.wait()
        return seconds

    def _new_kafka(self, name: str) -> Kafka:
        return Kafka(self._bench.new_folder(f"{name}-kafka"), properties={"auto.create.topics.enable": "false"})

    @staticmethod
    def _make_topics(kafka: Kafka):
        kafka.create_topic("bench.demo", PARTITIONS)
        kafka.create_topic("bench.bad", PARTITIONS, max_message_bytes=10_000)

    @staticmethod
    def _arrived(kafka: Kafka) -> int:
        ends = [word for i in range(PARTITIONS) for word in ("-t", f"bench.demo:{i}:-1")]
        text = subprocess.run(["kcat", "-Q", "-b", kafka.bootstrap, *ends], capture_output=True, text=True, check=False).stdout
        return sum(int(n) for n in re.findall(r"offset (\d+)", text))
