"""Members of the consumer group that have the static names of their installations."""

import json

from harness import heartbeat
from realparts import wait_until


def _reader(site, landing, name: str):
    folder = site.folder / f"state-{name}"
    folder.mkdir(exist_ok=True)
    return site.reader(
        landing, name=name, _ROLES="land", _STREAMS="heartbeat", STATE_DIRECTORY=folder
    )


def test_a_restart_of_one_reader_does_not_disturb_the_other(site, mongo):
    site.create_topics(partitions=4)
    landing = site.mongo(mongo.url)
    first, second = (_reader(site, landing, name).start() for name in ("one", "two"))
    for reader in (first, second):
        wait_until(
            lambda reader=reader: reader.log_text().rstrip().endswith("2 partitions assigned"),
            30,
            "each has two partitions",
        )
    before = second.log_text()
    names = {(site.folder / f"state-{name}" / "instance-id").read_text() for name in ("one", "two")}
    assert len(names) == 2

    assert first.finish() == 0
    first.start()
    wait_until(lambda: first.log_text().count("2 partitions assigned") == 2, 30, "two again")
    count = 40
    owner = {"tenant_id": "acme", "asset_id": "a"}
    values = [json.dumps(heartbeat(n) | owner) for n in range(count)]
    site.kafka.send_all(site.topics["heartbeat"], [value.encode() for value in values])
    wait_until(lambda: len(landing.documents("heartbeats")) == count, 30, "all have landed")
    assert "revoked" not in second.log_text()[len(before) :], second.log_text()
    assert {(site.folder / f"state-{n}" / "instance-id").read_text() for n in ("one", "two")} == names


def test_a_second_reader_in_the_same_folder_goes_without_a_name(site, mongo):
    site.create_topics(partitions=4)
    landing = site.mongo(mongo.url)
    first = _reader(site, landing, "one").start()
    second = _reader(site, landing, "two")
    second.settings["STATE_DIRECTORY"] = first.settings["STATE_DIRECTORY"]
    second.start()
    assert "another process has it; the members of the group have no static name" in second.log_text()
    wait_until(
        lambda: second.log_text().rstrip().endswith("2 partitions assigned"), 30, "both have some"
    )
    assert first.alive() and second.alive()
