"""`rebuild` makes the projections again from what has landed: the same that projectors make, and also
where projectors cannot."""

import json
import random
from datetime import UTC, datetime

import pymongo
from realparts import wait_until

PROJECTIONS = ("assets", "aggregated_data", "failures", "alert_states")


def _messages(count: int) -> dict[str, list[bytes]]:
    """Returns readings and readings of machines; the rule raises alerts from them."""
    chance = random.Random(7)
    messages: dict[str, list[bytes]] = {"reading": [], "machine": []}
    for n in range(count):
        kind = "machine" if n % 3 == 0 else "reading"
        record = {
            "event_id": f"e{n}",
            "tenant_id": ("acme", "globex")[n % 2],
            "asset_id": f"a-{n % 4}",
            "timestamp": datetime.fromtimestamp(1_790_000_000 + 20 * n, UTC).isoformat(
                timespec="milliseconds"
            ),
        }
        if kind == "machine":
            record |= {"failure": chance.random() < 0.5, "rpm": chance.uniform(0, 3000)}
        else:
            record |= {"temperature_c": chance.uniform(20, 70), "door": "shut"}
        messages[kind].append(json.dumps(record).encode())
    return messages


def _projections(landing, tenants: tuple[str | None, ...] = (None,)) -> dict[str, dict]:
    """Returns the projections without their revision, which counts how often each was saved."""
    found = {}
    for collection in PROJECTIONS:
        for tenant in tenants:
            for document in landing.documents(collection, tenant):
                document["tidegate"].pop("revision")
                found[f"{collection} {document['_id']}"] = document
    return found


def _reader(site, landing, name: str, **settings: object):
    return site.reader(
        landing,
        name=name,
        _STREAMS="telemetry,machine",
        _KAFKA_AUTO_COMMIT_INTERVAL_MS=300,
        _STREAM_MACHINE=f"topic={site.prefix}.machine",
        **{"_RULE_HOT": "temperature_c > 50 clear 45", **settings},
    )


def _send(site, messages: dict[str, list[bytes]]) -> int:
    site.kafka.send_all(site.topics["reading"], messages["reading"])
    site.kafka.send_all(f"{site.prefix}.machine", messages["machine"])
    return sum(len(values) for values in messages.values())


def _wait_projected(site, group: str, count: int):
    topics = (site.topics["reading"], f"{site.prefix}.machine")

    def projected() -> int:
        return sum(
            sum(site.kafka.committed(f"{group}-project", topic).values()) for topic in topics
        )

    wait_until(lambda: projected() == count, 60, lambda: f"{count} projected: {projected()}")


def _report(done) -> dict[str, int]:
    return {line[:14].strip(): int(line[14:]) for line in done.stdout.splitlines()}


def test_what_is_made_anew_is_what_projectors_made(site, landing):
    site.create_topics(partitions=1)
    site.kafka.create(f"{site.prefix}.machine", partitions=1)
    count = _send(site, _messages(240))
    reader = _reader(site, landing, "all").start()
    _wait_projected(site, site.group, count)

    refused = reader.run("rebuild")
    assert refused.returncode == 1 and "projectors are running" in refused.stderr, refused.stderr
    assert reader.finish() == 0
    made = _projections(landing)
    assert {name.split()[0] for name in made} == set(PROJECTIONS)

    done = reader.run("rebuild")
    assert done.returncode == 0, done.stdout + done.stderr
    assert _report(done) == {"read": count, "folded": count}
    assert _projections(landing) == made

    # Projectors continue from the rebuilt projections, even if they read all messages again.
    more = _reader(site, landing, "more")
    more.credentials(kafka_group_id=f"{site.group}-2")  # A credential overrides the variable.
    more.start()
    assert "projectors are running" in more.run("rebuild").stderr
    _wait_projected(site, f"{site.group}-2", count)
    assert more.finish() == 0
    assert _projections(landing) == made


def test_other_windows_and_rules(site, mongo):
    """Each tenant has a database, and the rebuild has rules and windows that did not exist before."""
    site.create_topics()
    site.kafka.create(f"{site.prefix}.machine")
    landing = site.mongo(mongo.url)
    count = _send(site, _messages(120))
    tenants = {"_TENANCY": "database", "_TENANTS": "acme,globex"}
    reader = _reader(site, landing, "first", **tenants).start()
    _wait_projected(site, site.group, count)
    assert reader.finish() == 0

    other = _reader(
        site,
        landing,
        "other",
        _RULE_HOT="temperature_c > 60 severity critical",
        _AGGREGATE_WINDOWS="10m",
        **tenants,
    )
    one = other.run("rebuild", "--tenant", "acme")
    assert one.returncode == 0, one.stderr
    windows = {
        tenant: {a["window"] for a in landing.documents("aggregated_data", tenant)}
        for tenant in ("acme", "globex")
    }
    assert windows == {"acme": {"10m"}, "globex": {"1h"}}
    both = other.run("rebuild")
    assert both.returncode == 0, both.stderr
    assert _report(both)["folded"] == count
    for tenant in ("acme", "globex"):
        assert {a["window"] for a in landing.documents("aggregated_data", tenant)} == {"10m"}
        states = landing.documents("alert_states", tenant)
        assert states and all(s["value"] > 60 and s["severity"] == "critical" for s in states)
    assert other.run("rebuild", "--tenant", "no such").returncode == 2

    kept = _reader(site, landing, "kept", _RETENTION="90d", **tenants)
    refused = kept.run("rebuild")
    assert refused.returncode == 2 and "--without-expired" in refused.stderr


def test_what_kafka_deleted_before_it_was_projected(site, mongo):
    site.create_topics(partitions=1)
    site.kafka.create(f"{site.prefix}.machine", partitions=1)
    landing = site.mongo(mongo.url)
    messages = _messages(90)
    reader = _reader(site, landing, "all").start()
    _wait_projected(site, site.group, _send(site, {name: m[:20] for name, m in messages.items()}))
    assert reader.finish() == 0
    late = {name: m[20:] for name, m in messages.items()}
    _send(site, late)
    lander = _reader(site, landing, "land", _ROLES="land").start()
    wait_until(
        lambda: len(landing.documents("telemetry_raw") + landing.documents("sensor_readings")) == 90,
        30,
        "all landed",
    )
    assert lander.finish() == 0
    site.kafka.delete_before(site.topics["reading"], 0, 50)

    reader.start()
    wait_until(
        lambda: reader.metric("tidegate_reader_projection_missed_total") == 30, 30, "30 missed"
    )
    _wait_projected(site, site.group, 90)
    assert "offsets 20 to 49 before they were projected" in reader.log_text()
    assert landing.documents("losses") == []
    assert sum(a["documents"] for a in landing.documents("assets")) == 60
    assert reader.finish() == 0
    assert reader.run("rebuild").returncode == 0
    assert sum(a["documents"] for a in landing.documents("assets")) == 90


def test_broken_off_it_holds_projectors_up_until_it_is_through(site, mongo):
    site.create_topics()
    site.kafka.create(f"{site.prefix}.machine")
    landing = site.mongo(mongo.url)
    _send(site, _messages(60))
    reader = _reader(site, landing, "all").start()
    _wait_projected(site, site.group, 60)
    assert reader.finish() == 0
    made = _projections(landing)
    # This is the state after a rebuild that was killed after its first step.
    database = pymongo.MongoClient(mongo.url)[site.prefix]
    database["tidegate_positions"].insert_one({"_id": "rebuild", "next_offset": 1})
    database["assets"].drop()

    _send(site, _messages(60))  # These are the same messages: they change nothing, but are read.
    reader.start(wait=False)
    wait_until(lambda: "made anew" in reader.log_text(), 30, "the projector waits")
    assert landing.documents("assets") == []
    refused = reader.run("rebuild", "--again")
    assert refused.returncode == 1 and "projectors are running" in refused.stderr
    assert reader.finish() == 0
    refused = reader.run("rebuild")
    assert refused.returncode == 1 and "--again" in refused.stderr, refused.stderr
    assert reader.run("rebuild", "--again").returncode == 0
    reader.start()
    _wait_projected(site, site.group, 120)
    assert _projections(landing) == made
