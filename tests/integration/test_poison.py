"""Only what cannot be decoded or delivered becomes a dead letter; every good record around it lands."""

import json
import random

from harness import expect_once, heartbeat
from realparts import wait_until

GOOD = json.dumps(heartbeat(1)).encode()
POISON = {
    "cut short": (b"acme", b'{"status": "act'),
    "not JSON": (b"acme", b"hello"),
    "empty": (b"acme", b""),
    "invalid UTF-8": (b"acme", b'{"status": "\xff\xfe"}'),
    "too deep": (b"acme", b'{"a":' * 2000 + b"1" + b"}" * 2000),
    "duplicate key": (b"acme", b'{"status": "a", "status": "b"}'),
    "another tenant than its topic": (b"acme", GOOD[:-1] + b', "tenant_id": "globex"}'),
    "tenant not allowed": (b"mallory", GOOD),
    "300 kB": (b"acme", json.dumps(heartbeat(1, blob="x" * 300_000)).encode()),
}


def test_poison_among_good_ones(site, mosquitto, mongo):
    site.create_topics()
    landing = site.mongo(mongo.url)
    agent = site.agent(mosquitto.port, _TENANTS="acme,globex").start()
    site.reader(landing).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port)
    for tenant, payload in POISON.values():
        publisher.send(20)
        publisher.send_raw(f"fleet/{tenant.decode()}/truck-9/heartbeat", payload)
    publisher.send(20)
    publisher.settle()

    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
    wait_until(
        lambda: agent.status()["store"]["dead_letters"] == len(POISON),
        20,
        lambda: f"{len(POISON)} dead letters: {agent.status()['store']}",
    )
    letters = [
        json.loads(line) for line in agent.run("export", "--dead-letters").stdout.splitlines()
    ]
    (large,) = (letter for letter in letters if letter["truncated"])
    assert large["payload_bytes"] > 300_000
    assert len(large["payload"]) == 64 * 1024
    local = agent.status()["inputs"]["local"]
    assert local["settled"] == local["received"] == len(publisher.promised) + len(POISON), (
        "poison is acknowledged too"
    )


def test_a_record_that_the_topic_does_not_take(site, mosquitto, mongo):
    """Kafka refuses the record for good: the agent keeps it as a dead letter, and delivers the records
    before and after it."""
    site.kafka.create(site.topics["heartbeat"], max_message_bytes=64000)
    landing = site.mongo(mongo.url)
    agent = site.agent(mosquitto.port).start()
    site.reader(landing).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port, assets=3)
    publisher.send(50)
    publisher.settle()
    big = heartbeat(-1, blob=_incompressible(200_000))
    publisher.send_raw(publisher.topic("truck-1"), json.dumps(big).encode())
    publisher.send(50)
    publisher.settle()

    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
    wait_until(
        lambda: agent.status()["store"]["dead_letters"] == 1,
        20,
        lambda: f"one dead letter: {agent.status()['store']}",
    )
    (letter,) = map(json.loads, agent.run("export", "--dead-letters").stdout.splitlines())
    assert letter["input"] == "uplink" and not letter["truncated"]
    assert letter["payload_bytes"] == len(letter["payload"]) > 200_000, "a record is kept whole"
    agent.wait_drained(settled=101)
    publisher.send(50)
    publisher.settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)


def _incompressible(size: int) -> str:
    """Returns random hexadecimal digits. Each has four bits of information, so that compression cannot
    make the text small enough for the topic."""
    return random.Random(7).randbytes(size // 2).hex()


def test_a_bad_message_in_the_topic_goes_to_the_dead_letter_topic(site, mosquitto, mongo):
    """Another producer writes the message; the reader keeps it as a dead letter with all that is known
    about it."""
    site.create_topics()
    landing = site.mongo(mongo.url)
    reader = site.reader(landing).start()
    topic = site.topics["heartbeat"]
    for n in range(1, 4):
        site.kafka.send(
            topic,
            json.dumps(heartbeat(n) | {"tenant_id": "acme", "asset_id": "a"}).encode(),
            "acme/a",
        )
    site.kafka.send(topic, b"{broken", "acme/a", {"x-trace": "42"})
    site.kafka.send(topic, b'{"status": "no tenant, no asset"}', "acme/a")
    for n in range(4, 7):
        site.kafka.send(
            topic,
            json.dumps(heartbeat(n) | {"tenant_id": "acme", "asset_id": "a"}).encode(),
            "acme/a",
        )

    expect_once(lambda: landing.documents("heartbeats"), {1, 2, 3, 4, 5, 6})
    wait_until(lambda: site.kafka.count(site.dead_letters) >= 2, 30, "two dead letters", 0.5)
    broken, homeless = sorted(
        site.kafka.read(site.dead_letters), key=lambda letter: letter.value != b"{broken"
    )
    assert (broken.value, broken.key, broken.headers["x-trace"]) == (b"{broken", "acme/a", "42")
    source = next(m for m in site.kafka.read(topic) if m.value == b"{broken")
    assert broken.headers["tg-dlq-topic"] == topic
    assert broken.headers["tg-dlq-partition"] == str(source.partition)
    assert broken.headers["tg-dlq-offset"] == str(source.offset)
    assert broken.headers["tg-dlq-reason"].startswith("json:")
    assert broken.headers["tg-dlq-time"].endswith("Z")
    assert b"no tenant" in homeless.value and homeless.headers["tg-dlq-reason"]
    assert reader.finish() == 0
