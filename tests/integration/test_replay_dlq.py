"""`replay-dlq` lands dead letters after the cause of their refusal was corrected."""

import json
import random

from harness import expect_once, heartbeat
from realparts import wait_until


def _heartbeat(n: int, tenant: str) -> bytes:
    return json.dumps(heartbeat(n) | {"tenant_id": tenant, "asset_id": "truck-1"}).encode()


def _report(done) -> dict[str, str]:
    lines = [line.split(None) for line in done.stdout.splitlines()]
    return {
        " ".join(word for word in words if word.isalpha()): next(w for w in words if w.isdigit())
        for words in lines
    }


def _assets(landing) -> dict[str, int]:
    return {a["_id"]: a["documents"] for a in landing.documents("assets")}


def test_dead_letters_of_a_tenant_land_once_the_tenant_is_allowed(site, mongo):
    site.create_topics()
    landing = site.mongo(mongo.url)
    topic = site.topics["heartbeat"]
    reader = site.reader(landing, _TENANTS="acme").start()
    site.kafka.send(topic, _heartbeat(1, "acme"), "acme/truck-1")
    second = _heartbeat(2, "globex")
    for value in (second, _heartbeat(3, "globex")):
        site.kafka.send(topic, value, "globex/truck-1", {"tg-gateway": "gw-9"})
    site.kafka.send(topic, _heartbeat(4, "initech"), "initech/truck-1")
    site.kafka.send(topic, b"{broken", "globex/truck-1")
    wait_until(lambda: site.kafka.count(site.dead_letters) >= 4, 30, "four dead letters", 0.5)
    assert reader.finish() == 0

    again = site.reader(landing, name="again", _TENANTS="acme,globex")
    again.folder.mkdir(exist_ok=True)
    dry = again.run("replay-dlq", "--dry-run", "--tenant", "globex")
    assert _report(dry)["would be sent"] == "2", dry.stdout + dry.stderr
    assert len(landing.documents("heartbeats")) == 1

    chosen = again.run("replay-dlq", "--reason", "tenant", "--tenant", "globex")
    assert chosen.returncode == 0, chosen.stdout + chosen.stderr
    assert _report(chosen) == {
        "read": "4",
        "chosen": "2",
        "landed": "2",
        "already there": "0",
        "refused again": "0",
        "cut": "0",
    }
    landed = expect_once(lambda: landing.documents("heartbeats"), {1, 2, 3})
    replayed = next(d for d in landed if d["additional_data"]["n"] == 2)
    source = next(m for m in site.kafka.read(topic) if m.value == second)
    assert replayed["tidegate"]["topic"] == topic
    assert replayed["tidegate"]["partition"] == source.partition
    assert replayed["tidegate"]["offset"] == source.offset
    assert replayed["tidegate"]["gateway"] == "gw-9"
    assert replayed["tidegate"]["dead_letter"].startswith(site.dead_letters + "/")
    assert _assets(landing) == {"acme/truck-1": 1, "globex/truck-1": 2}

    everything = again.run("replay-dlq")
    assert everything.returncode == 1, "one is broken and one is not allowed"
    assert _report(everything)["already there"] == "2"
    assert "(json 1, tenant 1)" in everything.stdout
    expect_once(lambda: landing.documents("heartbeats"), {1, 2, 3})
    assert not site.kafka.committed(site.group, site.dead_letters).get(0), "nothing is committed"
    assert _assets(landing) == {"acme/truck-1": 1, "globex/truck-1": 2}

    # Projectors that read the messages later, and a rebuild, count them once, too.
    late = site.reader(landing, name="late", _TENANTS="acme,globex", _KAFKA_GROUP_ID="late-" + topic)
    late.start()
    wait_until(
        lambda: sum(site.kafka.committed(f"late-{topic}-project", topic).values()) == 5,
        30,
        "all are read once more",
    )
    assert late.finish() == 0
    assert _assets(landing) == {"acme/truck-1": 1, "globex/truck-1": 2}
    assert again.run("rebuild").returncode == 0
    assert _assets(landing) == {"acme/truck-1": 1, "globex/truck-1": 2}


def test_a_letter_that_was_cut_is_told_and_left(site, mongo):
    site.kafka.create(site.topics["heartbeat"])
    site.kafka.create(site.dead_letters, max_message_bytes=40000)
    landing = site.mongo(mongo.url)
    reader = site.reader(landing).start()
    incompressible = random.Random(7).randbytes(200_000)
    site.kafka.send(site.topics["heartbeat"], b"{" + incompressible, "acme/truck-1")
    wait_until(lambda: site.kafka.count(site.dead_letters) >= 1, 30, "a dead letter", 0.5)
    assert reader.finish() == 0
    done = reader.run("replay-dlq")
    assert done.returncode == 1
    assert _report(done)["cut"] == "1", done.stdout


def test_what_means_nothing_is_a_usage_error_and_no_topic_is_nothing_to_do(site, mongo):
    reader = site.reader(site.mongo(mongo.url))
    reader.folder.mkdir(exist_ok=True)
    assert reader.run("replay-dlq", "--reason", "jsno").returncode == 2
    assert reader.run("replay-dlq", "--from", "yesterday").returncode == 2
    assert reader.run("replay-dlq", "--what").returncode == 2
    nothing = reader.run("replay-dlq")
    assert (nothing.returncode, _report(nothing)["read"]) == (0, "0"), nothing.stderr
