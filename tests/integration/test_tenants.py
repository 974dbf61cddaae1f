"""Tenants that are kept apart down to their servers."""

import json

from harness import heartbeat
from harness.landing import SqliteLanding, expect_once


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
