#!/usr/bin/env python3
"""Checks small rules of text: headers have #pragma once; there are no trailing blanks; sources have no tabs and no marks of
unfinished work; files end with a newline. Files that are longer than the house style allows cause a warning.

usage: text_rules.py [root]
"""

import os
import re
import sys

import source_tree

TEXT_SUFFIXES = (".cc", ".h", ".py", ".sh", ".cmake", ".md", ".txt", ".json", ".proto")
OPEN_END = re.compile(r"\b(TODO|FIXME|XXX)\b")
MOST_LINES = {".cc": 400, ".h": 150}


def is_data(name):
    return "/corpus/" in name or "/golden/" in name


def problems_of(name, text):
    if text and not text.endswith("\n"):
        yield f"{name}: no newline at the end"
    if name.endswith(".h") and "#pragma once" not in text:
        yield f"{name}: no #pragma once"
    for number, line in enumerate(text.splitlines(), 1):
        if line != line.rstrip():
            yield f"{name}:{number}: trailing blanks"
        if name.endswith(source_tree.SOURCE_SUFFIXES):
            if "\t" in line:
                yield f"{name}:{number}: a tab"
            if OPEN_END.search(line):
                yield f"{name}:{number}: an open end; do it or file it"


def warnings_of(name, text):
    lines = text.count("\n")
    most = MOST_LINES.get(os.path.splitext(name)[1])
    if most and lines > most:
        yield f"warning: {name}: {lines} lines, more than {most}"


def check(root):
    problems, warnings = [], []
    for name in source_tree.files(root):
        if not name.endswith(TEXT_SUFFIXES) or is_data(name):
            continue
        text = source_tree.read(root, name)
        problems += problems_of(name, text)
        warnings += warnings_of(name, text)
    return problems, warnings


def main():
    problems, warnings = check(sys.argv[1] if len(sys.argv) > 1 else os.getcwd())
    for line in warnings + problems:
        print(line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
