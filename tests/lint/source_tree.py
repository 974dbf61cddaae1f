"""The files of the tree, for the lint checks."""

import os
import subprocess

SOURCE_SUFFIXES = (".cc", ".h")


def files(root):
    """Returns the paths, relative to root, of all files that git tracks or does not ignore; without git, of all files."""
    listing = subprocess.run(
        ["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, check=False)
    if listing.returncode == 0:
        names = [name for name in listing.stdout.decode().split("\0") if name]
        return sorted(name for name in names if os.path.isfile(os.path.join(root, name)))
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if name != "build" and not name.startswith(".git")]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(found)


def sources(root):
    return [name for name in files(root) if name.endswith(SOURCE_SUFFIXES)]


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
        return file.read()
