"""Fetches the servers into one folder, each completely or not at all. A part has one installer at a
time, and nothing waits for another part's."""

import fcntl
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PYTHON = (
    "/usr/bin/python3"  # Debian's; another python3 in PATH may lack venv.
)
SECANTUS = "SecantusDB==0.7.0b3"


def parts_dir() -> Path:
    given = os.environ.get("TIDEGATE_PARTS_DIR")
    return Path(given) if given else Path.home() / ".cache" / "tidegate" / "parts"


@contextmanager
def _one_installer(root: Path, name: str):
    root.mkdir(parents=True, exist_ok=True)
    with (root / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list, log: Path):
    with log.open("ab") as out:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            check=False,
        )
    if done.returncode != 0:
        raise SystemExit(f"realparts: {' '.join(map(str, command[:3]))} ... failed, see {log}")


def part(name: str, inputs: list, fill) -> Path:
    """Returns the folder of an installed part. If it does not exist, or was made from other inputs,
    fill(folder, log) fetches it."""
    root = parts_dir()
    folder, log = root / name, root / f"{name}.log"
    version = "\n".join(i.read_text() if isinstance(i, Path) else i for i in inputs)
    with _one_installer(root, name):
        stamp = folder / "version"
        if stamp.exists() and stamp.read_text() == version:
            return folder
        print(f"realparts: fetching {name} into {folder}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        log.unlink(missing_ok=True)
        folder.mkdir()
        fill(folder, log)
        stamp.write_text(version)  # Written last: a folder without it is incomplete.
    return folder


def _jars(pom: Path, folder: Path, log: Path):
    _run(
        [
            "mvn",
            "-B",
            "-q",
            "-f",
            pom,
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={folder / 'libs'}",
        ],
        log,
    )


def kafka() -> Path:
    pom = HERE / "kafka.pom.xml"
    return part("kafka", [pom], lambda folder, log: _jars(pom, folder, log))


def mongo_java() -> Path:
    pom, main = HERE / "mongo-java.pom.xml", HERE / "MongoJava.java"

    def fill(folder: Path, log: Path):
        _jars(pom, folder, log)
        _run(["javac", "-nowarn", "-cp", f"{folder}/libs/*", "-d", folder / "classes", main], log)

    return part("mongo-java", [pom, main], fill)


def _venv(folder: Path, log: Path, packages: list):
    # A virtual environment contains its own path, so it cannot be moved after it was made.
    _run([PYTHON, "-m", "venv", folder], log)
    _run([folder / "bin/pip", "-q", "--disable-pip-version-check", "install", *packages], log)


def secantus() -> Path:
    return part("secantus", [SECANTUS], lambda folder, log: _venv(folder, log, [SECANTUS]))


def python() -> Path:
    """Returns the virtual environment of the integration tests: pytest and the servers' clients."""
    wanted = HERE.parent / "integration" / "requirements.txt"
    return part("python", [wanted], lambda folder, log: _venv(folder, log, ["-r", wanted]))


ALL = {"python": python, "kafka": kafka, "secantus": secantus, "mongo-java": mongo_java}
