"""A reader that replaces a seed's reader and is started with that reader's environment."""

import json

from realparts import wait_until

from .programs import Reader

# The members of an alert as the telemetry system documents it.
ALERT_MEMBERS = {
    "_id",
    "device_id",
    "sensor_type",
    "value",
    "alert_type",
    "severity",
    "message",
    "timestamp",
    "status",
}


def members(document: dict, *ours: str) -> dict:
    """Returns the document as the producer sent it, without the members that the landing adds."""
    return {k: v for k, v in document.items() if k not in {"_id", "tidegate", *ours}}


class Start:
    """A reader that is configured only by another program's environment. `name` identifies it."""

    def __init__(self, site, mongo, environment: dict[str, str], name: str):
        self.site = site
        self.environment = environment
        self.database = site.prefix
        self.landing = site.mongo(mongo.url)
        self.reader = Reader(site.folder / name, environment)
        site.programs.append(self.reader)

    def run(self):
        self.reader.start()
        return self

    def documents(self, collection: str, count: int = 1) -> list[dict]:
        def landed():
            found = self.landing.documents(collection)
            return found if len(found) >= count else None

        return wait_until(
            landed,
            30,
            lambda: f"{count} in {collection}: {self.landing.documents(collection)}",
            0.2,
        )

    def of_device(self, collection: str, device: str) -> list[dict]:
        """Waits until documents of a device have landed and returns them."""

        def landed():
            found = self.landing.documents(collection)
            return [d for d in found if d.get("device_id") == device]

        return wait_until(landed, 30, f"{device} in {collection}", 0.2)

    def items(self, path: str) -> list[dict]:
        """Returns the first page of a list, which contains everything that a test sends."""
        status, text = self.reader.fetch(path)
        assert status == 200, f"{path}: {status} {text}"
        return json.loads(text)["items"]

    def wait_items(self, path: str, count: int) -> list[dict]:
        """Waits until the list has `count` items, because projections follow the landing."""
        wait_until(
            lambda: len(self.items(path)) >= count,
            30,
            lambda: f"{count} in {path}: {self.items(path)}\n{self.reader.fetch('/stats')}",
            0.2,
        )
        return self.items(path)

    def metric_names(self) -> set[str]:
        _, text = self.reader.fetch("/metrics")
        return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}

    def letters(self, topic: str, count: int = 1) -> list:
        wait_until(lambda: self.site.kafka.count(topic) >= count, 30, f"{count} in {topic}", 0.5)
        return self.site.kafka.read(topic)
