"""The seed, the counts, and the lines that the campaigns print."""

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
    # So that a run that is told to stop takes its mounts, links and servers along.
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
    """Shows the end of each program's log with a failure."""
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
    """count(NAME, few, many): how many faults; TIDEGATE_CRASH_<NAME> overrides both."""

    def choose(name: str, few: int, many: int) -> int:
        full = os.environ.get("TIDEGATE_CRASH_FULL")
        return int(os.environ.get(f"TIDEGATE_CRASH_{name.upper()}") or (many if full else few))

    return choose


@pytest.fixture
def campaign(seed, request):
    """campaign(NAME): the oracle of a campaign, whose line is printed at its end."""

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
    """A gateway and topics of this test's own. At the end everything is stopped."""
    made = Site(tmp_path, kafka.bootstrap)
    made.create_topics()
    request.node.programs = made.programs
    yield made
    made.close()
