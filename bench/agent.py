#!/usr/bin/env python3
"""Measures the whole agent against baselines in the same run and prints one table. On real mosquitto and, as Kafka, on librdkafka's mock
cluster (tidegate-dev-broker).

    bench/agent.py [--bin build/release/bin] [--rounds 3] [ingest memory flash start wire]

ingest  durable ingest over MQTT (PUBACK after fsync) / the rate at which the same broker feeds a subscriber that discards: both drain a
        queue of the same size, in turn, medians of the rounds
memory  PSS and private dirty of the idle agent, MQTT and Kafka connected; the same with a backlog of 100,000 records
start   from exec to READY=1 with that backlog
flash   bytes written by the process (/proc/PID/io) for each payload byte, at 100 messages a second
wire    bytes to Kafka for each record while a backlog drains (TCP payload; and with 52 bytes of headers for each segment)

Needs: mosquitto, iproute2 (ss), and the programs built with TIDEGATE_BENCH=ON.
"""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from realparts import Mosquitto  # noqa: E402
from realparts.server import Process, wait_until  # noqa: E402

BACKLOG = 100_000
TUNED = "max_inflight_messages 0\nmax_packet_size 300000"


class Agent(Process):
    def __init__(self, programs: Path, folder: Path, **settings: str):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__("tidegate-agent", folder / "log")
        self._command = [programs / "tidegate-agent", "run"]
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
        """Asked by the socket itself: a process for each question would take the core that is measured."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(self.env["TIDEGATE_CONTROL_SOCKET"])
            control.sendall(b"status\n")
            return json.loads(control.makefile().readline())

    def metric(self, name: str) -> float:
        text = urllib.request.urlopen(f"http://{self.status()['http']}/metrics").read().decode()
        return sum(float(line.split()[-1]) for line in text.splitlines() if re.match(rf"{name}(\{{| )", line))

    def settled(self) -> int:
        return sum(one["settled"] for one in self.status()["inputs"].values())

    def rollup(self) -> dict[str, int]:
        """kB by name."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return {name: int(kb) for name, kb in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}

    def written(self) -> int:
        return int(re.search(r"^write_bytes: (\d+)", Path(f"/proc/{self.pid}/io").read_text(), re.M)[1])

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class DevBroker(Process):
    def __init__(self, programs: Path, folder: Path):
        super().__init__("tidegate-dev-broker", folder / "dev-broker.log")
        self._program = programs / "tidegate-dev-broker"

    def start(self) -> str:
        self.launch([self._program])
        return wait_until(self._address, 10, "the dev broker's address")

    def _address(self) -> str:
        found = re.search(r"(127\.0\.0\.1:\d+\S*)", self.log.read_text()) if self.log.exists() else None
        return found[1] if found else ""


class Bench:
    def __init__(self, programs: Path, rounds: int, folder: Path):
        self.programs, self.rounds, self.folder = programs, rounds, folder
        self.rows: list[tuple[str, str]] = []

    def row(self, what: str, figure: str):
        self.rows.append((what, figure))
        print(f"{what:62} {figure}", flush=True)

    def run(self, program: str, *words: str) -> str:
        done = subprocess.run([self.programs / program, *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{program} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def publish(self, port: int, count: int, rate: int = 0):
        self.run("tidegate-sim", "--assets", "100", "--rate", str(rate), "--count", str(count), "--seed", "1", "--quiet",
                 "--mqtt", f"mqtt://127.0.0.1:{port}/fleet/{{tenant}}/{{asset}}/heartbeat")

    @staticmethod
    def input_uri(port: int) -> str:
        return f"mqtt://127.0.0.1:{port}/fleet/{{tenant}}/{{asset}}/heartbeat"

    def ingest(self, count: int = 200_000):
        null, durable, null_cpu, agent_cpu = [], [], [], []
        for i in range(self.rounds):
            folder = self.folder / f"ingest{i}"
            with Mosquitto(folder / "broker", extra=TUNED) as broker:
                baseline = ["127.0.0.1", str(broker.port), "fleet/#", "null", str(count)]
                self.run("tidegate-bench-mqtt-null", *baseline, "subscribe")
                agent = Agent(self.programs, folder / "agent", TIDEGATE_INPUT_MQTT=self.input_uri(broker.port))
                agent.start()
                wait_until(lambda: agent.status()["inputs"]["mqtt"]["connected"], 10, "the agent to connect")
                agent.stop()
                self.publish(broker.port, count)
                result = json.loads(self.run("tidegate-bench-mqtt-null", *baseline))
                null.append(count / result["seconds"])
                null_cpu.append(result["cpu_seconds"] / count * 1e6)
                agent.start()
                begin_cpu = agent.cpu_seconds()
                begin = time.monotonic()
                wait_until(lambda: agent.settled() >= count, 120, "the agent to settle everything", every=0.02)
                durable.append(count / (time.monotonic() - begin))
                agent_cpu.append((agent.cpu_seconds() - begin_cpu) / count * 1e6)
                agent.stop()
        ratios = [ours / base for ours, base in zip(durable, null)]
        self.row("durable MQTT ingest, messages/s", f"{statistics.median(durable):,.0f}")
        self.row("  the same broker into a discarding subscriber, messages/s", f"{statistics.median(null):,.0f}")
        self.row("  ratio (median; each round)", f"{statistics.median(ratios):.2f}  ({', '.join(f'{r:.2f}' for r in ratios)})")
        self.row("  CPU a message: agent / discarding subscriber, us",
                 f"{statistics.median(agent_cpu):.1f} / {statistics.median(null_cpu):.1f}")

    def memory_row(self, what: str, agent: Agent):
        kb = agent.rollup()
        self.row(what, f"PSS {kb['Pss'] / 1024:.1f} MB, private dirty {kb['Private_Dirty'] / 1024:.1f} MB")

    def connected(self, agent: Agent):
        def both():
            status = agent.status()
            return status["uplink"]["connected"] and all(one["connected"] for one in status["inputs"].values())
        wait_until(both, 30, lambda: f"MQTT and Kafka connected: {agent.status()}")

    def memory_and_start(self):
        folder = self.folder / "memory"
        folder.mkdir()
        kafka = DevBroker(self.programs, folder)
        bootstrap = kafka.start()
        with Mosquitto(folder / "broker", extra=TUNED) as broker:
            uri = self.input_uri(broker.port)
            agent = Agent(self.programs, folder / "agent", TIDEGATE_INPUT_MQTT=uri, TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=bootstrap)
            empty = agent.start()
            self.connected(agent)
            time.sleep(3)
            self.memory_row("idle, MQTT and Kafka connected", agent)
            agent.stop()
            kafka.stop()
            agent.start()
            self.publish(broker.port, BACKLOG, rate=5000)
            wait_until(lambda: agent.settled() >= BACKLOG, 60, "the backlog")
            time.sleep(3)
            self.memory_row(f"with {BACKLOG:,} records of backlog, Kafka away", agent)
            on_disk = agent.status()["store"]["bytes"]
            self.row("bytes on disk for each stored record", f"{on_disk / BACKLOG:.0f}")
            agent.stop()
            starts = []
            for _ in range(self.rounds):
                starts.append(agent.start())
                agent.stop()
            self.memory_after_restart(agent)
        self.row("exec to READY=1, empty store", f"{empty * 1000:.0f} ms")
        self.row(f"exec to READY=1, {BACKLOG:,} records of backlog", f"{statistics.median(starts) * 1000:.0f} ms")

    def memory_after_restart(self, agent: Agent):
        agent.start()
        time.sleep(3)
        self.memory_row(f"restarted with {BACKLOG:,} records of backlog", agent)
        agent.stop()

    def flash(self, rate: int = 100, seconds: int = 60):
        folder = self.folder / "flash"
        folder.mkdir()
        kafka = DevBroker(self.programs, folder)
        bootstrap = kafka.start()
        with Mosquitto(folder / "broker", extra=TUNED) as broker:
            for interval in ("200ms", "1s"):
                agent = Agent(self.programs, folder / f"agent-{interval}", TIDEGATE_INPUT_MQTT=self.input_uri(broker.port),
                              TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=bootstrap, TIDEGATE_COMMIT_INTERVAL=interval)
                agent.start()
                self.connected(agent)
                self.publish(broker.port, rate * 5, rate=rate)
                before, bytes_before = agent.written(), agent.metric("tidegate_mqtt_bytes_total")
                count = rate * seconds
                self.publish(broker.port, count, rate=rate)
                wait_until(lambda: agent.settled() >= count + rate * 5, 30, "all settled")
                time.sleep(2)
                payload = agent.metric("tidegate_mqtt_bytes_total") - bytes_before
                self.row(f"flash bytes a payload byte, {rate} msg/s, commit {interval}",
                         f"{(agent.written() - before) / payload:.2f}  ({payload / count:.0f}-byte payloads)")
                agent.stop()
        kafka.stop()

    def wire(self, count: int = 50_000):
        folder = self.folder / "wire"
        folder.mkdir()
        kafka = DevBroker(self.programs, folder)
        with Mosquitto(folder / "broker", extra=TUNED) as broker:
            store = folder / "agent"
            agent = Agent(self.programs, store, TIDEGATE_INPUT_MQTT=self.input_uri(broker.port))
            agent.start()
            self.connected_inputs(agent)
            self.publish(broker.port, count)
            wait_until(lambda: agent.settled() >= count, 60, "the backlog")
            agent.stop()
        agent = Agent(self.programs, store, TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=kafka.start())
        begin = time.monotonic()
        agent.start()
        wait_until(lambda: agent.status()["uplink"]["acked"] >= count, 120, "the backlog to drain")
        seconds = time.monotonic() - begin
        sent, segments = self.tcp_counters(agent.pid)
        agent.stop()
        kafka.stop()
        self.row("wire bytes a record, draining (TCP payload)", f"{sent / count:.1f}")
        self.row("  with IP and TCP headers", f"{(sent + 52 * segments) / count:.1f}")
        self.row("drain, records/s", f"{count / seconds:,.0f}")

    def connected_inputs(self, agent: Agent):
        wait_until(lambda: all(one["connected"] for one in agent.status()["inputs"].values()), 10, "MQTT connected")

    @staticmethod
    def tcp_counters(pid: int) -> tuple[int, int]:
        text = subprocess.run(["ss", "-tinpO"], capture_output=True, text=True, check=True).stdout
        ours = [line for line in text.splitlines() if f"pid={pid}," in line]
        total = lambda name: sum(int(n) for line in ours for n in re.findall(rf"\b{name}:(\d+)", line))  # noqa: E731
        return total("bytes_sent"), total("segs_out")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where data goes (a real file system for flash); default: build/bench")
    parser.add_argument("what", nargs="*", default=["ingest", "memory", "flash", "wire"])
    options = parser.parse_args()
    base = options.folder or ROOT / "build" / "bench"
    base.mkdir(parents=True, exist_ok=True)
    steps = {"ingest": Bench.ingest, "memory": Bench.memory_and_start, "start": Bench.memory_and_start, "flash": Bench.flash, "wire": Bench.wire}
    with tempfile.TemporaryDirectory(dir=base) as folder:
        bench = Bench(options.bin.resolve(), options.rounds, Path(folder))
        for name in options.what:
            steps[name](bench)


if __name__ == "__main__":
    main()
