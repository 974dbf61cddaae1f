"""The HTTP API serves what has landed, with filters, pages and tokens. An outage of the database does
not slow down endpoints that do not need it."""

import contextlib
import json
import socket
import time

import pytest
from harness import TOKENS, ApiClient
from realparts import wait_until


def _send(site, count: int = 25):
    """Sends readings of two tenants that have the same device names; some have the same time."""
    messages = [
        {
            "tenant_id": tenant,
            "device_id": f"dev-{n % 3}",
            "ts": f"2025-06-23T00:00:{n // 2:02}.000Z",
            "temperature_c": 20 + n,
            "humidity": 60.0,
        }
        for tenant in ("acme", "globex")
        for n in range(count)
    ]
    site.kafka.send_all(site.topics["reading"], [json.dumps(one).encode() for one in messages])


def _start(site, landing, **settings):
    site.create_topics()
    _send(site)
    reader = site.reader(landing, _API_RATE=1000, **settings)
    reader.credentials(api_tokens=TOKENS)
    return reader.start()


@pytest.mark.parametrize("tenancy", ["shared", "database"])
def test_pages_filters_and_tokens(site, landing, tenancy):
    reader = _start(site, landing, _TENANCY=tenancy)
    acme = ApiClient(reader, "reads-what-acme-has")
    wait_until(
        lambda: len(acme.items("/telemetry", limit=1000)) == 25,
        30,
        lambda: f"25 readings: {acme.ask('/telemetry')}",
    )
    whole = acme.items("/telemetry", limit=1000)
    assert acme.items("/telemetry", limit=7) == whole
    times = [item["timestamp"] for item in whole]
    assert times == sorted(times, reverse=True)
    assert {item["tenant_id"] for item in whole} == {"acme"}
    assert whole[0]["device_id"] == "dev-0"
    assert whole[0]["ts"] == "2025-06-23T00:00:12.000Z"
    assert whole[0]["temperature_c"] == 44

    assert len(acme.items("/devices/dev-1/telemetry")) == 8
    between = acme.items(
        "/telemetry", **{"from": "2025-06-23T00:00:02Z", "to": "2025-06-23T00:00:04Z"}
    )
    assert sorted(item["temperature_c"] for item in between) == [24, 25, 26, 27]

    assert acme.ask("/telemetry", tenant="globex")[0] == 403
    assert acme.ask("/metrics")[0] == 403
    every = ApiClient(reader, "reads-what-all-have")
    assert len(every.items("/telemetry", tenant="globex", limit=1000)) == 25
    assert every.ask("/telemetry")[0] == (200 if tenancy == "shared" else 400)
    assert every.ask("/metrics")[0] == 200
    stranger = ApiClient(reader)
    status, kind, body = stranger.ask("/telemetry")
    assert (status, kind) == (401, "application/problem+json"), body
    assert stranger.ask("/healthz")[0] == 200


def test_the_description_is_true(site, landing):
    """Every GET of openapi.json answers as described; unknown parameters and paths are refused."""
    reader = _start(site, landing)
    client = ApiClient(reader, "reads-what-all-have")
    status, kind, text = client.ask("/openapi.json")
    assert (status, kind) == (200, "application/json")
    description = json.loads(text)
    for path, operations in description["paths"].items():
        if "get" not in operations:
            continue
        status, kind, body = client.ask(path.replace("{id}", "dev-1"))
        assert status == 200, f"{path}: {body}"
        assert kind.split(";")[0] in operations["get"]["responses"]["200"]["content"], path
    assert client.ask("/alerts", tenent="acme")[0] == 400
    assert client.ask("/nothing")[0] == 404


def test_an_admin_stops_the_reader(site, landing):
    reader = _start(site, landing, _HTTP_SHUTDOWN="on")
    assert ApiClient(reader, "reads-what-all-have").ask("/shutdown", method="POST")[0] == 403
    assert ApiClient(reader).ask("/shutdown", method="POST")[0] == 401
    assert reader.alive()
    assert ApiClient(reader, "stops-the-reader-00").ask("/shutdown", method="POST")[0] == 202
    wait_until(lambda: not reader.alive(), 40, lambda: "the reader ends")
    assert reader.returncode() == 0


def test_without_the_database_health_and_metrics_stay_quick(site, own_mongo):
    reader = site.reader(site.mongo(own_mongo.url), _API_TIMEOUT="2s", _API_RATE=1000)
    site.create_topics()
    reader.start()
    client = ApiClient(reader)
    assert client.ask("/telemetry")[0] == 200
    own_mongo.kill()
    slowest = 0.0
    for _ in range(20):
        began = time.monotonic()
        assert client.ask("/healthz")[0] == 200
        assert client.ask("/metrics")[0] == 200
        slowest = max(slowest, time.monotonic() - began)
    began = time.monotonic()
    assert client.ask("/telemetry")[0] in (503, 504)
    assert time.monotonic() - began < 8
    assert slowest < 1
    wait_until(lambda: client.ask("/readyz")[0] == 503, 40, lambda: "not ready")
    assert json.loads(client.ask("/health")[2])["database"] == "down"
    value = {"tenant_id": "acme", "asset_id": "a", "event_id": "late"}
    site.kafka.send(site.topics["reading"], json.dumps(value).encode())
    lag = "kafka_consumer_lag_milliseconds"
    for more_than in (0, 2_000, 5_000):  # The lag grows.
        wait_until(
            lambda more=more_than: reader.metric(lag) > more, 30, lambda: f"{reader.metric(lag)} ms"
        )


def test_clients_that_send_nothing_or_slowly_keep_nobody_waiting(site, landing):
    """Half a request on each of many connections, and one byte a second on others."""
    reader = _start(site, landing)
    client = ApiClient(reader, "reads-what-acme-has")
    wait_until(lambda: len(client.items("/telemetry", limit=1000)) == 25, 30, lambda: "25 readings")
    with contextlib.ExitStack() as stack:
        slow = []
        for n in range(64):
            link = socket.create_connection(("127.0.0.1", reader.http_port), timeout=5)
            slow.append(stack.enter_context(link))
            link.sendall(b"GET /telemetry HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "[: 10 + n % 50])
        slowest = 0.0
        for _ in range(20):
            for link in slow[::8]:
                with contextlib.suppress(OSError):  # It was closed, which is a good answer.
                    link.sendall(b"x")
            began = time.monotonic()
            assert client.ask("/healthz")[0] == 200
            assert client.ask("/readyz")[0] == 200
            assert client.ask("/telemetry")[0] == 200
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.2)
    assert slowest < 2
