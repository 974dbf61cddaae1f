"""Kafka brokers that refuse records: the records stay in the store, are sent again, and are delivered in
order once the broker accepts them."""

import json
from collections import defaultdict

import pytest
from realparts import Kafka, wait_until


@pytest.fixture(scope="module")
def strict_kafka(tmp_path_factory, certificates):
    """A broker with access lists that creates no topic by itself."""
    with Kafka(
        tmp_path_factory.mktemp("strict-kafka"),
        certificates,
        {"gateway": "s3cret kafka"},
        access_lists=True,
        properties={"auto.create.topics.enable": "false"},
    ) as broker:
        yield broker


def _agent(site, kafka, certificates, mqtt_port):
    agent = site.agent(
        mqtt_port,
        _KAFKA_BOOTSTRAP_SERVERS=kafka.secure_bootstrap,
        _KAFKA_SECURITY_PROTOCOL="sasl_ssl",
        _KAFKA_SASL_MECHANISM="PLAIN",
        _KAFKA_SASL_USERNAME="gateway",
        _KAFKA_SSL_CA_LOCATION=certificates.ca,
        _RULE_ALWAYS="n > 0",
    )
    agent.credentials(kafka_sasl_password="s3cret kafka")
    agent.start()
    agent.wait_input("local")
    return agent


def _expect_in_order(site, publisher):
    by_asset = defaultdict(list)
    for message in site.kafka.read(site.topics["heartbeat"]):
        by_asset[message.key].append(json.loads(message.value)["additional_data"]["n"])
    assert sorted(n for sent in by_asset.values() for n in sent) == sorted(publisher.promised)
    for asset, sent in by_asset.items():
        assert sent == sorted(sent), f"{asset} is out of order"


def _wait_refused(agent, reason, count):
    def refused():
        status = agent.status()
        kept = status["store"]["records"]["heartbeat"]
        return reason in status["uplink"]["detail"] and kept == count

    wait_until(refused, 40, lambda: f"{reason}: {agent.status()}", 0.2)


def test_what_an_access_list_forbids_waits_and_alerts_go(
    make_site, strict_kafka, mosquitto, certificates
):
    site = make_site(strict_kafka.bootstrap)
    site.create_topics()
    site.kafka.allow("gateway", site.topics["alert"])
    agent = _agent(site, strict_kafka, certificates, mosquitto.port)
    publisher = site.publisher(mosquitto.port)
    publisher.send(300)
    publisher.settle()
    _wait_refused(agent, "TOPIC_AUTHORIZATION_FAILED", 300)
    wait_until(
        lambda: agent.status()["store"]["records"]["alert"] == 0,
        40,
        lambda: f"alerts pass: {agent.status()}",
    )
    assert site.kafka.read(site.topics["alert"])

    site.kafka.allow("gateway", site.topics["heartbeat"])
    agent.wait_drained(settled=300, seconds=90)
    _expect_in_order(site, publisher)

    site.kafka.forbid("gateway", site.topics["heartbeat"])
    publisher.send(200)
    publisher.settle()
    _wait_refused(agent, "TOPIC_AUTHORIZATION_FAILED", 200)
    site.kafka.allow("gateway", site.topics["heartbeat"])
    agent.wait_drained(settled=500, seconds=90)
    _expect_in_order(site, publisher)
    assert agent.status()["store"]["dead_letters"] == 0


def test_a_topic_that_is_made_later(make_site, strict_kafka, mosquitto, certificates):
    site = make_site(strict_kafka.bootstrap)
    site.kafka.allow("gateway", *site.topics.values())
    agent = _agent(site, strict_kafka, certificates, mosquitto.port)
    publisher = site.publisher(mosquitto.port)
    publisher.send(300)
    publisher.settle()
    _wait_refused(agent, "UNKNOWN_TOPIC", 300)
    site.create_topics()
    agent.wait_drained(settled=300, seconds=90)
    _expect_in_order(site, publisher)
    assert agent.status()["store"]["dead_letters"] == 0
