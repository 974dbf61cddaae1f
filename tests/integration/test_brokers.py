"""Brokers of different kinds: without MQTT 5, with TLS and passwords, with SASL."""

import json

import pytest
from harness import expect_once, heartbeat
from realparts import Kafka, Mosquitto, TcpProxy, refuse_mqtt5, wait_until


@pytest.fixture(scope="module")
def secure_kafka(tmp_path_factory, certificates):
    with Kafka(
        tmp_path_factory.mktemp("secure-kafka"), certificates, {"gateway": "s3cret kafka"}
    ) as broker:
        yield broker


@pytest.fixture
def secure_mosquitto(tmp_path, certificates):
    with Mosquitto(
        tmp_path / "secure",
        users={"gateway": "s3cret mqtt", "fleet": "fleet"},
        certificates=certificates,
    ) as broker:
        yield broker


def test_a_broker_that_knows_mqtt_3_only(site, mosquitto, mongo):
    site.create_topics()
    landing = site.mongo(mongo.url)
    proxy = TcpProxy(mosquitto.port, refuse_mqtt5)
    try:
        agent = site.agent(proxy.port).start()
        site.reader(landing).start()
        agent.wait_input("local")
        assert proxy.refused >= 1, "MQTT 5 was tried first"
        publisher = site.publisher(mosquitto.port)
        publisher.send(300)
        publisher.settle()
        expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
        assert "3.1.1" in agent.status()["inputs"]["local"]["detail"]
        proxy.cut()
        publisher.send(300)
        publisher.settle()
        proxy.restore()
        expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
    finally:
        proxy.close()


def test_tls_and_password_on_mqtt_and_sasl_ssl_on_kafka(
    make_site, secure_mosquitto, secure_kafka, certificates, mongo
):
    site = make_site(secure_kafka.bootstrap)
    site.create_topics()
    landing = site.mongo(mongo.url)
    kafka = {
        "_KAFKA_BOOTSTRAP_SERVERS": secure_kafka.secure_bootstrap,
        "_KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
        "_KAFKA_SASL_MECHANISM": "PLAIN",
        "_KAFKA_SASL_USERNAME": "gateway",
        "_KAFKA_SSL_CA_LOCATION": certificates.ca,
    }
    agent = site.agent(_INPUT_LOCAL=_mqtts(secure_mosquitto, certificates.ca), **kafka)
    agent.credentials(kafka_sasl_password="s3cret kafka", input_local_password="s3cret mqtt")
    agent.start()
    reader = site.reader(landing, **kafka)
    reader.credentials(kafka_sasl_password="s3cret kafka")
    reader.start()
    agent.wait_input("local")
    publisher = site.publisher(
        secure_mosquitto.tls_port, tls_ca=certificates.ca, user=("fleet", "fleet")
    )
    publisher.send(100)
    publisher.settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)

    said = (
        agent.log_text()
        + reader.log_text()
        + agent.run("status").stdout
        + agent.run("check").stdout
        + reader.run("check").stdout
    )
    assert "s3cret" not in said


def test_a_broker_whose_certificate_nobody_signed_is_refused(site, secure_mosquitto, certificates):
    agent = site.agent(_INPUT_LOCAL=_mqtts(secure_mosquitto, certificates.stranger_ca))
    agent.credentials(input_local_password="s3cret mqtt")
    agent.start()

    def refused():
        state = agent.status()["inputs"]["local"]
        assert not state["connected"]
        return "certificate" in state["detail"].lower() or "tls" in state["detail"].lower()

    wait_until(refused, 20, lambda: f"refused for its certificate: {agent.status()['inputs']}", 0.2)


def test_a_narrowed_topic_takes_no_other_tenants_messages(site, mosquitto):
    """The broker keeps the subscription to all tenants, whatever the agent is configured to afterwards."""
    agent = site.agent(mosquitto.port, _KAFKA_BOOTSTRAP_SERVERS="").start()
    agent.wait_input("local")
    assert agent.finish() == 0
    publisher = site.publisher(mosquitto.port)
    other = json.dumps(heartbeat(1)).encode()
    publisher.send_raw("fleet/beta/truck-1/heartbeat", other)  # The broker queues it.

    topic = f"mqtt://127.0.0.1:{mosquitto.port}/fleet/acme/{{asset}}/heartbeat?tenant=acme"
    agent.settings["_INPUT_LOCAL"] = topic
    agent.start()
    agent.wait_input("local")
    publisher.send_raw("fleet/beta/truck-2/heartbeat", other)
    publisher.send_raw("fleet/acme/truck-3/heartbeat", json.dumps(heartbeat(2)).encode())
    wait_until(lambda: agent.settled() == 2, 30, lambda: f"two messages: {agent.status()}", 0.2)
    stored = [json.loads(line)["value"] for line in agent.run("export").stdout.splitlines()]
    assert [(value["tenant_id"], value["asset_id"]) for value in stored] == [("acme", "truck-3")]
    assert agent.status()["store"]["dead_letters"] == 1, "what was queued, and nothing later"
    assert agent.metric("tidegate_mqtt_unsubscribed_total") == 1


def test_a_message_of_60_mb_takes_no_memory_and_holds_up_no_other(site, mosquitto):
    """With 3.1.1 a client cannot forbid it, and the broker would send it again on each connection."""
    site.create_topics()
    topic = f"mqtt://127.0.0.1:{mosquitto.port}/fleet/{{tenant}}/{{asset}}/heartbeat?version=3.1.1"
    agent = site.agent(_INPUT_LOCAL=topic).start()
    agent.wait_input("local")
    before = agent.peak_memory()
    publisher = site.publisher(mosquitto.port)
    publisher.send_raw("fleet/acme/truck-1/heartbeat", b"x" * 60_000_000)
    publisher.send_raw("fleet/acme/truck-2/heartbeat", json.dumps(heartbeat(1)).encode())
    wait_until(
        lambda: site.kafka.count(site.topics["heartbeat"]) >= 1, 60, "the next one arrives", 0.2
    )
    assert agent.status()["store"]["dead_letters"] == 1
    assert agent.metric("tidegate_mqtt_reconnects_total") == 0
    assert agent.peak_memory() - before < 16 << 20, "of 60 MB"


def test_a_wrong_password_is_named_and_survived(site, secure_mosquitto, certificates):
    agent = site.agent(_INPUT_LOCAL=_mqtts(secure_mosquitto, certificates.ca))
    agent.credentials(input_local_password="wrong")
    agent.start()

    def refused():
        state = agent.status()["inputs"]["local"]
        assert not state["connected"]
        return "authori" in state["detail"].lower() or "password" in state["detail"].lower()

    wait_until(refused, 20, lambda: f"refused for its password: {agent.status()['inputs']}", 0.2)
    assert agent.finish() == 0


def _mqtts(broker, ca) -> str:
    return (
        f"mqtts://gateway@localhost:{broker.tls_port}/fleet/{{tenant}}/{{asset}}/heartbeat?ca={ca}"
    )
