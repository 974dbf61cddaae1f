#!/usr/bin/env python3
"""Checks that modules include only what the table of modules allows. Prints each violation, and exits with 1 if there is one.

usage: include_direction.py [root]
"""

import collections
import os
import re
import sys

import source_tree

# Violations that are tolerated: file -> the headers that it includes. The list may only shrink.
EXCEPTIONS = {}

# The first pattern that matches a file says what it may include. "{own}" is the text that the pattern's group `own` matches.
MODULES = [
    (r"core/", ["core/"]),
    (r"drivers/registry\.cc$", ["core/", "drivers/"]),
    (r"drivers/(?P<own>[^/]+)/", ["core/", r"drivers/[^/]+\.h$", "drivers/{own}/"]),
    (r"drivers/", ["core/", r"drivers/[^/]+\.h$"]),
    (r"store/format/", ["core/", r"store/store\.h$", "store/format/"]),
    (r"store/file/", ["core/", r"store/store\.h$", "store/(format|file)/"]),
    (r"store/transaction/", ["core/", r"store/store\.h$", "store/(format|file|transaction)/"]),
    (r"store/salvage/", ["core/", r"store/store\.h$", "store/(format|file|transaction|salvage)/"]),
    (r"store/", ["core/", "store/"]),
    (r"uplink/", ["core/", r"store/store\.h$", "uplink/"]),
    (r"reader/consume/", ["core/", "reader/consume/"]),
    (r"reader/database/(?P<own>mongo|sqlite|routed)/", ["core/", r"reader/database/[^/]+\.h$", "reader/database/{own}/"]),
    (r"reader/database/", ["core/", "reader/database/"]),
    (r"reader/decode/protobuf/", ["core/", "reader/decode/protobuf/"]),
    (r"reader/decode/", ["core/", "reader/(consume|database|decode)/"]),
    (r"reader/enrich/", ["core/", "reader/(database|enrich)/"]),
    (r"reader/land/", ["core/", "reader/(consume|database|decode|enrich|land)/"]),
    (r"reader/serve/", ["core/", "reader/(database|decode|land|serve)/"]),
    (r"reader/project/(?P<own>rebuild|replay)/", ["core/", "reader/(config|consume|database|decode|land)/",
                                                  r"reader/project/[^/]+\.h$", "reader/project/{own}/"]),
    (r"reader/project/", ["core/", "reader/(consume|database|decode|land)/", r"reader/project/[^/]+\.h$"]),
    (r"reader/config/", ["core/", r"reader/roles\.h$", "reader/(config|consume|database|decode|enrich|land|project|serve)/"]),
    (r"reader/", ["core/", "reader/"]),
    (r"agent/pipeline/", ["core/", r"drivers/driver\.h$", r"store/store\.h$", "agent/pipeline/"]),
    (r"agent/", ["core/", "drivers/", "store/", "uplink/", "agent/"]),
    (r"packaging/", ["(core|drivers|store|uplink|reader|agent|packaging)/"]),
    (r"(tests|bench)/", ["(core|drivers|store|uplink|reader|agent|tests|bench)/"]),
]

# Concrete classes may be named where they are wired, in their own folder, and by tests and benches.
WIRING = r"(agent/agent\.cc|drivers/registry\.cc|reader/database/(eraser|landing|queries)\.cc|reader/main\.cc)$|(tests|bench)/"
CONCRETE = [
    (r"drivers/(?P<own>[^/]+)/.*\.h$", "drivers/{own}/"),
    (r"store/(?!(?:store|inspect|salvage_work)\.h$).*\.h$", "store/"),
    (r"uplink/[^/]*_transport\.h$", "uplink/"),
    (r"reader/database/(?P<own>mongo|sqlite)/.*\.h$", "reader/database/{own}/"),
    (r"core/sqlite/.*\.h$", "(core/sqlite|store|reader/database/sqlite|reader/project/rebuild)/"),
]

# Headers of C libraries may be included only by .cc files and private *_handle.h files.
C_LIBRARY = (r"(sqlite3|mosquitto|microhttpd|zstd|xxhash|termios)\.h$"
             r"|(librdkafka|mongoc|bson|cjson|curl|systemd|google/protobuf)/|(mongoc|bson|rdkafka|cJSON)\.h$")
C_LIBRARY_PLACE = r"(\.cc|_handle\.h)$"
# Files that match the first pattern may include the *_handle.h files of the second folder.
SHARED_HANDLES = [
    (r"", "core/kafka/"),
    (r"agent/", "core/loop/"),
    (r"reader/", "core/loop/"),
    (r"store/", "store/file/"),
]
# The largest number of source files in one folder.
MOST_FILES = 40

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def matches(patterns, text, own):
    return any(re.match(pattern.replace("{own}", re.escape(own)), text) for pattern in patterns)


def module_problem(name, header):
    for pattern, allowed in MODULES:
        found = re.match(pattern, name)
        if not found:
            continue
        own = found.groupdict().get("own") or ""
        return None if matches(allowed, header, own) else "its module may not include this"
    return "it is in no module of the table"


def concrete_problem(name, header):
    for pattern, home in CONCRETE:
        found = re.match(pattern, header)
        if not found or matches([home], name, found.groupdict().get("own") or ""):
            continue
        if not re.match(WIRING, name):
            return "a concrete class is named only where it is wired"
    return None


def include_problem(root, name, own, system):
    if system:
        if re.match(C_LIBRARY, system) and not re.search(C_LIBRARY_PLACE, name):
            return "C library headers belong into .cc or *_handle.h files"
        return None
    if re.match(C_LIBRARY, os.path.basename(own)) and not os.path.isfile(os.path.join(root, own)):
        return "headers of libraries are included with <>"
    if not os.path.isfile(os.path.join(root, own)):
        return "no such file from the root of the tree"
    if re.search(r"_handle\.h$", own) and os.path.dirname(own) != os.path.dirname(name):
        if not re.match(r"(tests|bench)/", name) and not handle_may_travel(name, own):
            return "a *_handle.h is private to its folder"
    return module_problem(name, own) or concrete_problem(name, own)


def handle_may_travel(name, header):
    """Returns whether a file may include a handle of another folder. Some folders share theirs with all, or with their module."""
    return any(re.match(user, name) and re.match(handles, header) for user, handles in SHARED_HANDLES)


def check(root):
    problems = []
    for name in source_tree.sources(root):
        for own, system in INCLUDE.findall(source_tree.read(root, name)):
            problem = include_problem(root, name, own, system)
            if problem and (own or system) not in EXCEPTIONS.get(name, ()):
                problems.append(f"{name}: includes {own or system}: {problem}")
    return problems + crowded_folders(root)


def crowded_folders(root):
    folders = collections.Counter(os.path.dirname(name) for name in source_tree.sources(root))
    return [f"{folder}/: {count} source files, more than {MOST_FILES}: which two rooms are these?"
            for folder, count in sorted(folders.items()) if count > MOST_FILES]


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.getcwd()
    problems = check(root)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
