"""The gateway, topics and database of one test, on servers that several tests share."""

import random
from pathlib import Path

from .fleet import Publisher
from .kafka_view import KafkaView
from .landing import MongoLanding, SqliteLanding
from .programs import Agent, Program, Reader

CLASSES = ("heartbeat", "reading", "alert", "gap")


class Site:
    def __init__(self, folder: Path, bootstrap: str):
        self.folder = folder
        self.bootstrap = bootstrap
        self.prefix = f"t{random.Random().getrandbits(40):010x}"
        self.kafka = KafkaView(bootstrap)
        self.topics = {name: f"{self.prefix}.{name}" for name in CLASSES}
        self.dead_letters = f"{self.prefix}.dlq"
        self.parked = f"{self.prefix}.parked"
        self.programs: list[Program] = []
        self._publishers: list[Publisher] = []
        self._landings: list = []

    def agent(self, mqtt_port: int | None = None, name: str = "agent", **settings: object) -> Agent:
        """Returns an agent that is not started. If a broker's port is given, it subscribes to the
        topics of Publisher."""
        ours: dict[str, object] = {
            f"_TOPIC_{name.upper()}": topic for name, topic in self.topics.items()
        }
        ours["_KAFKA_BOOTSTRAP_SERVERS"] = self.bootstrap
        if mqtt_port is not None:
            ours["_INPUT_LOCAL"] = (
                f"mqtt://127.0.0.1:{mqtt_port}/fleet/{{tenant}}/{{asset}}/heartbeat"
            )
        return self._kept(Agent(self.folder / name, ours | settings))

    def reader(self, landing, name: str = "reader", **settings: object) -> Reader:
        """Returns a reader that is not started. All readers of a site are one consumer group."""
        ours: dict[str, object] = {
            "_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "_KAFKA_GROUP_ID": self.group,
            "_DLQ_TOPIC": self.dead_letters,
            "_PARKING_TOPIC": self.parked,
            "_STREAM_HEARTBEAT": f"topic={self.topics['heartbeat']}",
            "_STREAM_TELEMETRY": f"topic={self.topics['reading']}",
            "_STREAM_ALERT": f"topic={self.topics['alert']}",
            "_STREAM_GAP": f"topic={self.topics['gap']}",
        }
        return self._kept(Reader(self.folder / name, ours | landing.settings() | settings))

    @property
    def group(self) -> str:
        return f"{self.prefix}-reader"

    def publisher(self, port: int, **options) -> Publisher:
        made = Publisher(port, **options)
        self._publishers.append(made)
        return made

    def mongo(self, url: str) -> MongoLanding:
        self._landings.append(MongoLanding(url, self.prefix))
        return self._landings[-1]

    def sqlite(self) -> SqliteLanding:
        return SqliteLanding(self.folder / "landing.db", self.prefix)

    def create_topics(self, **config: object):
        self.kafka.create(*self.topics.values(), self.dead_letters, **config)

    def _kept(self, program):
        self.programs.append(program)
        return program

    def close(self):
        for publisher in self._publishers:
            publisher.close()
        for program in self.programs:
            program.stop(seconds=20)
        for landing in self._landings:
            landing.drop()
