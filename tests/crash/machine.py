"""The parts of a machine that a campaign breaks: a disk whose power is cut, a full disk, a link, a
memory limit. All need root. sweep() removes what a killed run has left."""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

_ROOT = Path("/run/tidegate-crash")  # Holds a folder for each process, named by its id.
_EXT4_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2


def sh(*words, check: bool = True) -> str:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )
    if check and done.returncode != 0:
        raise OSError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def lacks(*what: str) -> str | None:
    """Returns the reason why a campaign cannot run on this machine, or None if it can."""
    if os.geteuid() != 0:
        return "needs root"
    for name in what:
        if not shutil.which(name) and not shutil.which(name, path="/usr/sbin:/sbin"):
            return f"needs {name}"
    try:
        sh("unshare", "--mount", "true")
    except OSError as error:
        return f"may not mount: {error}"
    return None


def _alive(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


def sweep():
    """Removes the mounts and network namespaces of processes that have ended."""
    for folder in _ROOT.glob("*") if _ROOT.exists() else []:
        if _alive(folder.name):
            continue
        for mounted in sorted(folder.glob("*"), reverse=True):
            sh("umount", "-l", mounted, check=False)
        shutil.rmtree(folder, ignore_errors=True)
    for line in sh("ip", "netns", "list", check=False).splitlines():
        name = line.split()[0]
        if name.startswith("tgc") and not _alive(name.removeprefix("tgc")):
            sh("ip", "netns", "delete", name, check=False)


def _mount_point(name: str) -> Path:
    folder = _ROOT / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))


class Mounted:
    """A file system that is mounted at `path` for one campaign."""

    def __init__(self, name: str):
        self.path = _mount_point(name)

    def unmount(self):
        sh("umount", self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        sh("umount", "-l", self.path, check=False)
        with contextlib.suppress(OSError):
            self.path.rmdir()


class Tmpfs(Mounted):
    """A small disk that can be filled up."""

    def __init__(self, megabytes: int):
        super().__init__("tmpfs")
        sh("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tidegate-crash", self.path)

    def fill(self):
        with contextlib.suppress(OSError), (self.path / "other").open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass

    def free(self):
        (self.path / "other").unlink()


class LoopExt4(Mounted):
    """An ext4 with a journal on a loop device. Its medium is a file in /dev/shm, if that exists."""

    def __init__(self, megabytes: int = 64):
        super().__init__("ext4")
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self._medium = tempfile.NamedTemporaryFile(prefix="tidegate-crash-", dir=memory)
        self._medium.truncate(megabytes << 20)
        sh("mkfs.ext4", "-qF", self._medium.name)
        self.mount()

    def mount(self):
        """Mounts the file system; after a power cut the kernel recovers its journal."""
        sh("mount", "-o", "loop,errors=remount-ro", self._medium.name, self.path)

    def cut_power(self):
        """Stops all writes to the medium at this instant; what was not synced is lost. Kill the
        processes that have files open, then unmount and mount the file system again."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _EXT4_IOC_SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def turn_read_only(self):
        """Triggers what ext4 does when it finds damage. Only repair() makes it writable again."""
        device = Path(sh("findmnt", "-no", "SOURCE", self.path).strip()).name
        Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1")

    def repair(self):
        """Runs e2fsck. REQUIRES: the file system is not mounted."""
        subprocess.run(["e2fsck", "-fy", self._medium.name], capture_output=True, check=False)

    def __exit__(self, *_):
        super().__exit__()
        self._medium.close()


class Link:
    """A network namespace for gateways with two cables to this machine: gateways reach Kafka over
    `server` and the local broker over `lan`."""

    def __init__(self):
        self.name = f"tgc{os.getpid()}"
        part = os.getpid() % 250
        self.server = f"10.231.{part}.1"
        self.lan = f"10.232.{part}.1"
        sh("ip", "netns", "add", self.name)
        sh("ip", "-n", self.name, "link", "set", "lo", "up")
        self._cable("s", self.server)
        self._cable("l", self.lan)

    def _cable(self, letter: str, address: str):
        here, there = f"{self.name}{letter}", f"{self.name}{letter}i"
        sh("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", self.name)
        sh("ip", "address", "add", f"{address}/30", "dev", here)
        sh("ip", "link", "set", here, "up")
        other = address[: address.rindex(".")] + ".2"
        sh("ip", "-n", self.name, "address", "add", f"{other}/30", "dev", there)
        sh("ip", "-n", self.name, "link", "set", there, "up")

    def pull(self, cable: str):
        sh("ip", "-n", self.name, "link", "set", f"{self.name}{cable[0]}i", "down")

    def plug(self, cable: str):
        sh("ip", "-n", self.name, "link", "set", f"{self.name}{cable[0]}i", "up")

    def enter(self) -> list[str]:
        """Returns the words that make a command run in the namespace, under the same process id."""
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        sh("ip", "netns", "delete", self.name, check=False)


class MemoryLimit:
    """A control group (version 1 or 2) with a memory limit, below the one of this process. Raises
    OSError if this process may use no memory controller."""

    def __init__(self, megabytes: int):
        name = f"tidegate-crash-{os.getpid()}"
        own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
        if "memory" in own:
            self._folder = Path(f"/sys/fs/cgroup/memory{own['memory'].rstrip('/')}") / name
            limit = "memory.limit_in_bytes"
        else:
            self._folder = Path(f"/sys/fs/cgroup{own[''].rstrip('/')}") / name
            limit = "memory.max"
        self._folder.mkdir()
        try:
            (self._folder / limit).write_text(str(megabytes << 20))
        except OSError:
            self._folder.rmdir()
            raise

    def enter(self) -> list[str]:
        procs = self._folder / "cgroup.procs"
        return ["sh", "-c", f'echo $$ >"{procs}"; exec "$@"', "sh"]

    def peak_mb(self) -> float:
        for name in ("memory.max_usage_in_bytes", "memory.peak"):
            if (self._folder / name).exists():
                return int((self._folder / name).read_text()) / (1 << 20)
        return 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._folder.rmdir()
