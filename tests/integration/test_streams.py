"""Streams that a user defines: schemas, required members, ids from a member, versions."""

import json
import subprocess

from realparts import wait_until

PROTO = """
syntax = "proto3";
package shop;
message Line { string article = 1; uint32 pieces = 2; }
message Order { string number = 1; string till_id = 2; int64 at = 3; repeated Line lines = 4; }
"""
# An Order, serialized by hand: {number: "o-1", till_id: "t7"} with the line {article: "A", pieces: 2}.
ORDER = b"\x0a\x03o-1\x12\x02t7\x22\x05\x0a\x01A\x10\x02"
UNKNOWN = b"\x98\x06\x05"  # Field 99, which the schema does not define.


def landed(landing, collection: str, count: int) -> list[dict]:
    def enough():
        found = landing.documents(collection)
        return found if len(found) >= count else None

    return wait_until(enough, 30, lambda: f"{count}: {landing.documents(collection)}", 0.2)


def reasons(site, count: int) -> list[str]:
    wait_until(lambda: site.kafka.count(site.dead_letters) >= count, 30, f"{count} letters", 0.5)
    letters = site.kafka.read(site.dead_letters)
    return sorted(letter.headers["tg-dlq-reason"] for letter in letters)


def test_protobuf_by_a_schema_of_ones_own(site, landing):
    folder = site.folder
    (folder / "order.proto").write_text(PROTO)
    made = ["protoc", f"--proto_path={folder}", f"--descriptor_set_out={folder / 'order.pb'}"]
    subprocess.run([*made, "order.proto"], check=True)
    topic = f"{site.prefix}.orders"
    site.create_topics()
    site.kafka.create(topic, partitions=1)  # Their order is in the assertion.
    site.reader(
        landing,
        _STREAMS="orders",
        _STREAM_ORDERS=f"topic={topic} collection=orders kind=sales format=protobuf"
        f" proto={folder / 'order.pb'} message=shop.Order unknown=refuse id=number",
    ).start()
    for value in (ORDER, ORDER + b"\x18\x01", ORDER + UNKNOWN, b"\x0a\x02no" * 2, b"{}"):
        site.kafka.send(topic, value)

    first, second = sorted(landed(landing, "orders", 2), key=lambda d: d["_id"])

    assert (first["_id"], second["_id"]) == ("//no", "//o-1")
    assert second["lines"] == [{"article": "A", "pieces": 2}]
    assert second["at"] == 0, "the same number again is the same order"
    assert reasons(site, 2) == [
        "protobuf: shop.Order has no field 99",
        "protobuf: the value is no shop.Order",
    ]


def test_json_that_must_have_its_members_and_its_version(site, landing):
    topic = f"{site.prefix}.water"
    site.create_topics()
    site.kafka.create(topic)
    site.reader(
        landing,
        _STREAMS="water",
        _STREAM_WATER=f"topic={topic} collection=water kind=reading require=level_m version=2",
    ).start()
    base = {"sensor_id": "s", "ts": "2026-01-15T10:30:00Z"}
    for value in (
        base | {"level_m": 1.5, "schema_version": 2},
        base | {"level_m": 1.5, "schema_version": 3},
        base | {"level_m": None},
    ):
        site.kafka.send(topic, json.dumps(value).encode(), "s")

    (document,) = landed(landing, "water", 1)

    assert document["tidegate"]["schema"] == 2
    assert reasons(site, 2) == [
        "member: level_m is missing",
        "schema: schema_version 3 is newer than 2, the newest that water takes",
    ]
