"""Computes what the projections must be, from the landed documents alone."""

from collections import defaultdict
from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)
NO_SENSORS = {"asset_id", "device_id", "machine_id", "sensor_id", "driver_id", "event_id"}


def _ms(time: datetime) -> int:
    return round((time - EPOCH) / timedelta(milliseconds=1))


def _partition(document: dict) -> str:
    return f"{document['tidegate']['topic']}/{document['tidegate']['partition']}"


def _asset(document: dict) -> str:
    return f"{document['tenant_id']}/{document['asset_id']}"


def in_order(documents: list[dict]) -> list[dict]:
    return sorted(documents, key=lambda d: (_partition(d), d["tidegate"]["offset"]))


def assets(documents: list[dict]) -> dict[str, tuple]:
    """Returns per asset: first seen, last seen, number of documents, time of the latest document."""
    times = defaultdict(list)
    for document in documents:
        times[_asset(document)].append(document["timestamp"])
    return {a: (min(seen), max(seen), len(seen), max(seen)) for a, seen in times.items()}


def aggregates(documents: list[dict], window: str, seconds: int) -> dict[str, tuple]:
    """Returns per aggregate: count, sum, min, max. The sum adds up the sums of the partitions."""
    values: dict = defaultdict(lambda: defaultdict(list))
    for document in in_order(documents):
        start = _ms(document["timestamp"]) // (seconds * 1000) * (seconds * 1000)
        for name, value in document.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or name in NO_SENSORS:
                continue
            values[f"{_asset(document)}/{name}/{window}/{start}"][_partition(document)].append(value)
    result = {}
    for key, parts in values.items():
        flat = [value for part in parts.values() for value in part]
        total = 0.0
        for partition in sorted(parts):
            own = 0.0
            for value in parts[partition]:
                own += value
            total += own
        result[key] = (len(flat), total, min(flat), max(flat))
    return result


def failures(documents: list[dict]) -> dict[str, tuple]:
    """Returns per failure: start, end, active, number of readings, their first 100 ids. Each machine
    must be in one partition."""
    episodes: dict[str, list] = {}
    newest: dict[str, datetime] = {}
    current: dict[str, str | None] = defaultdict(lambda: None)
    for document in in_order(documents):
        asset, time = _asset(document), document["timestamp"]
        if time < newest.get(asset, time):
            continue
        newest[asset] = time
        if document["failure"]:
            current[asset] = current[asset] or f"{asset}/{_ms(time)}"
            episode = episodes.setdefault(current[asset], [time, None, True, 0, []])
            episode[3] += 1
            episode[4].append(document["_id"])
        elif current[asset]:
            episodes[current[asset]][1:3] = [time, False]
            current[asset] = None
    return {key: tuple(e[:4]) + (e[4][:100],) for key, e in episodes.items()}


def alerts(documents: list[dict], field: str, above: float, clear: float) -> dict[str, tuple]:
    """Returns per alert: raised at, cleared at, by the rule `<field> > <above> clear <clear>`. Each
    asset must be in one partition. A late document changes nothing."""
    states: dict[str, list] = {}
    raised: dict[str, str] = {}
    newest: dict[str, datetime] = {}
    for document in in_order(documents):
        asset, value, time = _asset(document), document[field], document["timestamp"]
        if time < newest.get(asset, time):
            continue
        newest[asset] = time
        if asset not in raised and value > above:
            raised[asset] = f"{asset}/hot/{_ms(document['timestamp'])}"
            states.setdefault(raised[asset], [document["timestamp"], None])
        elif asset in raised and value <= clear:
            state = states[raised.pop(asset)]
            state[1] = state[1] or document["timestamp"]
    return {key: tuple(state) for key, state in states.items()}
