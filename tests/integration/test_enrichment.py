"""An enrichment source that answers, is slow, becomes unreachable and returns: nothing waits for it, and
at the end every document is complete."""

import json

import pytest
from harness import HttpSource, expect_once, heartbeat
from realparts import wait_until


class Source(HttpSource):
    """Knows the model of every asset except truck-1. While `away` is set it answers 503."""

    def __init__(self):
        self.away = False
        super().__init__(self._answer)
        self.setting = (
            f"{self.url}/trucks/{{asset_id}} into=truck timeout=2s stream=heartbeat "
            "tenant=* allow_private=yes"
        )

    def _answer(self, asset: str) -> tuple[int, object]:
        status = 503 if self.away else 404 if asset == "truck-1" else 200
        return status, {"model": f"model of {asset}", "axles": 3}


@pytest.fixture
def source():
    server = Source()
    yield server
    server.close()


def complete(document: dict) -> bool:
    asset = document["asset_id"]
    waits = any(name.startswith("pending_") for name in document["tidegate"])
    expected = None if asset == "truck-1" else {"model": f"model of {asset}", "axles": 3}
    return not waits and document.get("truck") == expected


@pytest.mark.parametrize("kind", ["mongo", "sqlite"])
def test_late_answers_complete_what_has_landed(site, mosquitto, mongo, source, kind):
    site.create_topics()
    landing = site.mongo(mongo.url) if kind == "mongo" else site.sqlite()
    agent = site.agent(mosquitto.port).start()
    reader = site.reader(landing, _ENRICH_TRUCK=source.setting).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port, assets=5)
    source.away = True
    publisher.send(200)
    publisher.settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
    assert reader.fetch("/readyz")[0] == 200, "a source that is away keeps nothing from landing"
    wait_until(lambda: source.asked > 0, 20, "a request")
    assert not all(complete(document) for document in landing.documents("heartbeats"))

    reader.finish()
    source.away = False
    reader.start()
    publisher.send(50)
    publisher.settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
    wait_until(
        lambda: all(complete(document) for document in landing.documents("heartbeats")),
        60,
        lambda: f"all complete: {landing.documents('heartbeats')[:3]}",
        0.5,
    )


def test_what_no_certificate_vouches_for_never_lands(site, mongo, certificates):
    """There are four servers with TLS: one whose authority is unknown, one whose certificate is not of
    the configured authority, one with another name, and one that is right."""
    site.create_topics()
    ours = (certificates.server, certificates.server_key)
    other_name = (certificates.elsewhere, certificates.elsewhere_key)
    cases = {
        "unknown": (ours, ""),
        "stranger": (ours, f"ca={certificates.stranger_ca}"),
        "misnamed": (other_name, f"ca={certificates.ca}"),
        "right": (ours, f"ca={certificates.ca}"),
    }
    sources = {
        name: HttpSource(lambda asked: (200, f"word on {asked}"), pair)
        for name, (pair, _) in cases.items()
    }
    settings = {
        f"_ENRICH_{name.upper()}": f"{sources[name].url}/{{asset_id}} into={name} "
        f"stream=heartbeat tenant=* allow_private=yes {ca}"
        for name, (_, ca) in cases.items()
    }
    landing = site.mongo(mongo.url)
    reader = site.reader(landing, **settings).start()
    for n in range(1, 4):
        value = json.dumps(heartbeat(n) | {"tenant_id": "acme", "asset_id": f"truck-{n}"})
        site.kafka.send(site.topics["heartbeat"], value.encode(), f"acme/truck-{n}")
    expect_once(lambda: landing.documents("heartbeats"), {1, 2, 3})

    def failures(name: str) -> float:
        return reader.metric(f'tidegate_enrich_failures_total{{source="{name}"}}')

    refused = ["unknown", "stranger", "misnamed"]
    wait_until(
        lambda: (
            all(failures(name) >= 3 for name in refused)
            and all("right" in document for document in landing.documents("heartbeats"))
        ),
        30,
        lambda: f"the right one is believed: {landing.documents('heartbeats')}",
        0.2,
    )
    for document in landing.documents("heartbeats"):
        assert document["right"] == f"word on {document['asset_id']}"
        assert not document.keys() & set(refused), "nothing without verification"
        waits = {name for name in document["tidegate"] if name.startswith("pending_")}
        assert waits == {f"pending_{name}" for name in refused}
    assert failures("right") == 0 and sources["right"].asked == 3
    assert [sources[name].asked for name in refused] == [0, 0, 0], "not even a key was told"
    log = reader.log_text()
    assert "unable to get local issuer certificate" in log
    assert "no alternative certificate subject name" in log
    assert reader.finish() == 0
    for source in sources.values():
        source.close()
