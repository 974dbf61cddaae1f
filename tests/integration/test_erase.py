"""`tidegate-reader erase` counts and removes what is kept of a tenant or an asset, and nothing else."""

import json

from harness import SqliteLanding, expect_once, heartbeat
from realparts import wait_until

TENANTS = ("acme", "globex")
ASSETS = ("truck-1", "truck-2")


def send(site, numbers: range):
    for n in numbers:
        tenant, asset = TENANTS[n % 2], ASSETS[n // 2 % 2]
        value = heartbeat(n) | {"tenant_id": tenant, "asset_id": asset}
        site.kafka.send(site.topics["heartbeat"], json.dumps(value).encode(), f"{tenant}/{asset}")


def assets(landing) -> set[tuple[str, str]]:
    return {(d["tenant_id"], d["asset_id"]) for d in landing.documents("assets")}


def test_an_asset_then_a_tenant_is_counted_and_removed(site, landing):
    site.create_topics()
    reader = site.reader(landing).start()
    send(site, range(1, 41))
    expect_once(lambda: landing.documents("heartbeats"), set(range(1, 41)))
    everyone = {(tenant, asset) for tenant in TENANTS for asset in ASSETS}
    wait_until(lambda: assets(landing) == everyone, 60, "every asset is projected", 0.2)

    counted = reader.run("erase", "--tenant", "acme", "--asset", "truck-1")
    assert counted.returncode == 0, counted.stderr
    assert "nothing was removed" in counted.stdout
    assert len(landing.documents("heartbeats")) == 40 and assets(landing) == everyone

    done = reader.run("erase", "--tenant", "acme", "--asset", "truck-1", "--yes")
    assert done.returncode == 0, done.stderr
    left = landing.documents("heartbeats")
    assert len(left) == 30
    assert all((d["tenant_id"], d["asset_id"]) != ("acme", "truck-1") for d in left)
    assert assets(landing) == everyone - {("acme", "truck-1")}

    done = reader.run("erase", "--tenant", "acme", "--yes")
    assert done.returncode == 0, done.stderr
    assert {d["tenant_id"] for d in landing.documents("heartbeats")} == {"globex"}
    assert assets(landing) == {("globex", asset) for asset in ASSETS}
    again = reader.run("erase", "--tenant", "acme")
    found = next(line for line in again.stdout.splitlines() if line.startswith("found"))
    assert found.split()[1] == "0", again.stdout

    # An asset that returns begins anew, beside a reader that has run all the while.
    send(site, range(42, 43))
    expect_once(lambda: landing.documents("heartbeats"), set(range(1, 41, 2)) | {42})
    wait_until(lambda: ("acme", "truck-2") in assets(landing), 60, "it is projected", 0.2)
    assert reader.finish() == 0


def test_a_tenant_with_a_database_of_its_own(site, landing):
    site.create_topics()
    reader = site.reader(landing, _TENANCY="database", _TENANTS=",".join(TENANTS)).start()
    send(site, range(1, 21))
    for n, tenant in enumerate(TENANTS):
        expect_once(
            lambda tenant=tenant: landing.documents("heartbeats", tenant),
            {i for i in range(1, 21) if i % 2 == n},
        )
    done = reader.run("erase", "--tenant", "acme", "--yes")
    assert done.returncode == 0, done.stderr
    assert not landing.documents("heartbeats", "acme")
    assert len(landing.documents("heartbeats", "globex")) == 10
    unlisted = reader.run("erase", "--tenant", "nobody", "--yes")
    assert unlisted.returncode == 2 and "is on no list of tenants" in unlisted.stderr
    assert reader.finish() == 0


def test_a_landing_that_does_not_exist_is_an_error(site, tmp_path):
    """So that nobody takes a shell without the service's variables for an empty database."""
    reader = site.reader(SqliteLanding(tmp_path / "nothing.db", "fleet"))
    reader.folder.mkdir(exist_ok=True)
    done = reader.run("erase", "--tenant", "acme", "--yes")
    assert done.returncode == 2
    assert "nothing.db" in done.stdout and "there is no such file" in done.stderr
