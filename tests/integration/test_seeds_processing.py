"""The telemetry processing system, started as its documents describe: a consumer that fetches from an
external source, a consumer that evaluates alert rules, and a server, all from one environment."""

import datetime
import json

import pytest
from harness import ALERT_MEMBERS, HttpSource, KafkaView, Start, members
from realparts import Kafka, wait_until

# The system's documents name no topic, so the reader's default for the telemetry stream applies.
TOPIC = "telemetry.raw"
pytestmark = pytest.mark.xdist_group("processing")


@pytest.fixture(scope="module")
def processing_kafka(tmp_path_factory):
    """A broker that only these tests use, because readers of other tests read the same topic."""
    with Kafka(tmp_path_factory.mktemp("processing-kafka")) as broker:
        KafkaView(broker.bootstrap).create(TOPIC)
        yield broker


@pytest.fixture
def site(make_site, processing_kafka):
    return make_site(processing_kafka.bootstrap)


@pytest.fixture
def processing(site, mongo, start):
    """Makes processes whose environments differ only in their kind."""
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


def test_the_telemetry_processing_system_takes_what_its_schema_knows(site, processing):
    device = f"device-{site.prefix}"
    one = processing("consumer", MODE="consumer", CONSUMER_TYPE="alert_evaluator")
    for version in (1, 2):
        site.kafka.send(
            TOPIC,
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


def test_the_telemetry_processing_system_fetches_from_an_external_source(site, processing):
    source = HttpSource(lambda asked: (200, {"model": f"model of {asked}", "limit_c": 60}))
    device = f"device-{site.prefix}"
    enrichment = f"{source.url}/devices/{{device_id}} into=device tenant=* allow_private=yes"
    consumer = processing(
        "consumer",
        MODE="consumer",
        CONSUMER_TYPE="fetch_external_source",
        TIDEGATE_ENRICH_DEVICE=enrichment,
    )
    server = processing("server", MODE="server", CONSUMER_TYPE="fetch_external_source")
    reading = {"device_id": device, "ts": "2026-01-15T10:30:00Z", "temperature_c": 21.5}
    site.kafka.send(TOPIC, json.dumps(reading).encode(), device)
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


def test_the_telemetry_processing_system_evaluates_alert_rules(site, processing):
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
            TOPIC,
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
    """Expects the consumer to land and to have no API, and the server to have only the API."""
    assert consumer.reader.metric("tidegate_reader_records_landed_total") > 0
    for path in ("/telemetry", "/devices", "/alerts"):
        assert consumer.reader.fetch(path)[0] == 404, path
    assert server.reader.metric("tidegate_reader_records_landed_total") == 0
    assert server.reader.metric("assigned_partitions_count") == 0
    assert consumer.reader.finish() == 0
    assert server.items("/devices"), "the API stays while the consumer is away"
    assert server.reader.finish() == 0
