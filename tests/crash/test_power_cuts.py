"""Cuts the power of a real ext4 under a real agent. What the agent acknowledged to its broker, which
keeps no copy, must be in Kafka at the end. The broker, the fleet and Kafka keep running."""

import json
import random
import time

import machine
import pytest
from harness import binary
from harness.programs import environment
from realparts import wait_until
from traffic import Traffic

RATE = 400
NOWHERE = "127.0.0.1:1"  # Nothing listens there.
LOOK_EVERY = 50  # Cuts between two complete drains of broker and store.


class PoweredAgent:
    """An agent whose store is on a disk of its own."""

    def __init__(self, site, mosquitto, disk, **settings):
        self._disk = disk
        self.agent = site.agent(mosquitto.port, _STORE_DIR=disk.path / "store", **settings)
        self.agent.settings |= {"_LOG_LEVEL": "info", "_COMMIT_INTERVAL": "20ms"}

    def run_until_the_power_goes(self, seconds: float, has_kafka: bool):
        # Without Kafka only the store has what was acknowledged.
        away = {} if has_kafka else {"_KAFKA_BOOTSTRAP_SERVERS": NOWHERE}
        self.agent.launch(
            [binary(self.agent.name), "run"],
            environment(self.agent.settings | away),
            self.agent.folder,
        )
        time.sleep(seconds)
        self._disk.cut_power()
        self.agent.kill()
        self._disk.unmount()
        self._disk.mount()

    def verify(self) -> str:
        """Returns what `verify` finds wrong with the store after the power cut."""
        done = self.agent.run("verify")
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def drain(self, fleet):
        """Waits until everything in the broker and in the store is delivered to Kafka."""
        fleet.settle_all()
        self.agent.start()
        self.agent.wait_input("local")
        # A message that the broker still has is not in the agent's backlog yet.
        wait_until(lambda: self._is_quiet(), 60, lambda: f"drained: {self.agent.status()}", 0.2)
        self.agent.kill()

    def _is_quiet(self) -> bool:
        before = self.agent.settled()
        time.sleep(0.5)
        return self.agent.backlog() == 0 and self.agent.settled() == before


def _campaign(site, mosquitto, oracle, cuts: int, durability: str) -> list[str]:
    """Returns what verify found."""
    chance = random.Random(oracle.seed)
    findings = []
    fleet = Traffic(mosquitto.port, calm=True)
    with machine.LoopExt4() as disk:
        try:
            powered = PoweredAgent(site, mosquitto, disk, _DURABILITY=durability)
            powered.agent.start()  # Creates its session at the broker.
            powered.agent.wait_input("local")
            powered.agent.kill()
            fleet.load(RATE)
            for cut in range(1, cuts + 1):
                powered.run_until_the_power_goes(chance.uniform(0.05, 0.4), chance.random() < 0.4)
                oracle.fault()
                findings += [f"cut {cut}: {finding}" for finding in [powered.verify()] if finding]
                if cut % LOOK_EVERY == 0:
                    fleet.rest()
                    powered.drain(fleet)
                    fleet.load(RATE)
            fleet.rest().settle_all()
            powered.drain(fleet)
        finally:
            fleet.close()
            site.close()
    oracle.promise(fleet.promised)
    for message in site.kafka.read(site.topics["heartbeat"], seconds=120):
        oracle.found(json.loads(message.value)["additional_data"]["n"], message.value)
    for message in site.kafka.read(site.topics["gap"]):
        gap = json.loads(message.value)
        if gap["class"] != "dead_letter":
            oracle.gap(gap["count"])
    return findings


@pytest.fixture(autouse=True)
def _possible():
    why = machine.lacks("mkfs.ext4", "e2fsck", "findmnt", "mosquitto")
    if not why:
        try:
            with machine.LoopExt4(8):
                pass
        except OSError as error:
            why = f"no ext4 on a loop device: {error}"
    if why:
        pytest.skip(why)


def test_nothing_acknowledged_is_lost(site, mosquitto, campaign, count):
    oracle = campaign("power cuts")
    findings = _campaign(site, mosquitto, oracle, count("cuts", 40, 1000), "power-safe")
    oracle.expect_nothing_lost_or_doubled()
    assert not findings, findings[:3]


def test_the_same_cuts_without_fsync_show_losses(site, mosquitto, campaign, count):
    """Proves that the harness finds losses."""
    oracle = campaign("power cuts, process-safe")
    findings = _campaign(site, mosquitto, oracle, count("cuts_unsafe", 20, 40), "process-safe")
    assert oracle.lost > 0, oracle.line()
    assert not oracle.doubled, oracle.line()
    assert not findings, findings[:3]
