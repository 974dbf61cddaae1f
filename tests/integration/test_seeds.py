"""The readers that this one replaces, each started as its own documents say: their environment,
their message, and the document, metrics and endpoints that their users know. Variables of ours are
named only where nothing of theirs could say it."""

import datetime
import json
import re
import struct

import pytest
from harness import HttpSource, KafkaView, Reader
from realparts import wait_until

UTC = datetime.UTC


class Start:
    """A reader with nothing but somebody else's environment; `name` tells one from another."""

    def __init__(self, site, mongo, environment: dict[str, str], name: str):
        self.site = site
        self.environment = environment
        self.database = site.prefix
        self.landing = site.mongo(mongo.url)
        self.reader = Reader(site.folder / name, environment)
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

    def of_device(self, collection: str, device: str) -> list[dict]:
        """What has landed of one device, once there is something."""

        def landed():
            found = self.landing.documents(collection)
            return [d for d in found if d.get("device_id") == device]

        return wait_until(landed, 30, f"{device} in {collection}", 0.2)

    def items(self, path: str) -> list[dict]:
        """What an endpoint lists; its first page holds all of a test."""
        status, text = self.reader.fetch(path)
        assert status == 200, f"{path}: {status} {text}"
        return json.loads(text)["items"]

    def wait_items(self, path: str, count: int) -> list[dict]:
        """The same once there are so many: projections follow the landing."""
        wait_until(
            lambda: len(self.items(path)) >= count,
            30,
            lambda: f"{count} in {path}: {self.items(path)}\n{self.reader.fetch('/stats')}",
            0.2,
        )
        return self.items(path)

    def metric_names(self) -> set[str]:
        _, text = self.reader.fetch("/metrics")
        return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}

    def letters(self, topic: str, count: int = 1) -> list:
        wait_until(lambda: self.site.kafka.count(topic) >= count, 30, f"{count} in {topic}", 0.5)
        return self.site.kafka.read(topic)


@pytest.fixture
def start(site, mongo):
    def make(name: str = "reader", **environment: str) -> Start:
        return Start(site, mongo, environment, name)

    return make


# As the telemetry system documents an alert.
ALERT_MEMBERS = {
    "_id",
    "device_id",
    "sensor_type",
    "value",
    "alert_type",
    "severity",
    "message",
    "timestamp",
    "status",
}


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
    plain, dated = sorted(one.items("/telemetry"), key=lambda d: d["device_id"])
    assert (plain["temperature_c"], plain["humidity"]) == (25.5, 60.0)
    (reading,) = one.items("/devices/dev-2/telemetry")
    assert reading == dated and reading["ts"] == "2026-01-15T10:30:00.000Z"
    assert {d["device_id"] for d in one.wait_items("/devices", 2)} == {"dev-1", "dev-2"}
    hottest, dampest = sorted(
        one.wait_items("/devices/dev-2/aggregates", 2), key=lambda a: a["sensor_type"], reverse=True
    )
    assert hottest["sensor_type"] == "temperature_c" and hottest["count"] == 1
    assert {hottest[name] for name in ("sum", "min", "max", "average")} == {55.0}
    assert dampest["sensor_type"] == "humidity" and dampest["average"] == 40.0
    assert len(one.wait_items("/aggregated", 4)) == 4
    (alert,) = one.wait_items("/alerts", 1)
    assert set(alert) >= ALERT_MEMBERS
    assert (alert["device_id"], alert["alert_type"], alert["value"]) == ("dev-2", "temp_max", 55.0)
    assert (alert["sensor_type"], alert["timestamp"]) == ("temperature_c", reading["ts"])
    assert alert["status"] == "raised" and alert["severity"] and "temperature_c" in alert["message"]
    assert one.items("/alerts/recent") == [], "it was raised in January"
    for path in ("/", "/health", "/stats", "/metrics"):
        assert one.reader.fetch(path)[0] == 200, path
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


def test_alerts_of_gateways_read_as_the_telemetry_system_documents_them(site, mongo, mosquitto):
    """Its users' dashboards need not know whether a gateway or the server has raised an alert."""
    site.create_topics()
    rule = "temperature_c > 50 clear 45 severity critical"
    agent = site.agent(mosquitto.port, _RULE_HOT=rule).start()
    reader = site.reader(site.mongo(mongo.url), _RULE_HOT=rule).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port, assets=1)
    for degrees in (60, 40):
        publisher.send(temperature_c=degrees)
    publisher.settle()
    bare = {"tenant_id": "acme", "asset_id": "truck-2"}
    for degrees in (60, 40):
        value = json.dumps(bare | {"temperature_c": degrees}).encode()
        site.kafka.send(site.topics["reading"], value, "acme/truck-2")

    def alerts() -> list[dict]:
        return json.loads(reader.fetch("/alerts?status=cleared")[1])["items"]

    wait_until(lambda: len(alerts()) >= 2, 30, lambda: f"two alerts: {alerts()}", 0.2)
    by_gateway, by_server = sorted(alerts(), key=lambda alert: alert["source"])
    for alert, source, device in (
        (by_gateway, "gateway", "truck-1"),
        (by_server, "server", "truck-2"),
    ):
        assert set(alert) >= ALERT_MEMBERS
        assert (alert["source"], alert["device_id"]) == (source, device)
        assert (alert["alert_type"], alert["sensor_type"]) == ("hot", "temperature_c")
        assert (alert["value"], alert["severity"]) == (60, "critical")
        assert alert["timestamp"] == alert["raised_at"] <= alert["cleared_at"]


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
    one.wait_items("/failures", 1)
    wait_until(lambda: not one.items("/failures")[0]["active"], 30, "it has ended", 0.2)
    (episode,) = one.items("/failures")
    assert episode["started_at"] == "2026-01-15T10:31:00.000Z"
    assert episode["ended_at"] == "2026-01-15T10:33:00.000Z"
    assert episode["readings"] == 2
    assert sorted(episode["reading_ids"]) == sorted(d["_id"] for d in documents[1:3])
    (device,) = one.wait_items("/devices", 1)
    assert (device["first_seen"], device["last_seen"]) == (
        "2026-01-15T10:30:00.000Z",
        "2026-01-15T10:33:00.000Z",
    )
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


@pytest.fixture(scope="module")
def processing_topic(kafka):
    """The telemetry processing system's documents name none: the telemetry stream's own is meant, so
    that these tests share it."""
    KafkaView(kafka.bootstrap).create("telemetry.raw")
    return "telemetry.raw"


@pytest.fixture
def processing(site, mongo, start, processing_topic):
    """The telemetry processing system: one environment for all its processes, but for what each is."""
    site.kafka.create(site.dead_letters)

    def process(name: str, **settings: str) -> Start:
        return start(
            name,
            MONGODB_URI=mongo.url,
            DATABASE_NAME=site.prefix,
            KAFKA_BOOTSTRAP_SERVERS=site.bootstrap,
            KAFKA_GROUP_ID=f"{site.prefix}-telemetry-consumer",
            TIDEGATE_DLQ_TOPIC=site.dead_letters,
            **settings,
        ).run()

    return process


def test_the_telemetry_processing_system_takes_what_its_schema_knows(
    site, processing, processing_topic
):
    device = f"device-{site.prefix}"
    one = processing("consumer", MODE="consumer", CONSUMER_TYPE="alert_evaluator")
    for version in (1, 2):
        site.kafka.send(
            processing_topic,
            json.dumps(
                {"device_id": device, "schema_version": version, "temperature_c": 20 + version}
            ).encode(),
            device,
        )

    (document,) = one.of_device("telemetry_raw", device)

    assert document["temperature_c"] == 21 and document["tidegate"]["schema"] == 1
    (letter,) = one.letters(site.dead_letters)
    assert letter.headers["tg-dlq-reason"] == (
        "schema: schema_version 2 is newer than 1, the newest that telemetry takes"
    )


def test_the_telemetry_processing_system_fetches_from_an_external_source(
    site, processing, processing_topic
):
    source = HttpSource(lambda asked: (200, {"model": f"model of {asked}", "limit_c": 60}))
    device = f"device-{site.prefix}"
    enrichment = f"{source.url}/devices/{{device_id}} into=device allow_private=yes"
    consumer = processing(
        "consumer",
        MODE="consumer",
        CONSUMER_TYPE="fetch_external_source",
        TIDEGATE_ENRICH_DEVICE=enrichment,
    )
    server = processing("server", MODE="server", CONSUMER_TYPE="fetch_external_source")
    reading = {"device_id": device, "ts": "2026-01-15T10:30:00Z", "temperature_c": 21.5}
    site.kafka.send(processing_topic, json.dumps(reading).encode(), device)
    fetched = {"model": f"model of {device}", "limit_c": 60}

    wait_until(
        lambda: consumer.of_device("telemetry_raw", device)[0].get("device") == fetched,
        30,
        lambda: f"enriched: {consumer.of_device('telemetry_raw', device)}",
        0.2,
    )

    source.close()
    (document,) = consumer.of_device("telemetry_raw", device)
    assert members(document, "asset_id", "timestamp") == reading | {
        "ts": datetime.datetime(2026, 1, 15, 10, 30),
        "device": fetched,
    }
    assert not [name for name in document["tidegate"] if name.startswith("pending")]
    assert consumer.reader.metric("tidegate_enrich_failures_total") == 0
    (item,) = server.items(f"/devices/{device}/telemetry")
    assert (item["device"], item["temperature_c"]) == (fetched, 21.5)
    assert item in server.items("/telemetry?limit=1000")
    apart(consumer, server)


def test_the_telemetry_processing_system_evaluates_alert_rules(
    site, processing, processing_topic
):
    device = f"device-{site.prefix}"
    consumer = processing(
        "consumer",
        MODE="consumer",
        CONSUMER_TYPE="alert_evaluator",
        TIDEGATE_RULE_OVERHEATED="temperature_c > 60 severity critical",
    )
    server = processing("server", MODE="server", CONSUMER_TYPE="alert_evaluator")
    for minute, degrees in enumerate([59, 61, 62, 60]):
        site.kafka.send(
            processing_topic,
            json.dumps(
                {
                    "device_id": device,
                    "ts": f"2026-01-15T10:3{minute}:00Z",
                    "temperature_c": degrees,
                }
            ).encode(),
            device,
        )

    (alert,) = server.wait_items(f"/alerts?device={device}&status=cleared", 1)

    assert alert["message"].startswith(f"{device} raised: temperature_c is 61")
    assert {name: alert[name] for name in ALERT_MEMBERS - {"_id", "message"}} == {
        "device_id": device,
        "sensor_type": "temperature_c",
        "value": 61,
        "alert_type": "overheated",
        "severity": "critical",
        "timestamp": "2026-01-15T10:31:00.000Z",
        "status": "cleared",
    }
    assert server.items(f"/alerts?device={device}&severity=critical") == [alert]
    assert server.items(f"/alerts?device={device}&status=raised") == []
    known = [d for d in server.items("/devices?limit=1000") if d["device_id"] == device]
    assert [(d["documents"], d["last"]["temperature_c"]) for d in known] == [(4, 60)]
    apart(consumer, server)


def apart(consumer: Start, server: Start):
    """The one lands and has no API, the other has the API alone."""
    assert consumer.reader.metric("tidegate_reader_records_landed_total") > 0
    for path in ("/telemetry", "/devices", "/alerts"):
        assert consumer.reader.fetch(path)[0] == 404, path
    assert server.reader.metric("tidegate_reader_records_landed_total") == 0
    assert server.reader.metric("assigned_partitions_count") == 0
    assert consumer.reader.finish() == 0
    assert server.items("/devices"), "the API stays while the consumer is away"
    assert server.reader.finish() == 0


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
