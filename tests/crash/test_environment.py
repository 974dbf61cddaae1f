"""Faults of a gateway's machine under a running agent: a full disk, a read-only disk, I/O errors, little
memory, clock steps, a long stop. After each, nothing is lost or doubled, and the agent is ready again."""

import json
import signal
import subprocess
import time
from contextlib import contextmanager

import machine
import pytest
from harness import program_folder
from harness.programs import ROOT
from realparts import wait_until
from traffic import Traffic, topics_of

RATE = 300


@pytest.fixture
def possible():
    """possible(PROGRAM...) skips the test if this machine cannot run it, and says why."""

    def ask(*programs: str):
        why = machine.lacks("mosquitto", *programs)
        if why:
            pytest.skip(why)

    return ask


class Station:
    """An agent between a fleet that publishes and Kafka."""

    def __init__(self, site, mosquitto, oracle, **settings):
        self._site, self._oracle = site, oracle
        inputs = topics_of(f"mqtt://127.0.0.1:{mosquitto.port}")
        self.agent = site.agent(**inputs | {"_LOG_LEVEL": "info"} | settings)
        self.fleet = Traffic(mosquitto.port, readings=True, calm=True)

    def start(self):
        self.agent.start()
        for name in ("local", "sensors"):
            self.agent.wait_input(name)
        return self

    def load(self):
        self.fleet.load(RATE)

    def wait_published(self, more: int):
        enough = self.fleet.published + more
        wait_until(lambda: self.fleet.published >= enough, 60, f"{more} more published")

    def is_ready(self) -> bool:
        return self.agent.fetch("/readyz")[0] == 200

    def wait_refusing(self):
        """Waits until /readyz reports that the agent cannot store."""
        wait_until(lambda: not self.is_ready(), 30, lambda: f"not ready: {self.agent.status()}")

    def expect_recovered(self):
        """Expects the agent to be alive and ready without a restart, and everything promised to be in
        Kafka once."""
        assert self.agent.alive(), self.agent.log_text()[-2000:]
        wait_until(self.is_ready, 60, lambda: f"ready: {self.agent.fetch('/readyz')}")
        assert self.agent.fetch("/healthz")[0] == 200
        self.wait_published(100)
        self.fleet.rest().settle_all()
        self._oracle.promise(self.fleet.promised)
        end = time.monotonic() + 60
        while self._count() and time.monotonic() < end:
            time.sleep(0.3)
        self.agent.wait_drained()
        self._count()
        self._oracle.expect_nothing_lost_or_doubled()

    def _count(self) -> int:
        self._oracle.forget_found()
        for name in ("heartbeat", "reading"):
            for message in self._site.kafka.read(self._site.topics[name], seconds=60):
                n = json.loads(message.value)["additional_data"]["n"]
                # core/wire/FORMAT.md says when two messages are one document.
                timed = message.headers["tg-time"] == "source"
                self._oracle.found(n, message.value if timed else message.headers["tg-id"])
        for message in self._site.kafka.read(self._site.topics["gap"]):
            gap = json.loads(message.value)
            if gap["class"] != "dead_letter":
                self._oracle.gap(gap["count"])
        return len(self._oracle.missing)

    def close(self):
        self.fleet.close()
        self._site.close()


@pytest.fixture
def station(site, mosquitto):
    made: list[Station] = []

    def begin(oracle, **settings) -> Station:
        made.append(Station(site, mosquitto, oracle, **settings))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def test_a_full_disk(possible, campaign, station, count):
    possible("mount")
    oracle = campaign("no space left")
    with machine.Tmpfs(megabytes=8) as disk:
        one = station(oracle, _STORE_DIR=disk.path / "store", _STORE_MAX_BYTES="4MiB").start()
        for _ in range(count("full_disks", 2, 20)):
            # After a start the store's log is short, so it must grow and finds no space.
            one.agent.stop()
            one.start()
            disk.fill()
            oracle.fault()
            one.load()
            one.wait_refusing()
            one.wait_published(RATE)
            one.fleet.rest()
            disk.free()
            wait_until(one.is_ready, 60, lambda: f"ready: {one.agent.status()}")
        one.load()
        one.expect_recovered()
        one.close()


def test_a_disk_that_turns_read_only(possible, campaign, station, count):
    """ext4 turns read-only when it finds damage. Only a repair helps, so the agent is started again;
    until then it runs and acknowledges nothing."""
    possible("mkfs.ext4", "e2fsck", "findmnt")
    oracle = campaign("read-only file system")
    with machine.LoopExt4(32) as disk:
        one = station(oracle, _STORE_DIR=disk.path / "store").start()
        one.load()
        for _ in range(count("read_only", 1, 10)):
            one.wait_published(RATE)
            disk.turn_read_only()
            oracle.fault()
            one.wait_refusing()
            one.wait_published(RATE)
            assert one.agent.alive()
            one.agent.kill()
            disk.unmount()
            disk.repair()
            disk.mount()
            one.start()
        one.expect_recovered()
        one.close()


@contextmanager
def _failing_calls(pid: int, calls: str, error: str, seconds: float):
    """Makes system calls of the agent return an error in the block and for `seconds` after it."""
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(pid), f"--trace={calls}",
         f"--inject={calls}:error={error}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
        time.sleep(seconds)
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(20)


@pytest.mark.parametrize(
    ("calls", "error"),
    [
        ("fdatasync,fsync", "EIO"),
        ("pwrite64", "EIO"),
        ("pwrite64,fdatasync,fsync,ftruncate", "EROFS"),
        ("pwrite64", "ENOSPC"),
    ],
)
def test_system_calls_that_fail(possible, campaign, station, count, calls, error):
    possible("strace")
    oracle = campaign(f"{error} of {calls}")
    one = station(oracle).start()
    one.load()
    for _ in range(count("system_calls", 1, 10)):
        one.wait_published(RATE)
        with _failing_calls(one.agent.pid, calls, error, 1):
            oracle.fault()
            one.wait_refusing()
    one.expect_recovered()


@contextmanager
def memory_limit(megabytes: int):
    """A control group with that limit, and what lets an agent start in it; skips the test where there is none."""
    try:
        limit = machine.MemoryLimit(megabytes)
    except OSError as error:
        pytest.skip(f"no control group with a limit of memory: {error}")

    def confine(agent):
        launch = agent.launch
        agent.launch = lambda command, env=None, cwd=None: launch([*limit.enter(), *command], env, cwd)

    with limit:
        yield limit, confine


def test_thirty_two_megabytes_of_memory(possible, campaign, station, site, count):
    possible()
    with memory_limit(32) as (limit, confine):
        oracle = campaign("32 MB of memory")
        one = station(oracle, _KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
        confine(one.agent)
        one.start()
        oracle.fault()
        # A backlog builds up, and then the agent sends all of it.
        one.fleet.send(count("memory_records", 20_000, 200_000))
        one.fleet.settle(300)
        wait_until(lambda: one.agent.backlog() >= one.fleet.published, 120,
                   lambda: f"a backlog of {one.fleet.published}, it is {one.agent.backlog()}")
        one.agent.stop()
        one.agent.settings["_KAFKA_BOOTSTRAP_SERVERS"] = site.bootstrap
        one.start()
        one.load()
        one.expect_recovered()
        one.close()
        assert 1 < limit.peak_mb() <= 32


def test_arrays_of_refused_elements_in_sixty_four_megabytes(possible, campaign, station, site, mosquitto):
    """Each of 33,000 elements is refused, on a topic whose tenant is a name of 60,000 bytes."""
    possible()
    bomb = ("[" + ",".join(["{}"] * 33_000) + "]").encode()
    with memory_limit(64) as (limit, confine):
        oracle = campaign("arrays of refused elements")
        one = station(oracle)
        confine(one.agent)
        one.start().load()
        bomber = site.publisher(mosquitto.port)
        for _ in range(5):
            oracle.fault()
            bomber.send_raw(f"fleet/{'t' * 60_000}/truck-9/heartbeat", bomb)
        one.expect_recovered()
        one.close()
        assert 1 < limit.peak_mb() <= 64


def test_a_clock_that_is_set(possible, campaign, station, tmp_path, count):
    """Under load the clock steps back by ten years, ahead by an hour, to 1970, and to the right time."""
    possible()
    try:
        from harness import WallClock
    except ImportError:
        pytest.skip("no wall clock that a test can set (tests/support/clock_shim)")
    folders = [program_folder().parent, *(ROOT / "build").glob("*")]
    shims = [shim for shim in (folder / "tests/clock_shim.so" for folder in folders) if shim.exists()]
    if not shims:
        pytest.skip("tests/support/clock_shim is not built")
    oracle = campaign("clock steps")
    clock = WallClock(tmp_path)
    one = station(oracle, LD_PRELOAD=shims[0], CLOCK_SHIM_FILE=tmp_path / "wall-clock").start()
    one.load()
    set_clock = [
        lambda: clock.step(-10 * 365.25 * 86400),
        lambda: clock.step(3600),
        lambda: clock.set_to(0),
        clock.set_right,
    ]
    for _ in range(count("clock_steps", 1, 25)):
        for change in set_clock:
            one.wait_published(RATE)
            change()
            oracle.fault()
    one.expect_recovered()


def test_a_process_that_is_stopped(possible, campaign, station, count):
    """In the full run the agent is stopped for longer than its keepalive allows."""
    possible()
    oracle = campaign("SIGSTOP")
    one = station(oracle).start()
    one.load()
    one.wait_published(RATE)
    one.agent.freeze()
    oracle.fault()
    time.sleep(count("stop_seconds", 8, 60))
    one.agent.thaw()
    one.expect_recovered()
