"""A source of further members that is there, slow, away and back: nothing waits for it, and everything
is completed in the end."""

import pytest
from harness import HttpSource, expect_once
from realparts import wait_until


class Source(HttpSource):
    """Knows every asset's model but truck-1's; while it is away it answers 503."""

    def __init__(self):
        self.away = False
        super().__init__(self._answer)
        self.setting = (
            f"{self.url}/trucks/{{asset_id}} into=truck timeout=2s stream=heartbeat "
            "allow_private=yes"
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
