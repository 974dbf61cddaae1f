"""Every list of the HTTP API, over messages of every kind: pages, order, filters, and what a tenant's
token sees. The tests read the endpoints and parameters from openapi.json, so that they cover new
endpoints, too."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from harness import TOKENS, ApiClient
from realparts import wait_until

TENANTS = ("acme", "globex")
STREAMS = {
    "heartbeat": "heartbeats",
    "telemetry": "telemetry_raw",
    "alert": "alerts",
    "gap": "gaps",
    "machine": "sensor_readings",
}
# By path: the list's collection, and the time by which the list is ordered.
LISTS = {
    "/aggregated": ("aggregated_data", "timestamp"),
    "/alerts": ("alert_states", "raised_at"),
    "/alerts/recent": ("alert_states", "raised_at"),
    "/devices": ("assets", "first_seen"),
    "/devices/{id}/aggregates": ("aggregated_data", "timestamp"),
    "/failures": ("failures", "started_at"),
    "/gaps": ("losses", "timestamp"),
}
MEMBERS = {"device": "asset_id", "sensor": "sensor_type"}  # For filters whose name differs.


class Fleet:
    """Sends messages of two tenants whose devices have the same names and times, half an hour ago."""

    def __init__(self, site):
        self._site = site
        self.topics = site.topics | {"machine": f"{site.prefix}.machine"}
        self._began = datetime.now(UTC) - timedelta(minutes=30)
        self.sent = dict.fromkeys(self.topics, 0)

    def _send(self, topic: str, records: list[dict], apart: float = 1):
        """Sends each record for both tenants; their times are `apart` minutes apart."""
        first = self.sent[topic]
        values = []
        for n, record in enumerate(records):
            record |= {"event_id": f"{topic}-{first}-{n}", "timestamp": self._at(int(n * apart))}
            values += [json.dumps(record | {"tenant_id": tenant}).encode() for tenant in TENANTS]
        self._site.kafka.send_all(self.topics[topic], values)
        self.sent[topic] += len(values)

    def _at(self, minutes: int) -> str:
        return (self._began + timedelta(minutes=minutes)).isoformat(timespec="milliseconds")

    def send_all_kinds(self):
        """Sends messages of all kinds. They raise alerts by a rule, failures that end, and one that does
        not."""
        self.send_heartbeats(7)
        self._send(
            "reading",
            [
                {"asset_id": f"dev-{device}", "temperature_c": degrees, "humidity": 50}
                for degrees in (60, 20, 70, 30, 55, 25, 65)
                for device in range(2)
            ],
            apart=0.5,
        )
        self._send("machine", [{"asset_id": "press", "failure": n % 2 == 0} for n in range(7)])
        changes = [(0, "raised"), (1, "raised"), (1, "cleared"), (2, "raised")]
        self._send(
            "alert",
            [
                {"asset_id": f"dev-{n % 2}", "rule": f"rule-{n}", "status": status, "value": n}
                | {"severity": ("warning", "critical")[n % 2], "raised_at": self._at(n)}
                for n, status in changes
            ],
        )
        gap = {"asset_id": "gw", "gateway_id": "gw", "first_seq": 1, "last_seq": 4, "count": 4}
        self._send("gap", [gap | {"reason": "store full"} for _ in range(5)], apart=0.5)

    def send_heartbeats(self, count: int):
        beats = [{"asset_id": f"dev-{n % 3}", "speed": n} for n in range(count)]
        self._send("heartbeat", beats, apart=0.5)

    def wait_until_projected(self):
        def open_topics() -> list[str]:
            group = f"{self._site.group}-project"
            done = {t: self._site.kafka.committed(group, self.topics[t]) for t in self.sent}
            return [t for t, count in self.sent.items() if sum(done[t].values()) < count]

        wait_until(lambda: not open_topics(), 60, lambda: f"not projected: {open_topics()}", 0.5)


@pytest.mark.parametrize("tenancy", ["shared", "database"])
def test_every_list_of_everything(site, landing, tenancy):
    site.create_topics(partitions=1)
    fleet = Fleet(site)
    site.kafka.create(fleet.topics["machine"], partitions=1)
    reader = site.reader(
        landing,
        _TENANCY=tenancy,
        _STREAMS=",".join(STREAMS),
        _STREAM_MACHINE=f"topic={fleet.topics['machine']}",
        _RULE_HOT="temperature_c > 50 clear 45 severity critical",
        _KAFKA_AUTO_COMMIT_INTERVAL_MS=300,
        _API_RATE=10_000,
    )
    reader.credentials(api_tokens=TOKENS)
    reader.start()
    fleet.send_all_kinds()
    fleet.wait_until_projected()
    assert reader.finish() == 0
    landed = fleet.sent["heartbeat"]
    fleet.send_heartbeats(5)
    site.kafka.delete_before(fleet.topics["heartbeat"], 0, landed + 4)
    reader.start()
    fleet.wait_until_projected()

    api = Api(reader, ApiClient(reader, "reads-what-all-have"))
    acme = ApiClient(reader, "reads-what-acme-has")
    tenant = "acme" if tenancy == "database" else None
    for path, query in api.lists():
        collection, time = _kept_in(path, query)
        found = _expect_pages(acme, path, query, time)
        documents = landing.documents(collection, tenant)
        documents = [d for d in documents if d.get("tenant_id") == "acme"]
        if "{id}" in path:
            documents = [d for d in documents if d["asset_id"] == "dev-0"]
        assert {item["_id"] for item in found} == {d["_id"] for d in documents}, path
        _expect_filters(acme, path, query, api.filters(path), found, time)
    _expect_nothing_of_others(api, acme, reader)
    _expect_losses_by_offsets(api, acme, fleet, landed, tenancy)
    assert reader.finish() == 0


class Api:
    """The requests that openapi.json describes."""

    def __init__(self, reader, every: ApiClient):
        self.every = every
        self.paths = json.loads(ApiClient(reader).ask("/openapi.json")[2])["paths"]

    def _parameters(self, path: str) -> list[dict]:
        return self.paths[path].get("get", {}).get("parameters", [])

    def _has(self, path: str, name: str) -> bool:
        return any(parameter["name"] == name for parameter in self._parameters(path))

    def requests(self) -> Iterator[tuple[str, dict]]:
        """Yields every path with a GET, with every stream and every value of the enumerated
        parameters."""
        for path, operations in self.paths.items():
            if "get" not in operations:
                continue
            streams = STREAMS if self._has(path, "stream") else [None]
            for stream in streams:
                query = {"stream": stream} if stream else {}
                yield path, query
                for parameter in self._parameters(path):
                    for choice in parameter["schema"].get("enum", []):
                        yield path, query | {parameter["name"]: choice}

    def lists(self) -> Iterator[tuple[str, dict]]:
        """Yields every path that returns pages, with each stream that it accepts."""
        for path, query in self.requests():
            if self._has(path, "cursor") and query.keys() <= {"stream"}:
                yield path, query

    def filters(self, path: str) -> list[str]:
        others = {"id", "tenant", "stream", "from", "to", "limit", "cursor"}
        return [p["name"] for p in self._parameters(path) if p["name"] not in others]


def _kept_in(path: str, query: dict) -> tuple[str, str]:
    """Returns the list's collection, and the time by which the list is ordered."""
    return LISTS[path] if path in LISTS else (STREAMS[query["stream"]], "timestamp")


def _filled(path: str) -> str:
    return path.replace("{id}", "dev-0")


def _expect_pages(client: ApiClient, path: str, query: dict, time: str) -> list[dict]:
    """Expects pages of two items to add up to the whole list: newest first, then by descending id."""
    whole = client.items(_filled(path), limit=1000, **query)
    assert client.items(_filled(path), limit=2, **query) == whole, path
    empty = path.startswith("/devices/{id}") and query.get("stream") in ("gap", "machine")
    assert (not whole) if empty else len(whole) > 2, f"{path} {query}: {len(whole)}"
    order = [(item[time], item["_id"]) for item in whole]
    assert order == sorted(set(order), reverse=True), path
    assert {item["tenant_id"] for item in whole} <= {"acme"}, path
    return whole


def _expect_filters(client, path, query, filters, whole, time):
    for name in filters:
        member = MEMBERS.get(name, "active" if (path, name) == ("/failures", "status") else name)
        for value in {item[member] for item in whole if member in item}:
            asked = {True: "active", False: "ended"}[value] if member == "active" else value
            found = client.items(_filled(path), limit=2, **query, **{name: asked})
            assert found == [i for i in whole if i.get(member) == value], f"{path} {name}={value}"
    if not whole:
        return
    middle = whole[len(whole) // 2][time]
    since = client.items(_filled(path), limit=2, **query, **{"from": middle})
    before = {"from": "2000-01-01T00:00:00Z", "to": middle}
    until = client.items(_filled(path), limit=2, **query, **before)
    assert since and since + until == whole, path


def _expect_nothing_of_others(api: Api, acme: ApiClient, reader):
    """Expects acme's token to see nothing of globex, although a token for all tenants sees it."""
    nobody = ApiClient(reader)
    for path, query in api.requests():
        status, _, text = acme.ask(_filled(path), **query)
        assert status in (200, 403), f"{path} {query}: {text}"
        assert "globex" not in text, f"{path} {query}"
        assert status == 200 or path == "/metrics", path
        assert not any(tenant in nobody.ask(_filled(path), **query)[2] for tenant in TENANTS), path
    for path, query in api.lists():
        theirs = {"tenant": "globex"} | query
        assert acme.ask(_filled(path), **theirs)[0] == 403, path
        seen = api.every.items(_filled(path), **theirs)
        mine = acme.items(_filled(path), **query)
        assert len(seen) == len(mine), f"{path}: both tenants have sent the same"
        assert {item["tenant_id"] for item in seen} <= {"globex"}, path
    assert acme.ask("/stats", tenant="globex")[0] == 403


def _expect_losses_by_offsets(api: Api, acme: ApiClient, fleet: Fleet, landed: int, tenancy: str):
    """Losses by offsets belong to no tenant: only a token for all tenants sees them."""
    (loss,) = api.every.items("/gaps", kind="offsets")
    told = {name: loss[name] for name in ("topic", "partition", "from", "to", "count")}
    assert told == {
        "topic": fleet.topics["heartbeat"],
        "partition": 0,
        "from": landed,
        "to": landed + 4,
        "count": 4,
    }
    assert acme.items("/gaps", kind="offsets") == []
    # Where each tenant has a database, the request must name one.
    own = {"tenant": "acme"} if tenancy == "database" else {}
    gaps = api.every.items("/gaps", kind="gap", **own)
    assert len(gaps) == (5 if tenancy == "database" else 10)
