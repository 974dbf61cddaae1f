"""A fresh Debian 12 that systemd boots in a container without a network, and the packages that tests
install in it."""

import contextlib
import fcntl
import itertools
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from realparts.install import part
from realparts.server import Process, tail, wait_until

from .programs import ROOT

SUITE = "bookworm"
BASE = "systemd,systemd-sysv,dbus,ca-certificates"
TOOLS = ["mosquitto", "mosquitto-clients", "sqlite3"]
BOOT = Path(__file__).with_name("boot.sh")
PACKAGES = ROOT / "build" / "deb"
_SOURCES = ["agent", "core", "drivers", "packaging", "reader", "store", "uplink"]
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


def _host(*words: object, **options) -> str:
    """Runs a command on this machine and returns its output."""
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def _newest_source() -> float:
    files = itertools.chain(
        ROOT.glob("CMake*"), *((ROOT / folder).rglob("*") for folder in _SOURCES)
    )
    return max(file.stat().st_mtime for file in files if file.is_file())


def packages() -> list[Path]:
    """Returns the .deb files of build/deb. Builds them if a source is newer, one builder at a time."""
    PACKAGES.parent.mkdir(exist_ok=True)
    with (PACKAGES.parent / "deb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        changes = list(PACKAGES.glob("*.changes"))
        if not changes or changes[0].stat().st_mtime < _newest_source():
            _host(ROOT / "packaging" / "build-deb.sh")
    return sorted(file for file in PACKAGES.glob("*.deb") if "-dbgsym_" not in file.name)


def _field(deb: Path, name: str) -> str:
    return _host("dpkg-deb", "--field", deb, name).strip()


def _mirrors() -> list[tuple[str, str, str]]:
    """Returns where apt on this machine finds Debian 12: (URI, suite, component)."""
    listed = _host("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
                   "Created-By: Packages")  # fmt: skip
    lines = [tuple(line.split()) for line in listed.splitlines()]
    return sorted({line for line in lines if len(line) == 3 and line[1].startswith(SUITE)})


def _in_root(root: Path, script: str, log: Path):
    """Runs a script in a root that is not booted, with this machine's network."""
    command = ["systemd-nspawn", "--quiet", f"--directory={root}", "--register=no", "--keep-unit",
               "--as-pid2", "--pipe", "--resolv-conf=copy-host"]  # fmt: skip
    command += [f"--setenv={name}" for name in os.environ if name.lower().endswith("_proxy")]
    command += ["--setenv=DEBIAN_FRONTEND=noninteractive", "sh", "-exc", script]
    with log.open("ab") as out:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
        )
    assert done.returncode == 0, f"{script}\n{tail(log, 30)}"


def _base_root(depends: list[str]) -> Path:
    """Returns a root with Debian 12, systemd, mosquitto and the dependencies of our packages. It is
    made once and kept between runs."""
    mirrors = _mirrors()
    first = next((uri for uri, suite, _ in mirrors if suite == SUITE), None)
    if not first:
        pytest.skip(f"this machine's apt has no {SUITE} to make a root of")

    def fill(folder: Path, log: Path):
        root = folder / "root"
        with log.open("ab") as out:
            command = ["debootstrap", "--variant=minbase", f"--include={BASE}", SUITE, root, first]
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True)
        lines = [f"deb {uri} {suite} {component}\n" for uri, suite, component in mirrors]
        (root / "etc/apt/sources.list").write_text("".join(lines))
        for authority in Path("/usr/local/share/ca-certificates").glob("*.crt"):
            shutil.copy(authority, root / "usr/local/share/ca-certificates")
        wanted = " ".join(f"'{one}'" for one in [*TOOLS, *depends])
        _in_root(
            root,
            "update-ca-certificates; apt-get update -q; apt-get upgrade -y -q; "
            f"apt-get satisfy -y -q --no-install-recommends {wanted}; apt-get clean",
            log,
        )
        # Each container generates a machine id of its own at its first boot.
        (root / "etc/machine-id").write_text("")

    try:
        inputs = [BASE, *TOOLS, *depends, *map(" ".join, mirrors)]
        return part("bookworm-root", inputs, fill) / "root"
    except (AssertionError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no root for a container can be made here: {error}")


def need(*programs: str):
    """Skips the test unless it runs as root and these programs are installed."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to install what the build needs and to boot a container")
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"needs {program}")


class Machine(Process):
    """A container. The packages are in /debs and are not installed yet."""

    _numbers = itertools.count(1)

    def __init__(self, folder: Path, debs: list[Path]):
        super().__init__("machine", folder / "machine.log")
        self._cgroup = f"tidegate-{os.getpid()}-{next(self._numbers)}"
        self._debs = debs
        self.debs = [f"/debs/{deb.name}" for deb in debs]

    def boot(self, *binds: str):
        """Boots the container. Skips the test if this machine cannot boot one, which says nothing about
        the packages."""
        root = _base_root([_field(deb, "Depends") for deb in self._debs])
        self.launch(["unshare", "--mount", "--propagation=private", str(BOOT), str(root),
                     self._cgroup, f"{PACKAGES}:/debs", *binds])  # fmt: skip
        try:
            wait_until(self._booted, 30, "systemd in the container is running", 0.1)
        except AssertionError as error:
            pytest.skip(f"systemd-nspawn cannot boot here: {error}\n{tail(self.log, 5)}")
        self.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")  # Debian's installer writes it.

    def _leader(self) -> str:
        """Returns the process id of the container's PID 1 on this machine, or "" if there is none."""
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{self.pid}/task").iterdir():
                for child in (task / "children").read_text().split():
                    return child
        return ""

    def _booted(self) -> bool:
        assert self.alive(), "systemd-nspawn ended"
        if not self._leader():
            return False
        done = self.run("systemctl", "is-system-running", check=False)
        return done.stdout.strip() in ("running", "degraded")

    def run(self, *words: object, text: str | None = None, check: bool = True):
        """Runs a command in the container, as root."""
        done = subprocess.run(
            ["nsenter", "--target", self._leader(), "--all", *(str(word) for word in words)],
            input=text or "",
            capture_output=True,
            text=True,
            env=_ENVIRONMENT,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    def output(self, *words: object) -> str:
        return self.run(*words).stdout.strip()

    def write(self, path: str, text: str, mode: str = "644"):
        self.run("install", "-D", f"--mode={mode}", "/dev/stdin", path, text=text)

    def exists(self, path: str) -> bool:
        return self.run("test", "-e", path, check=False).returncode == 0

    def show(self, unit: str, name: str) -> str:
        """Returns a property of a unit."""
        return self.output("systemctl", "show", "--value", f"--property={name}", unit)

    def journal(self, unit: str) -> str:
        return self.output("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def close(self):
        """Powers the container off and removes its control groups."""
        self.stop(20)
        # Removes the innermost groups first. Other groups can vanish meanwhile, which os.walk ignores
        # and Path.rglob does not.
        for folder, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
            if self._cgroup in Path(folder).parts:
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
