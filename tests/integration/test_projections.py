"""Projections while landing and projecting processes are killed in turn, compared with a computation
from the landed documents by other code."""

import json
import random
import threading
import time
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer
from harness import recompute
from harness.programs import kill_at_random
from realparts import wait_until

SECONDS = 12  # How long traffic is sent.
RULE = "temperature_c > 50 clear 45 severity critical"


class Traffic:
    """Sends messages of devices without a gateway, and gap records of gateways. Some messages are sent
    twice, some are late, and some are not valid documents."""

    def __init__(self, site, seed: int):
        self._chance = random.Random(seed)
        self._topics = site.topics | {"machine": f"{site.prefix}.machine"}
        self._producer = Producer({"bootstrap.servers": site.bootstrap, "linger.ms": 5})
        self._now = 1_790_000_000.0
        self._number = 0
        self.sent = dict.fromkeys(self._topics, 0)

    def run(self, seconds: float, rate: float = 150):
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            self.one()
            time.sleep(1 / rate)
        assert self._producer.flush(20) == 0

    def _send(self, topic: str, value: str, key: str | None):
        self._producer.produce(self._topics[topic], value, key)
        self._producer.poll(0)
        self.sent[topic] += 1

    def one(self):
        chance = self._chance
        self._now += chance.uniform(0.1, 30)
        self._number += 1
        at = self._now - (chance.uniform(0, 300) if chance.random() < 0.15 else 0)
        asset = f"a-{chance.randrange(4)}"
        record = {
            "event_id": f"e{self._number}",
            "tenant_id": "acme",
            "asset_id": asset,
            "timestamp": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
        }
        topic = chance.choice(["heartbeat", "reading", "machine"])
        key: str | None = asset
        if topic == "heartbeat":
            record["speed"] = chance.uniform(0, 130)
            key = None  # Without a key they spread over all partitions.
        elif topic == "reading":
            record |= {
                "temperature_c": chance.uniform(20, 70),
                "humidity": chance.randrange(100),
            }
        else:
            record |= {"failure": chance.random() < 0.5, "rpm": chance.uniform(0, 3000)}
        value = json.dumps(record)
        self._send(topic, value, key)
        if chance.random() < 0.1:
            self._send(topic, value, key)
        if chance.random() < 0.03:
            self._send(topic, "{poison", key)
        if chance.random() < 0.03:
            gap = record | {"gateway_id": "gw", "first_seq": 1, "last_seq": 4, "count": 4}
            self._send("gap", json.dumps(gap | {"reason": "store full"}), key)


@pytest.fixture
def roles(site, mongo):
    """One process lands and two project."""
    site.create_topics()
    site.kafka.create(f"{site.prefix}.machine")
    landing = site.mongo(mongo.url)

    def process(name: str, role: str):
        return site.reader(
            landing,
            name=name,
            _ROLES=role,
            _STREAMS="heartbeat,telemetry,alert,gap,machine",
            _STREAM_MACHINE=f"topic={site.prefix}.machine",
            _RULE_HOT=RULE,
            _AGGREGATE_WINDOWS="1m,1h",
            _KAFKA_GROUP_INSTANCE_ID=name,  # A restarted process then gets its partitions at once.
            _KAFKA_AUTO_COMMIT_INTERVAL_MS=300,
        ).start()

    processes = [process("land", "land"), process("p1", "project"), process("p2", "project")]
    return landing, processes


def test_equal_what_has_landed_after_kills(site, roles, request):
    landing, processes = roles
    seed = random.SystemRandom().getrandbits(32)
    request.node.add_report_section("call", "seed", str(seed))
    chance = random.Random(seed)
    traffic = Traffic(site, seed)
    sender = threading.Thread(target=traffic.run, args=(SECONDS,))
    sender.start()
    for process in processes + processes[1:]:
        kill_at_random(process, chance, (0.3, 1.0))
    sender.join()
    for topic in ("heartbeat", "reading", "machine", "gap"):
        name = site.topics.get(topic, f"{site.prefix}.machine")
        count = traffic.sent[topic]
        wait_until(
            lambda name=name, count=count: (
                sum(site.kafka.committed(f"{site.group}-project", name).values()) == count
            ),
            60,
            f"{count} messages of {topic} projected",
        )

    heartbeats = landing.documents("heartbeats")
    readings = landing.documents("telemetry_raw")
    machines = landing.documents("sensor_readings")
    everything = heartbeats + readings + machines
    assert len(heartbeats) > 100 and len(readings) > 100 and len(machines) > 100
    _expect(
        {
            a["_id"]: (a["first_seen"], a["last_seen"], a["documents"], a["last"]["timestamp"])
            for a in landing.documents("assets")
        },
        recompute.assets(everything),
    )
    _expect(
        {
            a["_id"]: (a["count"], a["sum"], a["min"], a["max"])
            for a in landing.documents("aggregated_data")
        },
        recompute.aggregates(everything, "1m", 60) | recompute.aggregates(everything, "1h", 3600),
    )
    _expect(
        {
            f["_id"]: (f["started_at"], f["ended_at"], f["active"], f["readings"], f["reading_ids"])
            for f in landing.documents("failures")
        },
        recompute.failures(machines),
    )
    states = landing.documents("alert_states")
    expected = recompute.alerts(readings, "temperature_c", 50, 45)
    _expect({s["_id"]: (s["raised_at"], s["cleared_at"]) for s in states}, expected)
    assert {s["source"] for s in states} == {"server"}
    assert len(landing.documents("alerts")) == len(expected) + sum(
        cleared is not None for _, cleared in expected.values()
    )
    losses = landing.documents("losses")
    assert {loss["kind"] for loss in losses} <= {"gap"}
    assert len(losses) == len(landing.documents("gaps"))


def test_what_kafka_deleted_before_it_had_landed_is_told(site, mongo):
    site.create_topics(partitions=1)
    landing = site.mongo(mongo.url)
    topic = site.topics["reading"]
    reader = site.reader(landing, _ROLES="land").start()

    def send(count: int):
        for number in range(count):
            value = {"tenant_id": "acme", "asset_id": "a", "event_id": f"{time.time_ns()}-{number}"}
            site.kafka.send(topic, json.dumps(value).encode())

    send(5)
    wait_until(lambda: len(landing.documents("telemetry_raw")) == 5, 30, "five landed")
    assert reader.finish() == 0
    send(10)
    site.kafka.delete_before(topic, 0, 9)
    reader.start()
    wait_until(lambda: len(landing.documents("telemetry_raw")) == 11, 30, "what is left landed")

    (loss,) = wait_until(lambda: landing.documents("losses"), 20, "the loss told")
    assert loss["_id"] == f"{topic}/0/5"
    assert {name: loss[name] for name in ("kind", "topic", "partition", "from", "to", "count")} == {
        "kind": "offsets",
        "topic": topic,
        "partition": 0,
        "from": 5,
        "to": 9,
        "count": 4,
    }


def _expect(actual: dict, expected: dict):
    assert expected, "nothing to compare"
    wrong = {
        key: (actual.get(key), expected.get(key))
        for key in actual.keys() | expected.keys()
        if actual.get(key) != expected.get(key)
    }
    assert not wrong, list(wrong.items())[:3]
