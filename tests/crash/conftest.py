"""Fixtures: the seed, the counts, the servers, and the line that each campaign prints."""

import os
import random
import signal

import machine
import pytest
from harness import Site
from oracle import Oracle
from realparts import Kafka, Mosquitto
from realparts.server import tail

_lines: list[str] = []


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, help="does again what a campaign with that seed did")


def pytest_configure(config):
    # A run that gets SIGTERM then removes its mounts and links and stops its servers.
    def stop(_number, _frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    if not hasattr(config, "workerinput") and os.geteuid() == 0:
        machine.sweep()


def pytest_runtest_logreport(report):
    _lines.extend(text for name, text in report.user_properties if name == "campaign" and report.when == "teardown")


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("campaigns")
    for line in _lines:
        terminalreporter.write_line(line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the end of each program's log to the report of a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for program in getattr(item, "programs", []):
            report.sections.append((f"{program.log}", tail(program.log, 40)))


@pytest.fixture(scope="session")
def seed(request) -> int:
    given = request.config.getoption("--seed")
    return random.SystemRandom().getrandbits(31) if given is None else given


@pytest.fixture(scope="session")
def count():
    """count(NAME, few, many) returns the number of faults: `few`, or `many` in a full run, or what
    TIDEGATE_CRASH_<NAME> says."""

    def choose(name: str, few: int, many: int) -> int:
        full = os.environ.get("TIDEGATE_CRASH_FULL")
        return int(os.environ.get(f"TIDEGATE_CRASH_{name.upper()}") or (many if full else few))

    return choose


@pytest.fixture
def campaign(seed, request):
    """campaign(NAME) returns the oracle of a campaign. The run prints the oracle's line at its end."""

    def begin(name: str) -> Oracle:
        oracle = Oracle(name, seed)
        request.addfinalizer(
            lambda: request.node.user_properties.append(("campaign", oracle.line()))
        )
        return oracle

    return begin


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    with Kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def mosquitto(tmp_path):
    with Mosquitto(tmp_path / "mosquitto", persist=True) as broker:
        yield broker


@pytest.fixture
def site(tmp_path, request, kafka, mosquitto):
    """A gateway and topics that only this test uses. At the end all programs are stopped."""
    made = Site(tmp_path, kafka.bootstrap)
    made.create_topics()
    request.node.programs = made.programs
    yield made
    made.close()
