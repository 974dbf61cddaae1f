"""Documents whose retention has ended are deleted, by the database or by the reader; others stay."""

import json
import time

import pytest
from harness import SqliteLanding, expect_once, heartbeat
from realparts import wait_until


@pytest.mark.long
@pytest.mark.timeout(400)
def test_documents_go_when_their_time_is_up_and_others_stay(site, landing):
    """MongoDB deletes by a TTL index once a minute; in SQLite the reader's worker deletes."""
    site.create_topics()
    reader = site.reader(
        landing, _RETENTION_SHORT="1m", _RETENTION_LONG="90d", _RETENTION="forever"
    ).start()
    began = time.monotonic()
    tenants = ("short", "long", "other")
    for n in range(1, 31):
        value = heartbeat(n) | {"tenant_id": tenants[n % 3], "asset_id": "truck-1"}
        site.kafka.send(site.topics["heartbeat"], json.dumps(value).encode(), "truck-1")
    landed = expect_once(lambda: landing.documents("heartbeats"), set(range(1, 31)))
    assert {d["tenant_id"] for d in landed if "expires_at" in d["tidegate"]} == {"short", "long"}
    kept = {d["_id"] for d in landed if d["tenant_id"] != "short"}
    assert len(kept) == 20

    wait_until(
        lambda: {d["_id"] for d in landing.documents("heartbeats")} == kept,
        170,
        lambda: f"twenty are left: {len(landing.documents('heartbeats'))}",
        1,
    )

    assert time.monotonic() - began >= 60, "none goes before its time"
    by_the_reader = 10 if isinstance(landing, SqliteLanding) else 0
    wait_until(
        lambda: reader.metric("tidegate_reader_expired_total") == by_the_reader, 10, "counted", 0.2
    )
    assert reader.finish() == 0
