"""What happens to projections when a topic changes under them: it is made anew, or gets partitions."""

import json
from datetime import UTC, datetime

from confluent_kafka import KafkaException
from realparts import wait_until


def _reading(number: int, **members: object) -> bytes:
    record = {
        "event_id": f"e{number}",
        "tenant_id": "acme",
        "asset_id": "press",
        "timestamp": datetime.fromtimestamp(1_790_000_000 + number, UTC).isoformat(
            timespec="milliseconds"
        ),
    }
    return json.dumps(record | members).encode()


def test_a_topic_made_anew_is_projected_from_its_beginning(site, mongo):
    site.create_topics(partitions=1)
    landing = site.mongo(mongo.url)
    topic = site.topics["reading"]
    site.kafka.send_all(topic, [_reading(n) for n in range(20)])
    reader = site.reader(landing, _STREAMS="telemetry", _KAFKA_AUTO_COMMIT_INTERVAL_MS=300).start()

    def documents() -> int:
        return sum(asset["documents"] for asset in landing.documents("assets"))

    wait_until(lambda: documents() == 20, 40, lambda: f"20 projected: {documents()}")
    assert reader.finish() == 0
    site.kafka.delete(topic)

    def made_anew() -> bool:
        try:
            site.kafka.create(topic, partitions=1)
        except KafkaException:  # It is not quite gone.
            return False
        return True

    wait_until(made_anew, 20, "the topic is made anew")
    site.kafka.send_all(topic, [_reading(n) for n in range(20, 26)])
    reader.start()
    wait_until(lambda: documents() == 26, 60, lambda: f"26 projected: {documents()}")
    assert len(landing.documents("telemetry_raw")) == 26
    assert reader.metric("tidegate_reader_logs_begun_anew_total") == 1
    assert "was made anew or truncated" in reader.log_text()

    # The rebuild knows both logs.
    assert reader.finish() == 0
    made = landing.documents("assets")
    done = reader.run("rebuild")
    assert done.returncode == 0, done.stderr
    again = landing.documents("assets")
    for asset in made + again:
        asset["tidegate"].pop("revision")
    assert again == made


def test_an_episode_and_an_alert_end_by_a_partition_that_was_added(site, mongo):
    topic = f"{site.prefix}.machine"
    site.kafka.create(topic, partitions=1)
    landing = site.mongo(mongo.url)
    reader = site.reader(
        landing,
        _STREAMS="machine",
        _STREAM_MACHINE=f"topic={topic}",
        _RULE_HOT="temperature_c > 50 clear 45",
    ).start()
    site.kafka.send(topic, _reading(1, failure=True, temperature_c=60))
    wait_until(lambda: landing.documents("failures"), 40, "an episode began")
    site.kafka.add_partitions(topic, 2)
    site.kafka.send(topic, _reading(2, failure=False, temperature_c=40), partition=1)

    def ended() -> bool:
        (episode,) = landing.documents("failures")
        (alert,) = landing.documents("alert_states")
        return not episode["active"] and alert["status"] == "cleared"

    wait_until(ended, 60, "both ended")
    assert reader.finish() == 0
