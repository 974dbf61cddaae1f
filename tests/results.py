"""results.py FILE...: adds up JUnit files of ctest, pytest and run.sh. Names what failed and what
was skipped, and why; the last line is 'N passed, N failed' with ', N skipped' behind it if any
were. Exit status 1 if any failed, or if nothing was run."""

import sys
import xml.etree.ElementTree as ElementTree


def outcome(case) -> tuple[str, str]:
    """passed, failed or skipped, and what was said about it."""
    for tag in ("failure", "error"):
        found = case.find(tag)
        if found is not None:
            return "failed", found.get("message") or ""
    found = case.find("skipped")
    if found is not None or case.get("status") == "disabled":
        return "skipped", (found.get("message") if found is not None else None) or "disabled"
    return "passed", ""


def main(files: list[str]) -> int:
    counted = {"passed": 0, "failed": 0, "skipped": 0}
    for file in files:
        for case in ElementTree.parse(file).iter("testcase"):
            result, reason = outcome(case)
            counted[result] += 1
            if result != "passed":
                first = (reason.strip().splitlines() or [""])[0]
                print(f"{result}: {case.get('classname')} {case.get('name')}: {first}"[:200])
    skipped = f", {counted['skipped']} skipped" if counted["skipped"] else ""
    print(f"{counted['passed']} passed, {counted['failed']} failed{skipped}")
    return 1 if counted["failed"] or not counted["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
