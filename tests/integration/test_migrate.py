"""A database of an earlier version is migrated, by `migrate` or by the running reader."""

import contextlib
import json
import sqlite3

from harness import expect_once, heartbeat
from pymongo import MongoClient
from realparts import wait_until

OLD = {"_id": "acme/truck-1/e1", "tenant_id": "acme", "asset_id": "truck-1", "status": "old"}


def _indexes(collection) -> set[str]:
    return set(collection.index_information()) - {"_id_"}


def test_an_old_database_is_migrated_once(site, mongo):
    landing = site.mongo(mongo.url)
    reader = site.reader(landing, _RETENTION="90d")
    reader.folder.mkdir(exist_ok=True)
    with MongoClient(mongo.url) as client:
        database = client[landing.database]
        database.heartbeats.insert_one(OLD)
        dry = reader.run("migrate", "--dry-run")
        assert (dry.returncode, "pending" in dry.stdout) == (0, True), dry.stdout + dry.stderr
        assert not _indexes(database.heartbeats), "a dry run changes nothing"
        done = reader.run("migrate")
        assert (done.returncode, "applied" in done.stdout) == (0, True), done.stdout + done.stderr
        assert _indexes(database.heartbeats) >= {"tenant_id_1_asset_id_1_timestamp_-1__id_-1"}
        assert sorted(d["_id"] for d in database.tidegate_migrations.find()) == ["1", "2"]
        first = reader.run("migrate").stdout
        assert first == done.stdout, "what was applied is not applied again"
        assert database.heartbeats.find_one() == OLD


def test_a_dry_run_leaves_sqlite_as_it_is(site):
    """`--dry-run` creates no file, and changes nothing in an existing one."""
    file = site.folder / "landing.db"
    reader = site.reader(site.sqlite())
    dry = reader.run("migrate", "--dry-run")
    assert (dry.returncode, "nothing yet" in dry.stdout) == (0, True), dry.stdout + dry.stderr
    assert not file.exists()
    assert reader.run("migrate").returncode == 0
    assert file.exists()
    with contextlib.closing(sqlite3.connect(file)) as link:
        link.execute(f'DROP TABLE "{site.prefix}.tidegate_migrations"')
        link.commit()
        before = list(link.iterdump())
        assert len(before) > 4, "the streams' tables and indexes"
        dry = reader.run("migrate", "--dry-run")
        assert (dry.returncode, "pending" in dry.stdout) == (0, True), dry.stdout + dry.stderr
        assert list(link.iterdump()) == before


def test_the_running_reader_migrates_and_old_documents_stay(site, mongo):
    site.create_topics()
    landing = site.mongo(mongo.url)
    with MongoClient(mongo.url) as client:
        database = client[landing.database]
        database.heartbeats.insert_one(OLD)
        reader = site.reader(landing).start()
        value = heartbeat(1) | {"tenant_id": "acme", "asset_id": "truck-1"}
        again = {"event_id": "e1", "tenant_id": "acme", "asset_id": "truck-1", "status": "again"}
        for message in (value, again):
            site.kafka.send(site.topics["heartbeat"], json.dumps(message).encode(), "acme/truck-1")
        expect_once(lambda: landing.documents("heartbeats"), {1})
        wait_until(
            lambda: reader.metric("tidegate_reader_duplicates_total") == 1, 20, "the old id again"
        )
        assert database.heartbeats.find_one({"_id": OLD["_id"]}) == OLD
        assert "migration 1 of the database" in reader.log_text()
        assert database.tidegate_migrations.count_documents({}) == 2
    assert reader.finish() == 0


def test_a_database_of_a_later_version_is_refused(site, mongo):
    site.create_topics()
    landing = site.mongo(mongo.url)
    with MongoClient(mongo.url) as client:
        records = client[landing.database].tidegate_migrations
        records.insert_many([{"_id": str(n), "tidegate": {"revision": 1}} for n in (1, 2, 3)])
        reader = site.reader(landing).start(wait=False)
        wait_until(lambda: not reader.alive(), 30, "the reader gives up")
        assert reader.returncode() == 1
        assert "a later version" in reader.log_text()


# The indexes that the version before migration 2 made.
BEFORE = {
    "telemetry_raw": {
        "tenant_asset_time": [("tenant_id", 1), ("asset_id", 1), ("timestamp", -1), ("_id", -1)],
        "time": [("timestamp", -1), ("_id", -1)],
    },
    "alert_states": {
        "tenant_time": [("tenant_id", 1), ("raised_at", -1)],
        "tenant_asset_time": [("tenant_id", 1), ("asset_id", 1), ("raised_at", -1)],
    },
    "assets": {"tenant_time": [("tenant_id", 1), ("last_seen", -1)]},
}
# The indexes that the lists of the HTTP API need.
AFTER = {
    "telemetry_raw": {
        "timestamp_-1__id_-1",
        "tenant_id_1_timestamp_-1__id_-1",
        "tenant_id_1_asset_id_1_timestamp_-1__id_-1",
        "a user's own",
    },
    "alert_states": {
        "raised_at_-1__id_-1",
        "tenant_id_1_raised_at_-1__id_-1",
        "tenant_id_1_asset_id_1_raised_at_-1__id_-1",
        "tenant_id_1_status_1_raised_at_-1__id_-1",
        "tenant_id_1_severity_1_raised_at_-1__id_-1",
    },
    "assets": {"first_seen_-1__id_-1", "tenant_id_1_first_seen_-1__id_-1"},
}


def test_indexes_of_an_earlier_version_make_room(site, mongo):
    site.create_topics()
    landing = site.mongo(mongo.url)
    with MongoClient(mongo.url) as client:
        database = client[landing.database]
        database.tidegate_migrations.insert_one({"_id": "1", "tidegate": {"revision": 1}})
        for collection, indexes in BEFORE.items():
            for name, keys in indexes.items():
                database[collection].create_index(keys, name=name)
        database.telemetry_raw.create_index([("speed", 1)], name="a user's own")
        reader = site.reader(landing).start()
        for collection, names in AFTER.items():
            wait_until(
                lambda collection=collection, names=names: (
                    _indexes(database[collection]) == names
                ),
                30,
                lambda collection=collection: f"{collection}: {_indexes(database[collection])}",
            )
        assert sorted(d["_id"] for d in database.tidegate_migrations.find()) == ["1", "2"]
    assert reader.finish() == 0
    assert "create index" not in reader.log_text(), "no index was refused"
