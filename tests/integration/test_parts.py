"""Tests of the tools that the integration tests rely on."""

import socket

import pytest
from harness import expect_once
from realparts import Mosquitto, TcpProxy, refuse_mqtt5

CONNECT_5 = b"\x10\x12\0\x04MQTT\x05\x02\0\x0a\0\0\x05probe"
CONNECT_4 = b"\x10\x11\0\x04MQTT\x04\x02\0\x0a\0\x05probe"


def _ask(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
        link.sendall(request)
        return link.recv(64)


def test_the_proxy_refuses_mqtt_5_and_passes_3(mosquitto):
    proxy = TcpProxy(mosquitto.port, refuse_mqtt5)
    try:
        assert _ask(proxy.port, CONNECT_5) == b"\x20\x02\x00\x01"
        assert _ask(proxy.port, CONNECT_4) == b"\x20\x02\x00\x00"
        assert (proxy.refused, proxy.passed) == (1, 1)
    finally:
        proxy.close()


def test_a_publisher_counts_what_the_broker_acknowledged(site, tmp_path):
    with Mosquitto(tmp_path / "m") as broker:
        publisher = site.publisher(broker.port)
        sent = publisher.send(100)
        assert publisher.settle().promised == set(sent)
        broker.freeze()
        late = publisher.send(10)
        assert not publisher.promised & set(late)
        broker.kill()
        broker.again()
        assert publisher.settle().promised == set(sent) | set(late), (
            "sent again to the broker that came back"
        )


def test_the_oracle_sees_a_loss_and_a_double():
    def landed(*ns):
        return lambda: [{"additional_data": {"n": n}} for n in ns]

    expect_once(landed(1, 2, 3), {1, 2, 3}, seconds=1)
    with pytest.raises(AssertionError, match="1 lost"):
        expect_once(landed(1, 3), {1, 2, 3}, seconds=0.2)
    with pytest.raises(AssertionError, match="1 doubled"):
        expect_once(landed(1, 2, 2, 3), {1, 2, 3}, seconds=1)
    with pytest.raises(AssertionError, match="never promised"):
        expect_once(landed(1, 2, 3), {1, 2}, seconds=1)


def test_a_view_of_kafka_reads_what_is_there(site):
    site.create_topics()
    topic = site.topics["heartbeat"]
    for n in range(5):
        site.kafka.send(topic, f"{n}".encode(), f"key-{n}", {"h": "1"})
    messages = site.kafka.read(topic)
    assert sorted(m.value for m in messages) == [b"0", b"1", b"2", b"3", b"4"]
    assert messages[0].headers == {"h": "1"}
    assert set(site.kafka.committed(site.group, topic).values()) == {0}


def test_a_database_keeps_what_it_acknowledged_over_sigkill(site, own_mongo):
    landing = site.mongo(own_mongo.url)
    landing._client[site.prefix]["heartbeats"].insert_many(
        [{"additional_data": {"n": n}} for n in range(1000)]
    )
    own_mongo.kill()
    own_mongo.again()
    expect_once(lambda: landing.documents("heartbeats"), set(range(1000)), seconds=10)
