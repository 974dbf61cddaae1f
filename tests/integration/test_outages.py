"""Unreachable servers: nothing is lost, nothing is doubled, and order is kept."""

import json
from collections import defaultdict

import pytest
from harness import expect_once
from harness.landing import numbers
from realparts import Kafka, Mosquitto, wait_until


def test_an_agent_that_is_started_before_any_broker_exists(make_site, tmp_path, mongo):
    broker, kafka = (
        Mosquitto(tmp_path / "late-mosquitto", persist=True),
        Kafka(tmp_path / "late-kafka"),
    )
    site = make_site(kafka.bootstrap)
    landing = site.mongo(mongo.url)
    agent = site.agent(broker.port).start()
    reader = site.reader(landing).start(wait=False)
    assert not agent.status()["inputs"]["local"]["connected"]
    assert agent.fetch("/healthz")[0] == 200
    with broker:
        agent.wait_input("local")
        publisher = site.publisher(broker.port)
        publisher.send(100)
        publisher.settle()
        wait_until(lambda: agent.backlog() == 100, 20, lambda: f"stored: {agent.status()['store']}")
        with kafka:
            agent.wait_drained(settled=100)
            reader.wait_ready(60)
            expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
            assert reader.finish() == 0
            assert agent.finish() == 0


def test_a_backlog_of_an_outage_drains_in_order(make_site, own_kafka, mosquitto):
    site = make_site(own_kafka.bootstrap)
    site.create_topics()
    agent = site.agent(mosquitto.port).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port)
    publisher.send(100)
    publisher.settle()
    agent.wait_drained(settled=100)

    own_kafka.kill()
    publisher.send(1500)
    publisher.settle()
    wait_until(lambda: agent.backlog() == 1500, 30, lambda: f"stored: {agent.status()['store']}")
    own_kafka.again()
    publisher.send(100)  # These are live messages during the backlog.
    publisher.settle()
    agent.wait_drained(settled=1700, seconds=90)

    messages = site.kafka.read(site.topics["heartbeat"])
    assert sorted(_number(m) for m in messages) == sorted(publisher.promised), (
        "each promised one is there once"
    )
    by_asset = defaultdict(list)
    for message in messages:
        by_asset[message.key].append(_number(message))
    assert len(by_asset) == 10
    for asset, sent in by_asset.items():
        assert sent == sorted(sent), f"{asset} is out of order"
    replayed = {_number(m) for m in messages if m.headers.get("tg-replayed") == "1"}
    assert len(replayed) >= 1500 and 1 not in replayed


@pytest.mark.long
def test_leaders_that_move_between_three_brokers(make_site, kafka_cluster, mosquitto):
    """The leader of a partition is killed under load, three times, and started again."""
    site = make_site(kafka_cluster.bootstrap)
    site.create_topics(copies=3)
    topic = site.topics["heartbeat"]
    agent = site.agent(mosquitto.port).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port).load(rate=500)
    _await_more(publisher, 500)
    for partition in range(3):
        node = site.kafka.leader(topic, partition)
        kafka_cluster.brokers[node - 1].kill()
        wait_until(
            lambda p=partition, old=node: site.kafka.leader(topic, p) not in (-1, old),
            30,
            f"a new leader for partition {partition}",
        )
        _await_more(publisher, 1000)
        kafka_cluster.brokers[node - 1].again()
    publisher.rest()
    publisher.settle()
    agent.wait_drained(settled=publisher.published, seconds=90)
    _expect_in_order(site.kafka.read(topic), publisher.promised)


def _expect_in_order(messages, promised):
    """Expects each promised message, and ascending first arrivals of each asset; repeats are allowed."""
    latest, seen = defaultdict(int), set()
    for message in messages:
        n = _number(message)
        if n in seen:
            continue
        seen.add(n)
        assert n > latest[message.key], f"{message.key}: {n} came after {latest[message.key]}"
        latest[message.key] = n
    assert seen == promised


def test_a_frozen_kafka_loses_nothing(make_site, own_kafka, mosquitto, mongo):
    site = make_site(own_kafka.bootstrap)
    site.create_topics()
    landing = site.mongo(mongo.url)
    agent = site.agent(mosquitto.port).start()
    site.reader(landing).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port).load(rate=300)
    wait_until(lambda: len(landing.documents("heartbeats")) > 300, 30, "heartbeats landing")
    own_kafka.freeze()
    wait_until(lambda: agent.backlog() > 1000, 30, lambda: f"a backlog: {agent.status()['store']}")
    own_kafka.thaw()
    publisher.rest().settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)


def test_the_readers_database_goes_down_and_comes_back(site, mosquitto, own_mongo):
    site.create_topics()
    landing = site.mongo(own_mongo.url)
    agent = site.agent(mosquitto.port).start()
    reader = site.reader(landing).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port).load(rate=300)
    wait_until(lambda: len(landing.documents("heartbeats")) > 300, 30, "heartbeats landing")

    own_mongo.kill()
    wait_until(lambda: not reader.ready(), 30, "the reader says that it is not ready")
    agent.wait_drained()
    own_mongo.again()
    reader.wait_ready(60)
    own_mongo.freeze()
    _await_more(publisher, 900)
    own_mongo.thaw()
    publisher.rest().settle()

    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
    assert site.kafka.count(site.dead_letters) == 0, "an outage is no reason for a dead letter"
    assert reader.finish() == 0


def test_committed_offsets_are_never_ahead_of_the_landing(site, mosquitto, own_mongo):
    """The database and the reader are killed in turn; at each moment everything below a committed
    offset has landed."""
    site.create_topics()
    landing = site.mongo(own_mongo.url)
    agent = site.agent(mosquitto.port).start()
    reader = site.reader(landing, _BATCH_RECORDS=50).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port).load(rate=400)
    committed = 0
    for turn in range(4):
        wait_until(lambda n=committed: _committed(site) > n, 30, f"more than {committed} committed")
        if turn % 2:
            own_mongo.freeze()
            _await_more(publisher, 200)
        reader.kill()
        own_mongo.thaw()
        committed = _expect_landed_up_to_the_offsets(site, landing)
        reader.start()
    publisher.rest().settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)


def _await_more(publisher, count: int):
    enough = publisher.published + count
    wait_until(lambda: publisher.published >= enough, 30, f"{count} more heartbeats published")


def _committed(site) -> int:
    return sum(site.kafka.committed(site.group, site.topics["heartbeat"]).values())


def _expect_landed_up_to_the_offsets(site, landing) -> int:
    committed = site.kafka.committed(site.group, site.topics["heartbeat"])
    owed = {
        _number(m)
        for m in site.kafka.read(site.topics["heartbeat"])
        if m.offset < committed[m.partition]
    }
    ahead = owed - set(numbers(landing.documents("heartbeats")))
    assert not ahead, f"{len(ahead)} of {len(owed)} committed, but not landed"
    return sum(committed.values())


def _number(message) -> int:
    return json.loads(message.value)["additional_data"]["n"]
