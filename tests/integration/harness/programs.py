"""tidegate-agent and tidegate-reader as processes that only their environment configures."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from realparts.server import Process, free_ports, tail, wait_until

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 30
# A sanitizer that finds an error ends the program with this status. It writes one of the words of
# _FINDINGS to the log, and so does a check that fails (core/check.h).
SANITIZER = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "exitcode=99",
}
_FINDINGS = re.compile(
    r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion .* failed|check failed: )"
)


def program_folder() -> Path:
    """Returns $TIDEGATE_BIN if it is set, else the programs of the asan build, else of the dev build."""
    given = os.environ.get("TIDEGATE_BIN")
    if given:
        return Path(given).resolve()
    for preset in ("asan", "dev"):
        folder = ROOT / "build" / preset / "bin"
        if (folder / "tidegate-agent").exists():
            return folder
    raise AssertionError(
        "nothing is built: cmake --preset asan && cmake --build --preset asan, or set TIDEGATE_BIN"
    )


def binary(name: str) -> Path:
    return program_folder() / name


def environment(settings: dict[str, object]) -> dict[str, str]:
    """Returns the environment of a program under test: `settings`, with TIDEGATE put in front of each
    name that starts with '_'."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ
    }
    named = {
        f"TIDEGATE{name}" if name.startswith("_") else name: str(value)
        for name, value in settings.items()
    }
    return kept | SANITIZER | named


class Program(Process):
    """A program under test, with a folder of its own for log, store and credentials."""

    def __init__(self, name: str, folder: Path, settings: dict[str, object]):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(name, folder / f"{name}.log")
        self.folder = folder
        self.settings = dict(settings)
        (self.http_port,) = free_ports(1)
        self.settings.setdefault("_HTTP_LISTEN", f"127.0.0.1:{self.http_port}")

    def run(
        self, *words: str, timeout: float = 30, stdout=subprocess.PIPE
    ) -> subprocess.CompletedProcess:
        """Runs another verb of the program with the same environment."""
        return subprocess.run(
            [binary(self.name), *words],
            env=environment(self.settings),
            cwd=self.folder,
            text=True,
            stdout=stdout,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )

    def credentials(self, **secrets: str):
        """Stores secrets as systemd does; kafka_sasl_password becomes the file kafka.sasl.password."""
        folder = self.folder / "credentials"
        folder.mkdir(exist_ok=True)
        for name, secret in secrets.items():
            (folder / name.replace("_", ".")).write_text(secret)
        self.settings["CREDENTIALS_DIRECTORY"] = folder

    def fetch(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.http_port}{path}", timeout=5
            ) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def metric(self, name: str) -> float:
        """Returns the sum of a metric over its labels, 0 if the metric does not exist."""
        _, text = self.fetch("/metrics")
        return sum(
            float(line.split()[-1])
            for line in text.splitlines()
            if re.match(rf"{re.escape(name)}[ {{]", line)
        )

    def peak_memory(self) -> int:
        """Returns the most bytes that the process has had in memory at once."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def findings(self) -> list[str]:
        """Returns the lines of the log in which a sanitizer or an assertion reports an error."""
        return [line for line in self.log_text().splitlines() if _FINDINGS.search(line)]

    def finish(self) -> int:
        """Sends SIGTERM and returns the exit status that a supervisor would see."""
        return self.stop(seconds=30)


class Agent(Program):
    """The agent. It is ready when it sends READY=1 to the notify socket, as for systemd."""

    def __init__(self, folder: Path, settings: dict[str, object]):
        super().__init__("tidegate-agent", folder, settings)
        self._short = tempfile.TemporaryDirectory(
            prefix="tg"
        )  # The path of a socket may have at most 108 bytes.
        defaults = {
            "_GATEWAY_ID": "gw-test",
            "_STORE_DIR": folder / "store",
            "_CONTROL_SOCKET": f"{self._short.name}/control.sock",
            "_LOG_LEVEL": "debug",
        }
        self.settings = defaults | self.settings

    def start(self):
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = f"{self._short.name}/notify"
        Path(path).unlink(missing_ok=True)
        with notify:
            notify.bind(path)
            notify.settimeout(0.2)
            self.launch(
                [binary(self.name), "run"],
                environment(self.settings | {"NOTIFY_SOCKET": path}),
                self.folder,
            )
            self._await_ready(notify)
        return self

    def _await_ready(self, notify: socket.socket):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if not self.alive():
                raise AssertionError(
                    f"{self.name} ended with {self.returncode()}:\n{tail(self.log, 30)}"
                )
            try:
                if b"READY=1" in notify.recv(4096):
                    return
            except TimeoutError:
                continue
        raise AssertionError(
            f"{self.name} was not ready in {START_SECONDS} s:\n{tail(self.log, 30)}"
        )

    def status(self) -> dict:
        done = self.run("status", "--json")
        assert done.returncode == 0, f"status: {done.stderr}"
        return json.loads(done.stdout)

    def backlog(self) -> int:
        return sum(self.status()["store"]["records"].values())

    def settled(self) -> int:
        """Returns how many messages were settled since this process started."""
        return sum(one["settled"] for one in self.status()["inputs"].values())

    def wait_drained(self, settled: int = 0, seconds: float = 60):
        """Waits until the process has settled that many messages and the store is empty."""
        wait_until(
            lambda: self.settled() >= settled and self.backlog() == 0,
            seconds,
            lambda: f"{settled} settled, all sent: {self.status()}\n{tail(self.log)}",
            0.2,
        )

    def wait_input(self, name: str, seconds: float = 30):
        wait_until(
            lambda: self.status()["inputs"][name]["connected"],
            seconds,
            lambda: f"input {name} connected: {self.status()['inputs']}\n{tail(self.log)}",
            0.1,
        )


class Reader(Program):
    """The reader. It is ready when /readyz answers 200: it has partitions, and the database answers."""

    def __init__(self, folder: Path, settings: dict[str, object]):
        super().__init__("tidegate-reader", folder, settings)

    def start(self, wait: bool = True):
        self.launch([binary(self.name), "run"], environment(self.settings), self.folder)
        if wait:
            self.wait_ready()
        return self

    def ready(self) -> bool:
        if not self.alive():
            raise AssertionError(
                f"{self.name} ended with {self.returncode()}:\n{tail(self.log, 30)}"
            )
        return self.fetch("/readyz")[0] == 200

    def wait_ready(self, seconds: float = START_SECONDS):
        wait_until(
            self.ready,
            seconds,
            lambda: f"reader ready: {self.fetch('/readyz')}\n{tail(self.log, 30)}",
            0.1,
        )


def kill_at_random(program: Program, random, seconds: tuple[float, float]):
    """Kills a program with SIGKILL after a random time and starts it again. The test is about that
    random moment under load."""
    time.sleep(random.uniform(*seconds))
    program.signal(signal.SIGKILL)
    program.kill()
    program.start()
