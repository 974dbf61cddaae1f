"""python3 -m realparts install [PART...]: fetches all servers, or those that are named, and prints
the folder of each."""

import sys
import tempfile
from pathlib import Path

from . import install, kafka


def main(words: list[str]) -> int:
    if words[:1] != ["install"] or not set(words[1:]) <= set(install.ALL):
        print(
            f"usage: python3 -m realparts install [{' | '.join(install.ALL)}]...", file=sys.stderr
        )
        return 2
    for name in words[1:] or install.ALL:
        print(f"{name} {install.ALL[name]()}", flush=True)
        if name == "kafka":
            with tempfile.TemporaryDirectory() as folder:
                kafka.warm_up(Path(folder))
    return 0


sys.exit(main(sys.argv[1:]))
