"""Fixtures: servers, which the tests of one worker share, and a site for each test."""

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
    """One broker for all tests that do not stop it; each test uses topics of its own."""
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
    """The server of $MONGO_URL if that is set, else one that the tests start."""
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
    """make_site(BOOTSTRAP) makes a site on that broker. At the end all programs are stopped, and the
    test fails if a sanitizer reported anything."""
    for name in SERVERS & set(
        request.fixturenames
    ):  # Servers start before the programs, so pytest stops them after the programs.
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
    """A gateway, topics and a database that only this test uses, on the shared broker."""
    return make_site(kafka.bootstrap)


@pytest.fixture
def start(site, mongo):
    def make(name: str = "reader", **environment: str) -> Start:
        return Start(site, mongo, environment, name)

    return make


@pytest.fixture(params=["mongo", "sqlite"])
def landing(request, site):
    """The test runs once with each kind of landing."""
    return (
        site.sqlite()
        if request.param == "sqlite"
        else site.mongo(request.getfixturevalue("mongo").url)
    )


@pytest.fixture
def kafka_view(kafka):
    return KafkaView(kafka.bootstrap)


def pytest_collection_modifyitems(items):
    """Keeps the tests of the packages on one worker, which builds the packages once, and runs them
    first, because they take longest."""
    packaging = [item for item in items if item.path.name == "test_package.py"]
    for item in packaging:
        item.add_marker(pytest.mark.xdist_group("packages"))
    items[:] = packaging + [item for item in items if item not in packaging]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the end of each program's log to the report of a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for site in getattr(item, "sites", []):
            for program in site.programs:
                report.sections.append((f"{program.log}", tail(program.log, 40)))
