#!/usr/bin/env python3
"""Prints how much a newcomer has to read: sizes of folders, files and functions, the number of checks, and the number of comments
without a subject.

usage: figures.py [root]

It counts the product (core, agent, drivers, store, uplink, reader) without tests and benches. Counting the lines of functions needs
Universal Ctags (package universal-ctags); without it that figure is omitted.
"""

import collections
import os
import re
import shutil
import statistics
import subprocess
import sys

import source_tree

PRODUCT = ("core/", "agent/", "drivers/", "store/", "uplink/", "reader/")
CHECKED = ("store/", "uplink/", "agent/pipeline/", "reader/land/")
CHECK = re.compile(r"^[^/\n]*\b(?:CHECK|assert)\(", re.MULTILINE)
# Matches a comment, alone on its line or after code, whose first word cannot begin a sentence with a subject.
NO_SUBJECT = re.compile(r"//+ (?:Of|As|Like|Among|Behind|Beside|By|From|Until|Whether|Likewise|Also|Anew|Its|That|Which)\b")


def product_sources(root):
    return [name for name in source_tree.sources(root) if name.startswith(PRODUCT)]


def function_lengths(root, names):
    if not shutil.which("ctags"):
        return []
    listing = subprocess.run(
        ["ctags", "--languages=C++", "--kinds-C++=f", "--fields=+ne", "-f", "-", *names],
        cwd=root, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        return []
    spans = re.findall(r"\tline:(\d+)\b.*\tend:(\d+)", listing.stdout)
    return [int(end) - int(line) + 1 for line, end in spans]


def middle_and_ninth(lengths):
    if len(lengths) < 2:
        return "not counted"
    return f"median {statistics.median(lengths):.0f}, 90 % {statistics.quantiles(lengths, n=10)[-1]:.0f}, most {max(lengths)}"


def subjectless(text):
    """Counts comments without a subject. Only the first line of a comment counts; the others continue a sentence."""
    count, in_comment = 0, False
    for line in text.splitlines():
        if not in_comment and NO_SUBJECT.search(line):
            count += 1
        in_comment = line.lstrip().startswith("//")
    return count


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.getcwd()
    texts = {name: source_tree.read(root, name) for name in product_sources(root)}
    lines = {name: text.count("\n") for name, text in texts.items()}
    folders = collections.Counter(os.path.dirname(name) for name in texts)
    largest, most = folders.most_common(1)[0]
    print(f"files: {len(texts)} in {len(folders)} folders; largest {largest}/ with {most}")
    print(f"lines a file: {middle_and_ninth(list(lines.values()))}")
    print(f"lines a function: {middle_and_ninth(function_lengths(root, list(texts)))}")
    for place in ("", *CHECKED):
        total = sum(count for name, count in lines.items() if name.startswith(place))
        checks = sum(len(CHECK.findall(text)) for name, text in texts.items() if name.startswith(place))
        each = f"one in {total / checks:.0f} lines" if checks else "none"
        print(f"checks in {place or 'all'}: {checks}, {each}")
    print(f"comments without a subject: {sum(map(subjectless, texts.values()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
