"""Processes that a test starts, stops, kills, freezes, and starts again on the same ports and
data."""

import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 20

# These are below the kernel's range for outgoing connections. A client that keeps reconnecting to a
# port of that range while its server is down can end up connected to itself, which keeps the server
# from starting again.
_PORTS = range(15000, 32000)
_random = random.Random(os.urandom(8))
_given: set[int] = set()


class ServerError(Exception):
    """A server did not start, or ended by itself. The message ends with the last lines of its log."""


def free_ports(count: int) -> list[int]:
    """Returns ports on which nothing listens, never the same one twice in this process."""
    ports: list[int] = []
    while len(ports) < count:
        port = _random.choice(_PORTS)
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        ports.append(port)
    return ports


def wait_until(condition, seconds: float, what: str, every: float = 0.05):
    """Polls condition() and returns its first true value. Raises an AssertionError that names `what`
    after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(every)


def tail(path: Path, lines: int = 15) -> str:
    if not path.exists():
        return f"({path} is empty)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


class Process:
    """A child process in a session of its own, with its output in a file. Servers and programs under
    test derive from it."""

    def __init__(self, name: str, log: Path):
        self.name = name
        self.log = log
        self._child: subprocess.Popen | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise ServerError(f"{self.name} was never started")
        return self._child.pid

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def returncode(self) -> int | None:
        return None if self._child is None else self._child.poll()

    def launch(
        self, command: list[str], env: dict[str, str] | None = None, cwd: Path | None = None
    ):
        if self.alive():
            raise ServerError(f"{self.name} is running already, pid {self.pid}")
        with self.log.open("ab") as out:
            # The kernel kills the child when its parent ends in any way, so that no run of the
            # tests leaves a server running.
            self._child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *(str(part) for part in command)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=env,
                cwd=cwd,
            )

    def signal(self, number: signal.Signals):
        if self.alive():
            os.kill(self.pid, number)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """Sends SIGKILL and waits; what the process had not written is lost."""
        self.signal(signal.SIGKILL)
        if self._child is not None:
            self._child.wait()

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        """Sends SIGTERM, and SIGKILL after `seconds`. Returns the exit status (negative: the
        signal)."""
        if self._child is None:
            return 0
        self.thaw()
        self.signal(signal.SIGTERM)
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._child.returncode


class Server(Process):
    """The base of the real servers. A subclass says which command to run and when it answers."""

    def __init__(self, name: str, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(name, folder / "log")
        self.folder = folder

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self):
        """Starts the server and waits until it answers. After stop() or kill() it has the same ports
        and data."""
        self.launch(self.command())
        return self.await_answer()

    def await_answer(self):
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.alive():
                raise ServerError(f"{self.name} ended while starting:\n{tail(self.log)}")
            if time.monotonic() > end:
                self.kill()
                raise ServerError(
                    f"{self.name} was not ready in {START_SECONDS} s:\n{tail(self.log)}"
                )
            time.sleep(0.05)
        return self

    again = start

    def _answers(self) -> bool:
        try:
            return self.answers()
        except OSError:
            return False

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def exchange(port: int, request: bytes, reply_bytes: int) -> bool:
    """Returns whether the server answers `request` with at least `reply_bytes` bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
        link.settimeout(2)
        link.sendall(request)
        got = 0
        while got < reply_bytes:
            part = link.recv(reply_bytes - got)
            if not part:
                return False
            got += len(part)
    return True
