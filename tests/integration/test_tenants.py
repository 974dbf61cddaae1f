"""Tenants with databases, or even a database server, of their own."""

import json
import subprocess

import pytest
from harness import heartbeat
from harness.landing import SqliteLanding, expect_once
from harness.programs import binary
from realparts import wait_until


def test_a_tenant_with_a_server_of_its_own_shares_none_with_the_others(site, tmp_path):
    site.create_topics()
    common = SqliteLanding(tmp_path / "common.db", "fleet")
    own = SqliteLanding(tmp_path / "own.db", "fleet")
    reader = site.reader(
        common,
        _TENANCY="database",
        _TENANTS="acme,north-1",
        _RETENTION="90d",
    )
    reader.folder.mkdir(exist_ok=True)
    reader.credentials(**{"landing_north-1_uri": f"sqlite:{tmp_path / 'own.db'}"})
    reader.start()
    for n in range(1, 21):
        tenant = "acme" if n % 2 else "north-1"
        value = heartbeat(n) | {"tenant_id": tenant, "asset_id": "truck-1"}
        site.kafka.send(site.topics["heartbeat"], json.dumps(value).encode(), f"{tenant}/truck-1")

    expect_once(lambda: common.documents("heartbeats", "acme"), set(range(1, 21, 2)))
    kept = expect_once(lambda: own.documents("heartbeats", "north-1"), set(range(2, 21, 2)))
    assert not common.documents("heartbeats", "north-1")
    assert not own.documents("heartbeats", "acme")
    assert all(d["tidegate"]["expires_at"] > d["tidegate"]["received_at"] for d in kept)
    assert reader.finish() == 0


def test_the_heartbeat_readers_tenants_are_kept_apart(site, mongo, own_mongo, start):
    """Each tenant has a database, and one has a server that no other tenant's documents reach."""
    topic = f"{site.prefix}.telematics_heartbeat"
    site.kafka.create(topic)
    one = start(
        FD_KAFKA_TOPIC=topic,
        FD_MONGO_COLLECTION_NAME="heartbeats",
        KAFKA_BROKER=site.bootstrap,
        MONGO_DB_HOST=mongo.url.removeprefix("mongodb://").rstrip("/").split("/")[0],
        MONGO_DB_DATABASE=site.prefix,
        TIDEGATE_TENANCY="database",
        TIDEGATE_TENANTS="acme,bolt,north-1",
        TIDEGATE_LANDING_NORTH_1=own_mongo.url,
        TIDEGATE_DLQ_TOPIC=site.dead_letters,
        TIDEGATE_PARKING_TOPIC=site.parked,
    )
    site.kafka.create(site.dead_letters, site.parked)
    one.run()
    own = site.mongo(own_mongo.url)

    def send(numbers: range):
        for n in numbers:
            tenant = ("acme", "bolt", "north-1", "stranger")[n % 4]
            value = heartbeat(n) | {"tenant_id": tenant, "asset_id": "truck-1"}
            site.kafka.send(topic, json.dumps(value).encode(), f"{tenant}/truck-1")

    def expect(last: int):
        common = {"acme": one.landing, "bolt": one.landing, "north-1": own}
        for place, (tenant, landing) in enumerate(common.items()):
            kept = expect_once(
                lambda tenant=tenant, landing=landing: landing.documents("heartbeats", tenant),
                set(range(place, last, 4)),
            )
            assert {d["tenant_id"] for d in kept} == {tenant}

    send(range(20))
    expect(20)
    assert own.databases() == {f"{site.prefix}_north-1"}
    assert one.landing.databases() == {site.prefix, f"{site.prefix}_acme", f"{site.prefix}_bolt"}
    assert not one.landing.documents("heartbeats"), "nothing is in a database of nobody's"
    assert len(one.letters(site.dead_letters, 5)) == 5
    own_mongo.kill()
    send(range(20, 40))
    wait_until(lambda: site.kafka.count(site.parked) == 5, 60, "that tenant's records are parked")
    own_mongo.again()
    expect(40)
    assert one.reader.finish() == 0


@pytest.fixture
def refusing(tmp_path):
    """Starts a server whose file lists the databases to which nobody may write."""
    started = []

    def make(*databases: str):
        file = tmp_path / "refused"
        file.write_text("".join(f"{name}\n" for name in databases))
        process = subprocess.Popen(
            [binary("tidegate-mongo-stub"), "--refused", file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return f"mongodb://127.0.0.1:{int(process.stdout.readline())}", file

    yield make
    for process in started:
        process.kill()
        process.communicate()


def test_a_dead_server_and_a_database_without_rights_cost_their_tenants_alone(
    site, mongo, own_mongo, refusing
):
    site.create_topics()
    site.kafka.create(site.parked)
    refused_url, refused_file = refusing(f"{site.prefix}_coral")
    places = {
        "acme": site.mongo(mongo.url),
        "bolt": site.mongo(mongo.url),
        "north-1": site.mongo(own_mongo.url),
        "coral": site.mongo(refused_url),
    }
    tenants = tuple(places)
    reader = site.reader(
        places["acme"],
        _TENANCY="database",
        _TENANTS=",".join(tenants),
        _LANDING_NORTH_1=own_mongo.url,
        _LANDING_CORAL=refused_url,
        _ROLES="land,api",
    ).start()

    def send(numbers: range):
        for n in numbers:
            tenant = tenants[n % 4]
            value = heartbeat(n) | {"tenant_id": tenant, "asset_id": "truck-1"}
            site.kafka.send(
                site.topics["heartbeat"], json.dumps(value).encode(), f"{tenant}/truck-1"
            )

    def expect(tenant: str, last: int, seconds: float = 60):
        expect_once(
            lambda: places[tenant].documents("heartbeats", tenant),
            set(range(tenants.index(tenant), last, 4)),
            seconds,
        )

    send(range(200))
    for tenant in ("acme", "bolt", "north-1"):
        expect(tenant, 200)
    own_mongo.kill()
    send(range(200, 400))
    # A server that does not answer may cost the others its limit of time, once.
    for tenant in ("acme", "bolt"):
        expect(tenant, 400, 30)
    wait_until(lambda: site.kafka.count(site.parked) >= 150, 30, "the rest is parked")
    send(range(400, 600))
    for tenant in ("acme", "bolt"):
        expect(tenant, 600, 5)
    wait_until(
        lambda: reader.metric("tidegate_reader_parked_lanes") == 2, 30, "two lanes are parked"
    )
    assert reader.fetch("/readyz")[0] == 200
    assert not places["coral"].documents("heartbeats", "coral")

    # The marks outlive the process: nothing overtakes what is parked.
    assert reader.finish() == 0
    reader.start()
    send(range(600, 800))
    own_mongo.again()
    refused_file.write_text("")
    for tenant in tenants:
        expect(tenant, 800, 120)
    wait_until(
        lambda: reader.metric("tidegate_reader_parked_lanes") == 0, 60, "no lane is parked"
    )
    send(range(800, 840))
    for tenant in tenants:
        expect(tenant, 840)
    assert site.kafka.count(site.dead_letters) == 0
    assert reader.finish() == 0
