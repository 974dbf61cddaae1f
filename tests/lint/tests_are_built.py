#!/usr/bin/env python3
"""Checks that a CMake file at or above its folder names every *_test.cc and *_fuzz.cc: a test that is not built proves nothing.

usage: tests_are_built.py [root]
"""

import os
import re
import sys

import source_tree


def cmake_files(root):
    return [name for name in source_tree.files(root)
            if os.path.basename(name) == "CMakeLists.txt" or name.endswith(".cmake")]


def expanded(text):
    """Returns CMake code without comments. Variables that contain a folder are replaced by it, relative to the file's folder."""
    code = "\n".join(line.split("#", 1)[0] for line in text.splitlines())
    code = re.sub(r"\$\{CMAKE_CURRENT_(?:LIST|SOURCE)_DIR\}/?", "", code)
    for variable, value in re.findall(r"set\(\s*(\w+)\s+([^\s)]+)\s*\)", code):
        code = code.replace("${" + variable + "}", value)
    return code


def names(text, word):
    code = expanded(text)
    return re.search(rf"(?<![\w./-]){re.escape(word)}(?![\w./-])", code) is not None


def is_built(root, test, listings):
    for listing in listings:
        folder = os.path.dirname(listing)
        relative = os.path.relpath(test, folder or ".")
        if not relative.startswith("..") and names(source_tree.read(root, listing), relative):
            return True
        fuzzed = re.fullmatch(r"(\w+)_fuzz\.cc", relative)
        if fuzzed and f"tidegate_fuzz({fuzzed.group(1)} " in source_tree.read(root, listing):
            return True
    return False


def check(root):
    listings = cmake_files(root)
    tests = [name for name in source_tree.files(root) if re.search(r"_(test|fuzz)\.cc$", name)]
    return [f"{test}: no CMake file names it" for test in tests if not is_built(root, test, listings)]


def main():
    problems = check(sys.argv[1] if len(sys.argv) > 1 else os.getcwd())
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
