#!/usr/bin/env python3
"""Checks that only the listed files read the wall clock, each for a time that people or records see. Intervals, deadlines and
backoff use the time since boot, which nobody can set. Timers of the loop use CLOCK_BOOTTIME, our waits a steady clock.

usage: wall_clock.py [root]
"""

import os
import re
import sys

import source_tree

# The files that may read the wall clock, and what for.
ALLOWED = {
    "agent/agent.cc": "the time in status",
    "agent/clock_watch.cc": "compares it with the time since boot",
    "agent/pipeline/pipeline.cc": "times of arrival, of dead letters",
    "agent/pipeline/committer.cc": "times of dead letters",
    "core/clock.h": "the seam",
    "core/clock.cc": "the seam",
    "core/log.cc": "the time of a line",
    "drivers/sim/publish_run.cc": "the first time of a made-up fleet",
    "drivers/sim/sim_driver.cc": "times of a made-up fleet",
    "reader/project/projector.cc": "received_at of alerts by rules",
    "reader/enrich/enrichment.cc": "how long a document waits, restarts included",
    "reader/database/migrator.cc": "when a migration was applied",
    "reader/project/rebuild/rebuild.cc": "when a rebuild began and ended",
    "reader/project/replay/replay.cc": "received_at, the name of a replay",
    "reader/serve/api.cc": "the alerts of the last day",
    "reader/service.cc": "how long messages have waited in Kafka",
    "reader/land/batch_lander.cc": "times of dead letters",
    "reader/land/expiry.cc": "which documents have expired",
    "reader/land/lanes.cc": "when records were parked",
    "reader/park/unparker.cc": "received_at, times of dead letters",
    "reader/land/worker.cc": "received_at, times of positions and of a backlog",
    "store/store.cc": "the stamp of a commit",
    "uplink/gate/byte_budget.cc": "a budget's day ends at midnight",
    "uplink/gate/send_gate.cc": "send windows are times of day",
    "uplink/forwarder.cc": "the last delivery",
    "uplink/record_sender.cc": "times of dead letters",
}
PRODUCT = re.compile(r"(agent|core|drivers|reader|store|uplink)/")
WALL_CLOCK = re.compile(
    r"\bNow\(\)|\bsystem_clock\b|\butc_clock\b|\bCLOCK_REALTIME|\bgettimeofday\b|\btimespec_get\b"
    r"|(?<![\w.>])(std::|::)?time\((nullptr|NULL|0|&)|\bcondition_variable_any\b|\bsem_timedwait\b|\b(cond|cnd|pthread_cond)_timedwait\b")
COMMENT = re.compile(r"//.*")


def check(root):
    problems, used = [], set()
    for name in source_tree.sources(root):
        if not PRODUCT.match(name):
            continue
        for number, line in enumerate(source_tree.read(root, name).splitlines(), 1):
            found = WALL_CLOCK.search(COMMENT.sub("", line))
            if not found:
                continue
            used.add(name)
            if name not in ALLOWED:
                problems.append(f"{name}:{number}: {found.group(0)}: intervals use Clock::SinceBoot(); a time that a record or a "
                                "person sees is named in wall_clock.py")
    problems += [f"wall_clock.py: {name} reads no wall clock any more; take it off the list"
                 for name in sorted(set(ALLOWED) - used) if os.path.exists(os.path.join(root, name))]
    return problems


def main():
    problems = check(sys.argv[1] if len(sys.argv) > 1 else os.getcwd())
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
