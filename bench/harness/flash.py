"""Measures the bytes written for each payload byte: by the process, and at a block device that each agent has to itself."""

import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .bench import Bench
from .parts import Agent, DevBroker, new_broker, wait_until

RATES = (1, 10, 100, 1000)
INTERVALS = ("200ms", "1s")
# Messages sent before the measurement: enough to fill the store's log once, after which it is reused.
WARM_UP = 60_000
TARGETS = {(100, "1s"): "≤ 0.5; ≤ 0.6"}


class LoopDevice:
    """An ext4 on a loop device over a file, mounted at `folder`. Needs root."""

    def __init__(self, folder: Path, megabytes: int = 512):
        self.folder = folder
        self._image = folder.with_suffix(".img")
        self._megabytes = megabytes

    def __enter__(self):
        self.folder.mkdir(parents=True)
        with self._image.open("wb") as image:
            image.truncate(self._megabytes << 20)
        # With lazy initialisation the kernel would write inode tables during the measurement.
        self._do("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self._image)
        self.device = self._do("losetup", "--find", "--show", self._image).strip()
        self._do("mount", "-o", "noatime", self.device, self.folder)
        return self

    def __exit__(self, *_):
        self._do("umount", self.folder)
        self._do("losetup", "-d", self.device)
        self._image.unlink()

    def written(self) -> int:
        """Flushes dirty pages and returns the bytes written to the device."""
        self._do("sync", "-f", self.folder)
        fields = Path(f"/sys/block/{Path(self.device).name}/stat").read_text().split()
        return int(fields[6]) * 512

    @staticmethod
    def _do(*words) -> str:
        return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True).stdout


@dataclass
class Case:
    rate: int
    interval: str
    agent: Agent
    device: LoopDevice
    before: tuple[float, ...] = ()

    def now(self) -> tuple[float, ...]:
        return (self.agent.written(), self.device.written(), self.agent.metric("tidegate_mqtt_bytes_total"))


def flash(bench: Bench):
    """Measures all rates and intervals at the same time, each with an agent, store and device of its own."""
    with ExitStack() as stack:
        broker = stack.enter_context(new_broker(bench.folder / "flash-broker"))
        kafka = stack.enter_context(DevBroker(bench.programs, bench.folder / "flash-kafka"))
        cases = [start_case(bench, stack, rate, interval, broker, kafka) for rate in RATES for interval in INTERVALS]
        for rate in RATES:
            bench.publish(broker.port, WARM_UP, root=f"rate{rate}")
        for case in cases:
            wait_until(lambda case=case: case.agent.acked() >= WARM_UP, 60, "the warm-up to arrive")
        publishers = [bench.publisher(broker.port, 0, rate, root=f"rate{rate}") for rate in RATES]
        time.sleep(10)
        for case in cases:
            case.before = case.now()
        time.sleep(bench.flash_seconds)
        for case in cases:
            process, device, payload = (now - then for now, then in zip(case.now(), case.before))
            bench.row(f"flash bytes a payload byte, {case.rate} msg/s, commits {case.interval}: process; device",
                      f"{process / payload:.2f}; {device / payload:.2f}", TARGETS.get((case.rate, case.interval), ""))
        for publisher in publishers:
            publisher.terminate()
            publisher.wait()
        for case in cases:
            case.agent.stop()
    bench.row("peers at the device, 100 msg/s: Redpanda Connect (never syncs); Fluent Bit; Telegraf", "0.29; 2.3; 64")


def start_case(bench: Bench, stack: ExitStack, rate: int, interval: str, broker, kafka) -> Case:
    name = f"flash-{rate}-{interval}"
    device = stack.enter_context(LoopDevice(bench.folder / name))
    agent = Agent(bench.programs, device.folder, TIDEGATE_GATEWAY_ID=name, TIDEGATE_STORE_MAX_BYTES="128MiB",
                  TIDEGATE_INPUT_MQTT=bench.topic_uri(broker.port, f"rate{rate}"),
                  TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap, TIDEGATE_COMMIT_INTERVAL=interval)
    agent.start()
    agent.wait_connected()
    return Case(rate, interval, agent, device)
