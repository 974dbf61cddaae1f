"""Prints how often the projections of a database were saved: each save increments a projection's revision. The python of
tests/realparts runs this script, because it has the client library: saves.py MONGODB_URI DATABASE."""

import json
import sys

import pymongo

COLLECTIONS = ("assets", "aggregated_data", "failures", "alert_states", "losses")


def main(uri: str, database: str):
    found = {}
    with pymongo.MongoClient(uri) as client:
        for name in COLLECTIONS:
            revisions = [one["tidegate"]["revision"] for one in client[database][name].find({}, {"tidegate.revision": 1})]
            found[name] = {"projections": len(revisions), "saves": sum(revisions)}
    print(json.dumps(found))


main(*sys.argv[1:])
