"""A source of further members that is there, slow, away and back: nothing waits for it, and everything
is completed in the end."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness import expect_once
from realparts import wait_until


class Source:
    """Knows every asset's model but truck-1's; while it is away it answers 503."""

    def __init__(self):
        self.away = False
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                asset = self.path.rsplit("/", 1)[1]
                status = 503 if outer.away else 404 if asset == "truck-1" else 200
                body = json.dumps({"model": f"model of {asset}", "axles": 3}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.setting = (
            f"http://127.0.0.1:{self._server.server_port}/trucks/{{asset_id}} into=truck "
            "timeout=2s stream=heartbeat allow_private=yes"
        )

    def close(self):
        self._server.shutdown()
        self._server.server_close()


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
