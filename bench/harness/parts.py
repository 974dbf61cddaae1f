"""The agent as a process, and the brokers and servers that it uses."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from realparts import Kafka, Mosquitto, Secantus  # noqa: E402
from realparts.server import Process, free_ports, tail, wait_until  # noqa: E402

__all__ = ["ROOT", "TICKS", "TOPIC", "Agent", "DevBroker", "Kafka", "Mosquitto", "Process", "Secantus", "cpu_seconds", "free_ports",
           "new_broker", "tail", "wait_until"]

TOPIC = "telematics.raw.telematics_heartbeat"  # The agent's topic of heartbeats.
TICKS = os.sysconf("SC_CLK_TCK")


def new_broker(folder: Path, in_flight: int = 0) -> Mosquitto:
    """Makes a broker that sends at most `in_flight` unacknowledged messages; with 0 only the subscriber's Receive Maximum
    limits them."""
    return Mosquitto(folder, extra=f"max_inflight_messages {in_flight}\nmax_packet_size 300000")


def cpu_seconds(pid: int) -> float:
    """Returns the CPU seconds of all threads of the process, including those that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(int(ticks) for ticks in fields[11:13]) / TICKS


class Agent(Process):
    def __init__(self, programs: Path, folder: Path, prefix: tuple[str, ...] = (), **settings: str):
        """`prefix` is a command that runs the agent, such as ip netns exec."""
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__("tidegate-agent", folder / "log")
        self._command = [*prefix, programs / "tidegate-agent", "run"]
        self.folder = folder
        self.env = {
            **os.environ,
            "TIDEGATE_GATEWAY_ID": "gw-bench",
            "TIDEGATE_TENANT": "demo",
            "TIDEGATE_STORE_DIR": str(folder),
            "TIDEGATE_STORE_MAX_BYTES": "1GiB",
            "TIDEGATE_CONTROL_SOCKET": str(folder / "control.sock"),
            "TIDEGATE_HTTP_LISTEN": "127.0.0.1:0",
            **settings,
        }

    def start(self) -> float:
        """Returns the seconds from exec to READY=1."""
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self.folder / "notify.sock"
        path.unlink(missing_ok=True)
        ready.bind(str(path))
        ready.settimeout(60)
        begin = time.monotonic()
        self.launch(self._command, env={**self.env, "NOTIFY_SOCKET": str(path)})
        while b"READY=1" not in ready.recv(4096):
            pass
        seconds = time.monotonic() - begin
        ready.close()
        return seconds

    def status(self) -> dict:
        """Returns the status, read from the control socket: starting a process for each call would use
        the core that is measured."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(self.env["TIDEGATE_CONTROL_SOCKET"])
            control.sendall(b"status\n")
            return json.loads(control.makefile().readline())

    def metric(self, name: str) -> float:
        text = urllib.request.urlopen(f"http://{self.status()['http']}/metrics").read().decode()
        return sum(float(line.split()[-1]) for line in text.splitlines() if re.match(rf"{name}(\{{| )", line))

    def settled(self) -> int:
        return sum(one["settled"] for one in self.status()["inputs"].values())

    def acked(self) -> int:
        return self.status()["uplink"]["acked"]

    def wait_connected(self):
        def all_of_it():
            status = self.status()
            kafka = not status["uplink"]["configured"] or status["uplink"]["connected"]
            return kafka and all(one["connected"] for one in status["inputs"].values())

        wait_until(all_of_it, 30, lambda: f"MQTT and Kafka connected: {self.status()}")

    def memory(self) -> tuple[float, float]:
        """Returns PSS and private dirty memory in MB."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        kb = {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
        return kb["Pss"] / 1024, kb["Private_Dirty"] / 1024

    def written(self) -> int:
        return int(re.search(r"^write_bytes: (\d+)", Path(f"/proc/{self.pid}/io").read_text(), re.M)[1])

    def cpu_seconds(self) -> dict[str, float]:
        """Returns the CPU seconds by thread: "loop", and those of librdkafka, "rdk:..."."""
        seconds: dict[str, float] = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            name, fields = re.match(r"\d+ \((.*)\) (.*)", (task / "stat").read_text()).groups()
            ticks = sum(int(n) for n in fields.split()[11:13])
            name = name if name.startswith("rdk:") else "loop"
            seconds[name] = seconds.get(name, 0) + ticks / TICKS
        return seconds

    def tcp_counters(self, bootstrap: str) -> tuple[int, int]:
        """Returns the bytes of TCP payload and the segments that its open connections sent to Kafka."""
        port = bootstrap.rsplit(":", 1)[1]
        command = ["ss", "-tinpO", "dport", "=", f":{port}"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        ours = [line for line in text.splitlines() if f"pid={self.pid}," in line]

        def total(name):
            return sum(int(n) for line in ours for n in re.findall(rf"\b{name}:(\d+)", line))

        return total("bytes_sent"), total("segs_out")


class DevBroker(Process):
    """librdkafka's mock brokers in a process of their own. They keep messages in memory only."""

    def __init__(self, programs: Path, folder: Path, partitions: int = 3):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__("tidegate-dev-broker", folder / "dev-broker.log")
        self._command = [programs / "tidegate-dev-broker", "--topics", TOPIC, "--partitions", partitions]
        self.bootstrap = ""

    def __enter__(self):
        self.log.unlink(missing_ok=True)
        self.launch(self._command)
        self.bootstrap = wait_until(self._address, 10, "the dev broker's address")
        return self

    def __exit__(self, *_):
        self.stop()

    def _address(self) -> str:
        found = re.search(r"(127\.0\.0\.1:\d+\S*)", self.log.read_text()) if self.log.exists() else None
        return found[1] if found else ""
