"""The readers that this one replaces, each started as its own documents say: their environment,
their message, and the document, metrics and endpoints that their users know. Variables of ours are
named only where nothing of theirs could say it."""

import datetime
import json
import re
import struct

import pytest
from harness import Reader
from realparts import wait_until

UTC = datetime.UTC


class Start:
    """A reader with nothing but somebody else's environment."""

    def __init__(self, site, mongo, environment: dict[str, str]):
        self.site = site
        self.environment = environment
        self.database = site.prefix
        self.landing = site.mongo(mongo.url)
        self.reader = Reader(site.folder / "reader", environment)
        site.programs.append(self.reader)

    def run(self):
        self.reader.start()
        return self

    def documents(self, collection: str, count: int = 1) -> list[dict]:
        def landed():
            found = self.landing.documents(collection)
            return found if len(found) >= count else None

        return wait_until(
            landed,
            30,
            lambda: f"{count} in {collection}: {self.landing.documents(collection)}",
            0.2,
        )

    def metric_names(self) -> set[str]:
        _, text = self.reader.fetch("/metrics")
        return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}

    def letters(self, topic: str, count: int = 1) -> list:
        wait_until(lambda: self.site.kafka.count(topic) >= count, 30, f"{count} in {topic}", 0.5)
        return self.site.kafka.read(topic)


@pytest.fixture
def start(site, mongo):
    def make(**environment: str) -> Start:
        return Start(site, mongo, environment)

    return make


def members(document: dict, *ours: str) -> dict:
    """What the producer sent, without what the landing adds."""
    return {k: v for k, v in document.items() if k not in {"_id", "tidegate", *ours}}


def test_the_heartbeat_reader(site, mongo, start):
    topic = f"{site.prefix}.telematics_heartbeat"
    site.kafka.create(topic)
    address = mongo.url.removeprefix("mongodb://").rstrip("/").split("/")[0]
    port = site.reader(site.sqlite(), name="port").http_port
    one = start(
        FD_SERVICE_NAME="fd-reader-heartbeat-blob",
        FD_KAFKA_TOPIC=topic,
        FD_MONGO_COLLECTION_NAME="heartbeats",
        FD_LOG_LEVEL="INFO",
        FD_METRICS_PORT=str(port),
        FD_MAX_RETRIES="5",
        FD_RETRY_DELAY="30",
        KAFKA_BROKER=site.bootstrap,
        MONGO_DB_HOST=address,
        MONGO_DB_DATABASE=site.prefix,
    )
    one.reader.settings.pop("_HTTP_LISTEN")
    one.reader.http_port = port
    one.run()
    heartbeat = {
        "tenant_id": "tenant123",
        "asset_id": "vehicle456",
        "driver_id": "driver789",
        "driver_name": "John Doe",
        "timestamp": "2025-06-23T00:37:01.000Z",
        "location": {"latitude": 40.7128, "longitude": -74.0060},
        "status": "active",
        "additional_data": {},
    }
    for _ in range(2):  # Sent again, as producers do.
        site.kafka.send(topic, json.dumps(heartbeat).encode(), "vehicle456")
    site.kafka.send(topic, json.dumps(heartbeat | {"status": "parked"}).encode(), "vehicle456")

    documents = one.documents("heartbeats", 2)

    assert len(documents) == 2
    active = next(d for d in documents if d["status"] == "active")
    assert members(active) == heartbeat | {
        "timestamp": datetime.datetime(2025, 6, 23, 0, 37, 1)
    }
    assert active["tidegate"]["topic"] == topic and active["tidegate"]["schema"] == 1
    wait_until(
        lambda: one.reader.metric("messages_processed_total") == 3, 10, "three are processed", 0.2
    )
    assert {
        "messages_processed_total",
        "processing_errors_total",
        "message_processing_duration_seconds",
        "last_message_timestamp_seconds",
        "consumer_lag",
        "assigned_partitions_count",
    } <= one.metric_names()
    seconds = datetime.datetime(2025, 6, 23, 0, 37, 1, tzinfo=UTC).timestamp()
    assert one.reader.metric("last_message_timestamp_seconds") == seconds


def test_the_telemetry_system(site, mongo, start):
    topic, dead_letters = f"{site.prefix}.raw", f"{site.prefix}.dlq"
    site.kafka.create(topic, dead_letters)
    one = start(
        KAFKA_BOOTSTRAP_SERVERS=site.bootstrap,
        MONGO_URL=mongo.url,
        MONGO_DB=site.prefix,
        TELEMETRY_TOPIC=topic,
        DLQ_TOPIC=dead_letters,
        MAX_RETRIES="3",
        TEMP_MIN_THRESHOLD="-10",
        TEMP_MAX_THRESHOLD="50",
        HUMIDITY_MIN_THRESHOLD="0",
        HUMIDITY_MAX_THRESHOLD="100",
    ).run()
    site.kafka.send(topic, b'{"device_id": "dev-1", "temperature_c": 25.5, "humidity": 60.0}')
    site.kafka.send(
        topic,
        b'{"device_id": "dev-2", "ts": "2026-01-15T10:30:00Z", "temperature_c": 55.0,'
        b' "humidity": 40.0, "lat": 52.5, "lon": 13.4}',
    )
    site.kafka.send(topic, b'{"temperature_c": 25.5}')

    first, second = sorted(one.documents("telemetry_raw", 2), key=lambda d: d["device_id"])

    assert members(first, "asset_id", "timestamp") == {
        "device_id": "dev-1",
        "temperature_c": 25.5,
        "humidity": 60.0,
    }
    assert first["asset_id"] == "dev-1" and first["tidegate"]["time"] == "broker"
    assert members(second, "asset_id", "timestamp") == {
        "device_id": "dev-2",
        "ts": datetime.datetime(2026, 1, 15, 10, 30),
        "temperature_c": 55.0,
        "humidity": 40.0,
        "lat": 52.5,
        "lon": 13.4,
    }
    (letter,) = one.letters(dead_letters)
    assert letter.headers["tg-dlq-reason"] == "member: asset_id is missing"
    assert letter.headers["tg-dlq-time"].endswith("Z")
    check = one.reader.run("check")
    assert check.returncode == 0, check.stdout
    for rule in (
        "TEMP_MIN = temperature_c < -10",
        "TEMP_MAX = temperature_c > 50",
        "HUMIDITY_MIN = humidity < 0",
        "HUMIDITY_MAX = humidity > 100",
    ):
        assert f"TIDEGATE_RULE_{rule}" in re.sub(" +", " ", check.stdout)


def test_the_sensor_failure_consumer(site, mongo, start):
    topic = "machine.sensor.readings"
    machine = f"press-{site.prefix}"
    site.kafka.create(topic)
    one = start(
        KAFKA_BOOTSTRAP_SERVERS=site.bootstrap,
        KAFKA_TOPIC=topic,
        KAFKA_GROUP_ID=f"{site.prefix}-sensor-consumer-group",
        POSTGRES_HOST="localhost",
        POSTGRES_PORT="5432",
        POSTGRES_USER="sensor_user",
        POSTGRES_PASSWORD="sensor_password",
        POSTGRES_DB=site.prefix,
        BATCH_SIZE="100",
        COMMIT_INTERVAL_MS="5000",
    )
    # The one thing that cannot stay: PostgreSQL is no landing.
    one.reader.settings["_LANDING"] = mongo.url
    one.run()
    readings = [
        {
            "machine_id": machine,
            "timestamp": f"2026-01-15T10:3{minute}:00Z",
            "status": status,
            "sensors": {"temperature": 71.5, "vibration": 0.2 * minute},
        }
        for minute, status in enumerate(["ok", "failed", "failed", "ok"])
    ]
    for reading in readings:
        site.kafka.send(topic, json.dumps(reading).encode(), machine)
    site.kafka.send(topic, json.dumps({"machine_id": machine, "failure": "perhaps"}).encode())

    documents = sorted(one.documents("sensor_readings", 4), key=lambda d: d["timestamp"])

    assert [members(d, "asset_id") for d in documents] == [
        r | {"timestamp": datetime.datetime.fromisoformat(r["timestamp"]).replace(tzinfo=None)}
        for r in readings
    ]
    check = one.reader.run("check")
    assert check.returncode == 0 and "PostgreSQL is no landing" in check.stdout
    assert "sensor_password" not in check.stdout
    wait_until(lambda: one.reader.metric("processing_errors_total") == 1, 10, "one refused", 0.2)
    # Processed offsets are committed.
    group = one.environment["KAFKA_GROUP_ID"]
    wait_until(
        lambda: sum(site.kafka.committed(group, topic).values()) == 5,
        30,
        lambda: f"five are committed: {site.kafka.committed(group, topic)}",
        0.5,
    )


def test_the_telemetry_processing_system(site, mongo, start):
    """Its topic has no name in its documents: the telemetry stream's own is meant."""
    topic = "telemetry.raw"
    device = f"device-{site.prefix}"
    site.kafka.create(topic)
    one = start(
        MONGODB_URI=mongo.url,
        DATABASE_NAME=site.prefix,
        KAFKA_BOOTSTRAP_SERVERS=site.bootstrap,
        KAFKA_GROUP_ID=f"{site.prefix}-telemetry-consumer",
        MODE="consumer",
        CONSUMER_TYPE="alert_evaluator",
    )
    one.reader.settings["_DLQ_TOPIC"] = site.dead_letters
    site.kafka.create(site.dead_letters)
    one.run()
    for version in (1, 2):
        site.kafka.send(
            topic,
            json.dumps(
                {"device_id": device, "schema_version": version, "temperature_c": 20 + version}
            ).encode(),
            device,
        )

    (document,) = one.documents("telemetry_raw")

    assert document["temperature_c"] == 21 and document["tidegate"]["schema"] == 1
    (letter,) = one.letters(site.dead_letters)
    assert letter.headers["tg-dlq-reason"] == (
        "schema: schema_version 2 is newer than 1, the newest that telemetry takes"
    )


def sale(sku: str, qty: int, price: float, ts: str, event_id: str = "") -> bytes:
    """A SalesEvent as protoc's code would serialize it."""

    def text(field: int, value: str) -> bytes:
        return bytes([field << 3 | 2, len(value)]) + value.encode() if value else b""

    quantity = bytes([2 << 3, qty]) if qty else b""
    cost = bytes([3 << 3 | 1]) + struct.pack("<d", price) if price else b""
    return text(1, sku) + quantity + cost + text(4, ts) + text(5, event_id)


def test_the_sales_ingest_service(site, mongo, start):
    topic = f"{site.prefix}.sales_txn"
    site.kafka.create(topic)
    began = datetime.datetime.now(UTC).timestamp()
    one = start(
        KAFKA_BOOTSTRAP_SERVERS=site.bootstrap,
        KAFKA_TOPIC=topic,
        KAFKA_GROUP_ID="ingest_service",
        MONGODB_URL=mongo.url,
        MONGODB_DATABASE=site.prefix,
        MONGODB_COLLECTION="raw_sales",
        BATCH_SIZE="100",
        FLUSH_INTERVAL="1.0",
        MAX_RETRIES="3",
    ).run()
    for _ in range(2):
        site.kafka.send(topic, sale("SKU-ABC-123", 5, 29.99, "2024-01-15T10:30:00Z", "event-001"))
    site.kafka.send(topic, sale("SKU-FREE", 1, 0.0, "2024-01-15T10:30:01Z", "event-002"))
    for _ in range(2):  # Alike, and two.
        site.kafka.send(topic, sale("SKU-X", 1, 2.0, "2024-01-15T10:30:02Z"))
    no_sku, no_time = sale("", 5, 1.0, "2024-01-15T10:30:00Z"), sale("SKU-X", 1, 1.0, "today")
    for value in (b"not protobuf", no_sku, no_time):
        site.kafka.send(topic, value)

    documents = one.documents("raw_sales", 4)

    assert len(documents) == 4
    by_id = {d["_id"]: d for d in documents}
    event = by_id["//event-001"]
    assert members(event, "timestamp", "processed_at") == {
        "sku": "SKU-ABC-123",
        "qty": 5,
        "price": 29.99,
        "ts": datetime.datetime(2024, 1, 15, 10, 30),
        "event_id": "event-001",
    }
    assert isinstance(event["processed_at"], float)
    assert began - 1 < event["processed_at"] < datetime.datetime.now(UTC).timestamp() + 1
    free = by_id["//event-002"]
    assert free["price"] == 0.0 and isinstance(free["price"], float)
    assert sum(d["sku"] == "SKU-X" for d in documents) == 2
    assert "sku_time" in one.landing.indexes("raw_sales")
    wait_until(lambda: one.reader.metric("processing_errors_total") == 3, 10, "three refused", 0.2)
    assert one.reader.metric("tidegate_reader_refused_total") == 3
    status, text = one.reader.fetch("/health")
    assert status == 200, text
    status, text = one.reader.fetch("/stats")
    assert status == 200 and json.loads(text)
    assert one.reader.finish() == 0
