"""What one bad source costs the others at the same agent."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness import WallClock
from realparts import wait_until

ELEMENTS = 2_000


def test_a_message_of_empty_elements_in_a_long_topic_costs_little_more_than_its_bytes(
    site, mosquitto
):
    """Origin and reason are not kept for each element: they were 120 kB, 2,000 times."""
    site.create_topics()
    agent = site.agent(mosquitto.port).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port)
    publisher.send(200)
    publisher.settle()
    agent.wait_drained(settled=200)
    before = _most_memory_kib(agent)

    bombs = 5
    for n in range(bombs):
        publisher.send_raw(f"fleet/{n}{'t' * 60_000}/truck-1/heartbeat", _array("{}"))
        publisher.send_raw(f"fleet/acme/truck-{n}/heartbeat", _array("3"))
        publisher.send(20)
    publisher.settle()

    agent.wait_drained(settled=200 + bombs * 22)
    assert agent.status()["store"]["dead_letters"] == 2 * bombs, "one of each message"
    assert _most_memory_kib(agent) - before < 16 * 1024
    refused = agent.metric("tidegate_input_refused_total")
    assert refused == bombs * (1 + ELEMENTS), "a topic's tenant refuses the message as a whole"
    assert agent.finish() == 0


def test_an_input_with_a_tenant_stores_nothing_under_another(site, mosquitto):
    site.create_topics()
    agent = site.agent(
        _INPUT_LOCAL=f"mqtt://127.0.0.1:{mosquitto.port}/fleet/+/{{asset}}/heartbeat?tenant=acme"
    ).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port)
    publisher.send(10)
    publisher.send_raw(publisher.topic("truck-1"), b'{"tenant_id": "globex"}')
    publisher.send(10)
    publisher.settle()

    agent.wait_drained(settled=21)
    assert agent.status()["store"]["dead_letters"] == 1
    kept = site.kafka.read(site.topics["heartbeat"])
    assert len(kept) == 20 and all(message.key.startswith("acme/") for message in kept)
    wait_until(lambda: "contradicts the input's tenant" in agent.log_text(), 10, "the log says why")
    assert agent.finish() == 0


def test_a_vehicle_whose_clock_is_ahead_delays_nobody(site, mosquitto, tmp_path):
    """Kafka refuses a timestamp of more than an hour ahead, and with it the whole request."""
    site.create_topics()
    agent = site.agent(mosquitto.port, **WallClock(tmp_path).settings()).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port)
    ahead = set()
    began = time.monotonic()
    for second in range(20):
        later = datetime.now(UTC) + timedelta(hours=2)
        ahead |= set(publisher.send(1, asset="truck-ahead", at=later.isoformat()))
        publisher.send(100)
        time.sleep(max(0.0, began + second + 1 - time.monotonic()))
    publisher.settle()

    # Nothing was ever in the way: what is left is what came last.
    agent.wait_drained(settled=2020, seconds=5)
    assert agent.metric("tidegate_uplink_suspect_times_total") == len(ahead)
    found = {
        json.loads(message.value)["additional_data"]["n"]: message
        for message in site.kafka.read(site.topics["heartbeat"])
    }
    assert set(found) == publisher.promised
    suspect = {n for n, message in found.items() if message.headers.get("tg-time-suspect") == "1"}
    assert suspect == ahead
    assert all(found[n].timestamp_ms is None for n in ahead)
    assert agent.finish() == 0


def _array(element: str) -> bytes:
    return ("[" + ",".join([element] * ELEMENTS) + "]").encode()


def _most_memory_kib(agent) -> int:
    text = Path(f"/proc/{agent.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1))
