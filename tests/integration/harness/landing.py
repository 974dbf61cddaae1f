"""Views of what has landed, and the comparison with what was promised."""

import contextlib
import json
import os
import sqlite3
from collections import Counter
from pathlib import Path

import pymongo
from realparts import wait_until


class MongoLanding:
    """The documents in MongoDB, in either tenancy."""

    def __init__(self, url: str, database: str):
        self.url = url
        self.database = database
        self._client = pymongo.MongoClient(url, serverSelectionTimeoutMS=5000, retryReads=False)

    def settings(self) -> dict[str, str]:
        return {"_LANDING": self.url, "_DATABASE": self.database}

    def documents(self, collection: str, tenant: str | None = None) -> list[dict]:
        database = self.database if tenant is None else f"{self.database}_{tenant}"
        return list(self._client[database][collection].find())

    def databases(self) -> set[str]:
        return {
            name for name in self._client.list_database_names() if name.startswith(self.database)
        }

    def indexes(self, collection: str) -> dict:
        return self._client[self.database][collection].index_information()

    def drop(self):
        """Drops the databases on a server that others use. On a server that the tests started they
        stay, because later tests would wait for the drop."""
        if os.environ.get("MONGO_URL"):
            for name in self.databases():
                self._client.drop_database(name)
        self._client.close()


class SqliteLanding:
    """The documents in the embedded landing."""

    def __init__(self, file: Path, database: str):
        self._file = file
        self.database = database

    def settings(self) -> dict[str, str]:
        return {"_LANDING": f"sqlite:{self._file}", "_DATABASE": self.database}

    def documents(self, collection: str, tenant: str | None = None) -> list[dict]:
        if not self._file.exists():
            return []
        table = f"{self.database if tenant is None else f'{self.database}_{tenant}'}.{collection}"
        with contextlib.closing(
            sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=10)
        ) as link:
            if not link.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                return []
            return [json.loads(body) for (body,) in link.execute(f'SELECT body FROM "{table}"')]

    def drop(self):
        pass


def numbers(documents: list[dict]) -> Counter:
    """Counts how often each heartbeat's number occurs."""
    return Counter(
        document["additional_data"]["n"]
        for document in documents
        if "n" in document.get("additional_data", {})
    )


def expect_once(
    documents, promised: set[int], seconds: float = 60, allowed: set[int] = frozenset()
) -> list[dict]:
    """Waits until everything promised has landed. Then each promised number must have landed once, and
    no others except `allowed`, which may have landed without a promise. `documents` is called again
    and again."""

    def complete():
        now = documents()
        return now if promised <= set(numbers(now)) else None

    def missing() -> str:
        lost = sorted(promised - set(numbers(documents())))
        return f"{len(promised)} promised, {len(lost)} lost, the first {lost[:10]}"

    landed = wait_until(complete, seconds, missing, 0.2)
    counted = numbers(landed)
    doubled = sorted(n for n, times in counted.items() if times > 1)
    assert not doubled, (
        f"{len(promised)} promised, {len(doubled)} doubled, the first {doubled[:10]}"
    )
    strange = set(counted) - promised - set(allowed)
    assert not strange, f"landed, but never promised: {sorted(strange)[:10]}"
    return landed
