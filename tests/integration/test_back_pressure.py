"""The reader under more load than it can land: its memory is bounded, and while the database is
unreachable it loses neither its partitions nor a record."""

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import Producer
from harness import heartbeat
from harness.programs import binary
from realparts import wait_until

MAX_RSS_KB = 64 * 1024  # For each worker of a process.


class Sink:
    """tidegate-mongo-stub, a database that is never the limit."""

    def __init__(self, *options: str):
        self._process = subprocess.Popen(
            [binary("tidegate-mongo-stub"), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def settings(self, options: str = "") -> dict[str, str]:
        return {"_LANDING": f"mongodb://127.0.0.1:{self.port}/?{options}", "_DATABASE": "fleet"}

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def finish(self) -> int:
        """Ends the stub and returns how many documents it acknowledged."""
        return int(self._process.communicate()[0].split()[0])


def _fill(bootstrap: str, topic: str, count: int, compression: str):
    """Sends heartbeats with the headers of gateways."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 50,
            "queue.buffering.max.messages": 1000000,
            "compression.type": compression,
        }
    )
    headers = {
        "tg-schema": "1",
        "tg-gateway": "gw-1",
        "tg-time": "source",
        "tg-clock": "synced",
    }
    for n in range(count):
        asset = f"truck-{n % 100}"
        value = heartbeat(n, filling="x" * 100) | {"tenant_id": "acme", "asset_id": asset}
        producer.produce(
            topic,
            json.dumps(value | {"event_id": f"e{n}"}),
            f"acme/{asset}",
            headers=headers | {"tg-id": f"gw-1:1:{n}"},
        )
        producer.poll(0)
    assert producer.flush(60) == 0


def _peak_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)[1])


def _sanitized() -> bool:
    return b"__asan_init" in binary("tidegate-reader").read_bytes()


@pytest.mark.parametrize(
    ("workers", "compression"), [(1, "none"), (1, "zstd"), (2, "zstd")]
)
def test_memory_is_bounded_at_full_load(site, workers, compression, record_property):
    if _sanitized():
        pytest.skip("a sanitizer has memory of its own")
    site.kafka.create(site.topics["heartbeat"], partitions=6)
    _fill(site.bootstrap, site.topics["heartbeat"], 200_000, compression)
    with Sink("--sink") as sink:
        reader = site.reader(sink, _WORKERS=workers, _STREAMS="heartbeat", _ROLES="land")
        reader.start()
        wait_until(
            lambda: reader.metric("messages_processed_total") >= 200_000,
            120,
            lambda: f"all landed: {reader.metric('messages_processed_total')}",
        )
        peak = _peak_kb(reader.pid)
        record_property("peak_rss_kb", peak)
        print(f"{workers} workers, {compression}: peak RSS {peak / 1024:.1f} MiB")
        assert reader.finish() == 0
        assert peak <= MAX_RSS_KB * workers


def test_a_database_that_is_away_for_longer_than_kafka_waits_costs_nothing(site):
    """max.poll.interval.ms is 10 s, and the database answers nothing for longer than that."""
    site.kafka.create(site.topics["heartbeat"], partitions=3)
    with Sink() as sink:
        reader = site.reader(
            sink,
            _LANDING=sink.settings("socketTimeoutMS=2000&serverSelectionTimeoutMS=2000")["_LANDING"],
            _STREAMS="heartbeat",
            _ROLES="land",  # The stub looks up ids one by one, which is too slow for a projector.
            _RETRY_DELAY="1s",
            _KAFKA_MAX_POLL_INTERVAL_MS=10_000,
        )
        reader.start()
        sink.pause()
        _fill(site.bootstrap, site.topics["heartbeat"], 20_000, "zstd")
        attempts = 5  # Each takes 2 s and a pause of up to 1 s: more than 10 s in all.
        wait_until(
            lambda: reader.metric("tidegate_reader_outages_total") >= attempts,
            120,
            lambda: f"outages: {reader.metric('tidegate_reader_outages_total')}",
        )
        assert not re.search(r"partitions (lost|revoked)", reader.log_text())
        sink.resume()
        wait_until(
            lambda: reader.metric("messages_processed_total") >= 20_000,
            60,
            lambda: f"all landed: {reader.metric('messages_processed_total')}",
        )
        assert not re.search(r"partitions (lost|revoked)", reader.log_text())
        assert reader.finish() == 0
        assert sink.finish() == 20_000
