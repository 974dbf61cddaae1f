"""Power cuts of a real ext4 under a real agent: what it acknowledged to its broker, which keeps no
copy of that, is in Kafka in the end. The machine with the broker, the fleet and Kafka keeps its
power."""

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
LOOK_EVERY = 50  # Cuts, after which everything promised so far must have come through.


class PoweredAgent:
    """An agent whose store is on a disk of its own."""

    def __init__(self, site, mosquitto, disk, **settings):
        self._disk = disk
        self.agent = site.agent(mosquitto.port, _STORE_DIR=disk.path / "store", **settings)
        self.agent.settings |= {"_LOG_LEVEL": "info", "_COMMIT_INTERVAL": "20ms"}

    def run_until_the_power_goes(self, seconds: float, has_kafka: bool):
        # Without Kafka the store alone has what was acknowledged.
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
        """What is wrong with the store as the power cut has left it."""
        done = self.agent.run("verify")
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def drain(self, fleet):
        """Everything that the broker and the store hold goes to Kafka."""
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
            powered.agent.start()  # Once, so that the broker knows its session.
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
        oracle.gap(json.loads(message.value)["count"])
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
    """What proves that the harness can see a loss."""
    oracle = campaign("power cuts, process-safe")
    findings = _campaign(site, mosquitto, oracle, count("cuts_unsafe", 20, 40), "process-safe")
    assert oracle.lost > 0, oracle.line()
    assert not oracle.doubled, oracle.line()
    assert not findings, findings[:3]
