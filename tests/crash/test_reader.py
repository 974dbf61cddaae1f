"""Kills readers and stops them by SIGSTOP (sometimes for longer than their session) at seeded moments,
lets another reader join and leave, cuts the link to the database and stops the database. Counts in the
database what Kafka acknowledged to the producer."""

import json
import random
import threading
import time
from datetime import UTC, datetime

import pytest
from confluent_kafka import Producer
from harness import Site
from oracle import Oracle
from realparts import Kafka, Secantus, TcpProxy, wait_until

RATE = 400  # Messages a second.
SESSION_SECONDS = 6  # A broker allows no less.
PATIENCE = 60  # Seconds without a new document, after which what is missing counts as lost.


class Load:
    """Produces heartbeats with a time of their own, and readings without one, whose id is their position
    in Kafka. A message is promised when Kafka has acknowledged it."""

    def __init__(self, site: Site, oracle: Oracle):
        self._topics = [site.topics["heartbeat"], site.topics["reading"]]
        self._oracle = oracle
        self._producer = Producer(
            {"bootstrap.servers": site.bootstrap, "enable.idempotence": True, "linger.ms": 5}
        )
        self._over = threading.Event()
        self.failed = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        self._over.set()
        self._thread.join()

    def _run(self):
        n = 0
        while not self._over.wait(0.05):
            for _ in range(RATE // 20):
                n += 1
                self._send(n)
            self._producer.poll(0)
        self._producer.flush(60)

    def _send(self, n: int):
        value = {"n": n, "tenant_id": "acme", "asset_id": f"truck-{n % 20}", "speed_kmh": n % 90}
        if n % 3:
            value["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds")

        def on_delivery(error, _message):
            if error:
                self.failed += 1
            else:
                self._oracle.promise([n])

        topic = self._topics[0 if n % 3 else 1]
        key = f"acme/truck-{n % 20}"
        self._producer.produce(topic, json.dumps(value).encode(), key, on_delivery=on_delivery)


class Faults:
    """Causes faults in a seeded order. Each fault restores what it has stopped, except that the third
    reader joins and leaves in turn."""

    def __init__(self, chance, readers, database, link):
        self._chance, self._readers = chance, readers
        self._database, self._link = database, link
        self._turns = [self._kill] * 5 + [self._stop_short] * 3 + [self._stop_long]
        self._turns += [self._cut] * 4 + [self._stop_database] * 3 + [self._come_and_go] * 3

    def run(self, count: int, oracle: Oracle):
        while True:
            self._chance.shuffle(self._turns)
            for turn in self._turns:
                if oracle.faults >= count:
                    return
                time.sleep(self._chance.uniform(0.2, 1.5))
                turn()
                oracle.fault()

    def _any(self):
        return self._chance.choice([reader for reader in self._readers if reader.alive()])

    def _kill(self):
        reader = self._any()
        reader.kill()
        reader.start(wait=False)

    def _stop(self, seconds: float):
        reader = self._any()
        reader.freeze()
        time.sleep(seconds)
        reader.thaw()

    def _stop_short(self):
        self._stop(self._chance.uniform(0.2, 3))

    def _stop_long(self):
        """Stops a reader until the group has given its partitions to others; it resumes with its batch."""
        self._stop(SESSION_SECONDS + self._chance.uniform(1, 3))

    def _cut(self):
        self._link.cut()
        time.sleep(self._chance.uniform(0.1, 2))
        self._link.restore()

    def _stop_database(self):
        self._database.freeze()
        time.sleep(self._chance.uniform(0.2, 3))
        self._database.thaw()

    def _come_and_go(self):
        other = self._readers[-1]
        if other.alive():
            assert other.finish() == 0, "a reader that is asked to leave ends well"
        else:
            other.start(wait=False)


def count_found(landing, oracle: Oracle) -> int:
    """Reports the documents to the oracle and returns how many obligations are missing."""
    oracle.forget_found()
    for collection in ("heartbeats", "telemetry_raw"):
        for document in landing.documents(collection):
            oracle.found(document["n"], document["_id"])
    return len(oracle.missing)


def wait_for_all(landing, oracle: Oracle):
    missing, since = None, time.monotonic()
    while time.monotonic() - since < PATIENCE:
        now = count_found(landing, oracle)
        if now == 0:
            return
        if now != missing:
            missing, since = now, time.monotonic()
        time.sleep(1)


@pytest.mark.timeout(7200)
def test_what_kafka_has_lands_once(tmp_path, request, seed, count, campaign):
    oracle = campaign("reader")
    chance = random.Random(f"{seed}/reader")
    with Kafka(tmp_path / "kafka") as kafka, Secantus(tmp_path / "db") as database:
        site = Site(tmp_path, kafka.bootstrap)
        request.node.programs = site.programs
        site.create_topics()
        link = TcpProxy(database.port)
        direct = site.mongo(database.url)
        through = {"_LANDING": f"mongodb://127.0.0.1:{link.port}", "_BATCH_INTERVAL": "100ms"}
        through |= {"_KAFKA_SESSION_TIMEOUT_MS": SESSION_SECONDS * 1000, "_RETRY_DELAY": "1s"}
        readers = [site.reader(direct, f"reader-{i}", **through) for i in range(3)]
        for reader in readers[:2]:
            reader.start()
        load = Load(site, oracle)
        try:
            Faults(chance, readers, database, link).run(count("reader", 16, 300), oracle)
            load.end()
            wait_for_all(direct, oracle)
            assert not load.failed, "the broker is well in this campaign"
            oracle.expect_nothing_lost_or_doubled()
            assert not site.kafka.read(site.dead_letters, seconds=5), (
                "nothing becomes a dead letter because a server was away"
            )
            wait_until(
                lambda: all(reader.ready() for reader in readers if reader.alive()),
                30,
                "the readers to be ready again",
            )
        finally:
            load.end()
            site.close()
            link.close()
