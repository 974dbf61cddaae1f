"""The readers that tidegate-reader replaces. It is started as the documents of each describe: with their
environment and their messages it must produce the documents, metrics and endpoints that their users
know. The tests set variables of ours only where theirs have no equivalent."""

import datetime
import json
import re
import struct
import time

from harness import ALERT_MEMBERS, TOKENS, ApiClient, members
from realparts import wait_until

UTC = datetime.UTC


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
    for _ in range(2):  # Producers may send a message again.
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
    """Dashboards need not know whether a gateway or the server has raised an alert."""
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
    # Only the database must change: PostgreSQL is no landing.
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
    # The offsets of all five messages are committed.
    group = one.environment["KAFKA_GROUP_ID"]
    wait_until(
        lambda: sum(site.kafka.committed(group, topic).values()) == 5,
        30,
        lambda: f"five are committed: {site.kafka.committed(group, topic)}",
        0.5,
    )


def sale(sku: str, qty: int, price: float, ts: str, event_id: str = "") -> bytes:
    """Serializes a SalesEvent as protoc's code does."""

    def text(field: int, value: str) -> bytes:
        return bytes([field << 3 | 2, len(value)]) + value.encode() if value else b""

    quantity = bytes([2 << 3, qty]) if qty else b""
    cost = bytes([3 << 3 | 1]) + struct.pack("<d", price) if price else b""
    return text(1, sku) + quantity + cost + text(4, ts) + text(5, event_id)


def sales_environment(site, mongo, topic: str, **changed: str) -> dict[str, str]:
    documented = {
        "KAFKA_BOOTSTRAP_SERVERS": site.bootstrap,
        "KAFKA_TOPIC": topic,
        "KAFKA_GROUP_ID": "ingest_service",
        "MONGODB_URL": mongo.url,
        "MONGODB_DATABASE": site.prefix,
        "MONGODB_COLLECTION": "raw_sales",
        "BATCH_SIZE": "100",
        "FLUSH_INTERVAL": "1.0",
        "MAX_RETRIES": "3",
    }
    return documented | changed


def test_the_sales_ingest_service(site, mongo, start):
    topic = f"{site.prefix}.sales_txn"
    site.kafka.create(topic)
    began = datetime.datetime.now(UTC).timestamp()
    one = start(**sales_environment(site, mongo, topic)).run()
    first_export = time.monotonic()
    assert one.reader.metric("sales_events_per_second") == 0
    for _ in range(2):
        site.kafka.send(topic, sale("SKU-ABC-123", 5, 29.99, "2024-01-15T10:30:00Z", "event-001"))
    site.kafka.send(topic, sale("SKU-FREE", 1, 0.0, "2024-01-15T10:30:01Z", "event-002"))
    for _ in range(2):  # Without an id, two equal messages are two sales.
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

    def stats() -> dict:
        status, text = one.reader.fetch("/stats")
        assert status == 200, text
        return json.loads(text)

    def settled() -> bool:
        told = stats()
        return (told["landed"], told["duplicates"], told["dead_letters"]) == (4, 1, 3)

    wait_until(settled, 20, lambda: f"everything is settled: {stats()}", 0.2)
    # The rate covers the time since the last export, which was before anything was sent.
    fastest = 4 / max(time.monotonic() - first_export - 1, 0.1)
    rate = one.reader.metric("sales_events_per_second")
    assert 4 / (time.monotonic() - first_export + 1) <= rate <= fastest
    expect_metrics(one.reader, topic)
    assert one.reader.metric("processing_errors_total") == 3
    assert one.reader.metric("tidegate_reader_refused_total") == 3
    status, text = one.reader.fetch("/health")
    assert status == 200 and json.loads(text) == {"status": "ok", "kafka": "up", "database": "up"}
    uptime = one.reader.metric("service_uptime_seconds")
    assert 1 <= uptime <= datetime.datetime.now(UTC).timestamp() - began
    assert one.reader.finish() == 0


def expect_metrics(reader, topic: str):
    """Expects the metrics of the sales ingest service after four sales, one of them sent twice, and
    three messages that are no sales."""
    for status, count in {"success": 4, "duplicate": 1, "error": 3}.items():
        name = f'sales_events_processed_total{{status="{status}"}}'
        assert reader.metric(name) == count, name
    for status, count in {"success": 4, "duplicate": 1, "error": 0}.items():
        name = f'mongodb_writes_total{{status="{status}"}}'
        assert reader.metric(name) == count, name
    assert reader.metric("event_processing_duration_seconds_count") == 8
    assert 0 < reader.metric("event_processing_duration_seconds_sum") < 10
    lag = re.compile(r"^kafka_consumer_lag_milliseconds\{(.*)\} (\S+)$", re.M)

    def told() -> dict:
        return dict(lag.findall(reader.fetch("/metrics")[1]))

    everything_is_there = {f'partition="{p}",topic="{topic}"': "0" for p in range(3)}
    wait_until(lambda: told() == everything_is_there, 10, lambda: f"no lag: {told()}", 0.2)


def test_the_sales_ingest_service_lands_what_it_has_when_it_is_told_to_shut_down(
    site, mongo, start
):
    topic = f"{site.prefix}.sales_txn"
    site.kafka.create(topic)
    environment = sales_environment(site, mongo, topic, FLUSH_INTERVAL="60.0")
    one = start(**environment)
    # There anyone may request a shutdown; here it must be enabled and needs a token.
    one.reader.settings["TIDEGATE_HTTP_SHUTDOWN"] = "on"
    one.reader.credentials(api_tokens=TOKENS)
    one.run()

    operator = ApiClient(one.reader, "reads-what-all-have")
    admin = ApiClient(one.reader, "stops-the-reader-00")

    def in_hand() -> int:
        return json.loads(operator.ask("/stats")[2])["workers"][0]["in_hand"]

    site.kafka.send(topic, sale("SKU-ABC-123", 5, 29.99, "2024-01-15T10:30:00Z", "event-001"))
    wait_until(lambda: in_hand() == 1, 20, "the sale is in hand", 0.2)
    assert ApiClient(one.reader).ask("/shutdown", method="POST")[0] == 401
    assert operator.ask("/shutdown", method="POST")[0] == 403
    assert admin.ask("/shutdown")[0] == 405
    assert one.reader.alive() and one.landing.documents("raw_sales") == []

    status, _, text = admin.ask("/shutdown", method="POST")

    assert (status, json.loads(text)) == (202, {"status": "stopping"})
    wait_until(lambda: not one.reader.alive(), 40, "it has ended")
    assert one.reader.returncode() == 0
    assert [d["_id"] for d in one.landing.documents("raw_sales")] == ["//event-001"]
    assert sum(site.kafka.committed("ingest_service", topic).values()) == 1
