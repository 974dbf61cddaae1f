"""Fixtures: the servers, shared by the tests of one worker, and a site of its own for each test."""

import os
from types import SimpleNamespace

import pytest
from harness import KafkaView, Site, Start
from realparts import Certificates, Kafka, KafkaCluster, MongoJava, Mosquitto, Secantus
from realparts.server import tail

SERVERS = {
    "mosquitto",
    "mongo",
    "own_kafka",
    "kafka_cluster",
    "own_mongo",
    "old_mongo",
    "secure_mosquitto",
    "secure_kafka",
}


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    """One broker for all tests that leave it alone; each uses topics of its own."""
    with Kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def own_kafka(tmp_path):
    """A broker that the test may kill."""
    with Kafka(tmp_path / "own-kafka") as broker:
        yield broker


@pytest.fixture
def kafka_cluster(tmp_path):
    """Three brokers that the test may kill, one at a time."""
    with KafkaCluster(tmp_path / "kafka-cluster") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def mongo(tmp_path_factory):
    """$MONGO_URL if set, else a server of our own."""
    given = os.environ.get("MONGO_URL")
    if given:
        yield SimpleNamespace(url=given)
        return
    with Secantus(tmp_path_factory.mktemp("secantus")) as server:
        yield server


@pytest.fixture
def own_mongo(tmp_path):
    """A database server that the test may kill."""
    if os.environ.get("MONGO_URL"):
        pytest.skip("kills its database server, and MONGO_URL names one of yours")
    with Secantus(tmp_path / "own-mongo") as server:
        yield server


@pytest.fixture
def old_mongo(tmp_path):
    with MongoJava(tmp_path / "mongo-java") as server:
        yield server


@pytest.fixture
def mosquitto(tmp_path):
    with Mosquitto(tmp_path / "mosquitto", persist=True) as broker:
        yield broker


@pytest.fixture
def make_site(tmp_path, request):
    """Makes sites on any broker. At the end everything is stopped, and no sanitizer may have said
    anything."""
    for name in SERVERS & set(
        request.fixturenames
    ):  # Set up before the programs, so that they go down after them.
        request.getfixturevalue(name)
    sites: list[Site] = []

    def make(bootstrap: str) -> Site:
        sites.append(Site(tmp_path, bootstrap))
        return sites[-1]

    request.node.sites = sites
    yield make
    for site in sites:
        site.close()
    findings = [line for site in sites for program in site.programs for line in program.findings()]
    assert not findings, findings[:5]


@pytest.fixture
def site(make_site, kafka):
    """A gateway, topics and a database of this test's own on the shared broker."""
    return make_site(kafka.bootstrap)


@pytest.fixture
def start(site, mongo):
    def make(name: str = "reader", **environment: str) -> Start:
        return Start(site, mongo, environment, name)

    return make


@pytest.fixture(params=["mongo", "sqlite"])
def landing(request, site):
    """Each kind of landing in turn."""
    return (
        site.sqlite()
        if request.param == "sqlite"
        else site.mongo(request.getfixturevalue("mongo").url)
    )


@pytest.fixture
def kafka_view(kafka):
    return KafkaView(kafka.bootstrap)


def pytest_collection_modifyitems(items):
    """The packages are built once: their tests stay together on one worker, which starts with them
    because they take longest."""
    packaging = [item for item in items if item.path.name == "test_package.py"]
    for item in packaging:
        item.add_marker(pytest.mark.xdist_group("packages"))
    items[:] = packaging + [item for item in items if item not in packaging]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the end of each program's log with a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for site in getattr(item, "sites", []):
            for program in site.programs:
                report.sections.append((f"{program.log}", tail(program.log, 40)))
