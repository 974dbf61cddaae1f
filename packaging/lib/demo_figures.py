"""Prints the demo's figures. Needs only Debian's python3 (and python3-pymongo for MongoDB).

demo_figures.py free-port                              a port on which nothing listens
demo_figures.py ready URL                              exits with 0 if URL answers 200
demo_figures.py status NAME                            reads `status --json` from standard input;
                                                       NAME: acked, backlog or connected
demo_figures.py landed LANDING DATABASE                the number of heartbeats that have landed
demo_figures.py table LANDING DATABASE SIM MESSAGES    the table; exits with 0 if nothing was lost
                                                       or doubled and an alert was raised
LANDING is a SQLite file or a mongodb:// URL. SIM is a file with the output of tidegate-sim.
MESSAGES is a file with the headers of every heartbeat in Kafka, a line for each heartbeat, as
kcat's %h prints them.
"""

import json
import re
import socket
import sqlite3
import sys
import urllib.request


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except OSError:
        return False


def status_figure(name: str) -> int:
    status = json.load(sys.stdin)
    if name == "backlog":
        return sum(status["store"]["records"].values())
    if name == "connected":
        return int(all(one["connected"] for one in status["inputs"].values()))
    return status["uplink"][name]


def documents(landing: str, database: str, collection: str) -> list:
    if landing.startswith("mongodb"):
        import pymongo

        return list(pymongo.MongoClient(landing)[database][collection].find())
    with sqlite3.connect(f"file:{landing}?mode=ro", uri=True, timeout=10) as link:
        name = f"{database}.{collection}"
        if not link.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone():
            return []
        return [json.loads(body) for (body,) in link.execute(f'SELECT body FROM "{name}"')]


def which(document: dict) -> tuple:
    """Identifies a heartbeat: no two heartbeats of a simulated vehicle have the same time."""
    return document["tenant_id"], document["asset_id"], str(document["timestamp"])


def simulated(file: str) -> tuple[int, int]:
    """Returns how many heartbeats the fleet published and how many mosquitto acknowledged."""
    found = re.search(r"published (\d+) acknowledged (\d+)", open(file, encoding="utf-8").read())
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def table(landing: str, database: str, sim: str, messages: str) -> int:
    published, acknowledged = simulated(sim)
    ids = re.findall(r"tg-id=([^,\s]+)", open(messages, encoding="utf-8").read())
    heartbeats = documents(landing, database, "heartbeats")
    alerts = documents(landing, database, "alerts")
    distinct = {which(document) for document in heartbeats}
    lost, doubled = acknowledged - len(distinct), len(heartbeats) - len(distinct)
    raised = sum(alert["status"] == "raised" for alert in alerts)
    rows = [
        ("published by the fleet", published),
        ("acknowledged by mosquitto", acknowledged),
        ("stored by the agent", len(set(ids))),
        ("sent to Kafka", len(ids)),
        ("landed", len(heartbeats)),
        ("lost", lost),
        ("doubled", doubled),
        ("alerts raised", raised),
    ]
    print()
    for name, count in rows:
        print(f"  {name:<28}{count:>8,}")
    if heartbeats:
        print("\nThe last document landed:")
        print(json.dumps(max(heartbeats, key=which), indent=2, default=str))
    return 0 if acknowledged > 0 and lost == 0 and doubled == 0 and raised > 0 else 1


def main(words: list) -> int:
    if words == ["free-port"]:
        print(free_port())
    elif words[:1] == ["ready"] and len(words) == 2:
        return 0 if answers(words[1]) else 1
    elif words[:1] == ["status"] and len(words) == 2:
        print(status_figure(words[1]))
    elif words[:1] == ["landed"] and len(words) == 3:
        print(len(documents(words[1], words[2], "heartbeats")))
    elif words[:1] == ["table"] and len(words) == 5:
        return table(*words[1:])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
