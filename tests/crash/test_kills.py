"""Kills agents and the reader with SIGKILL at seeded moments, while Kafka and the local brokers are
restarted and the links are cut and restored. Counts the documents in MongoDB at the end."""

import random
import signal
import threading
import time
from collections import Counter
from datetime import UTC

import machine
import pytest
from harness import Agent, MongoLanding, Site, binary
from harness.programs import environment
from oracle import Oracle
from realparts import Kafka, Mosquitto, Secantus
from traffic import Traffic, topics_of

RATE = 100  # Messages a second of each gateway.
PATIENCE = 30  # Seconds without a new document, after which what is missing counts as lost.


class LinkedAgent(Agent):
    """An agent in the network namespace of the link."""

    def __init__(self, folder, settings, link: machine.Link):
        super().__init__(folder, settings)
        self._link = link

    def launch(self, command, env=None, cwd=None):
        super().launch([*self._link.enter(), *command], env, cwd)

    def launch_only(self):
        """Starts the agent and does not wait for READY=1."""
        self.launch([binary(self.name), "run"], environment(self.settings), self.folder)


class Gateway:
    """A local broker, a fleet that publishes to it, and an agent. The broker of a `rough` gateway is
    killed and loses what it acknowledged last, so its fleet sends that again. The broker of another
    gateway is restarted in order, so its readings without a time must arrive exactly once, and its
    alerts must be exactly those of a run without faults."""

    def __init__(self, index: int, site: Site, link: machine.Link):
        self.rough = index % 2 == 0
        (site.folder / f"broker-{index}").mkdir(parents=True)
        self.broker = Mosquitto(site.folder / f"broker-{index}", persist=True)
        config = site.folder / f"broker-{index}" / "mosquitto.conf"
        config.write_text(
            config.read_text().replace(
                "allow_anonymous", f"listener {self.broker.port} {link.lan}\nallow_anonymous", 1
            )
        )
        self.broker.start()
        self.fleet = Traffic(
            self.broker.port,
            tenant=f"t{index}",
            first=index * 10_000_000 + 1,
            readings=not self.rough,
            calm=self.rough,
        )
        settings = {f"_TOPIC_{name.upper()}": topic for name, topic in site.topics.items()}
        settings |= {
            "_KAFKA_BOOTSTRAP_SERVERS": site.bootstrap,
            "_GATEWAY_ID": f"gw-{index}",
            "_LOG_LEVEL": "info",
        }
        mqtt = f"mqtt://{link.lan}:{self.broker.port}"
        self.agent = LinkedAgent(
            site.folder / f"agent-{index}", settings | topics_of(mqtt), link
        )
        site.programs.append(self.agent)

    def begin(self):
        """Starts the load after the agent's sessions exist at the broker."""
        self.agent.start()
        for name in ("local", "sensors"):
            self.agent.wait_input(name)
        self.fleet.load(RATE)

    def kill_again_and_again(self, kills: int, chance: random.Random, oracle: Oracle):
        for _ in range(kills):
            time.sleep(chance.uniform(0.02, 0.8))
            self.agent.kill()
            oracle.fault()
            if chance.random() < 0.2:  # Kills it in the middle of its start, too.
                self.agent.launch_only()
                time.sleep(chance.uniform(0, 0.08))
                self.agent.kill()
                oracle.fault()
            self.agent.start()

    def restart_broker(self):
        if self.rough:
            self.broker.kill()
            self.broker.again()
            self.fleet.send_again(seconds=3)
        else:
            with self.fleet.held():
                self.broker.stop()
                self.broker.again()


class Surroundings:
    """Causes all other faults, in a seeded order, until the kills of agents have ended."""

    def __init__(self, link, kafka, gateways, reader, oracle):
        self._link, self._kafka, self._gateways = link, kafka, gateways
        self._reader, self._oracle = reader, oracle

    def run(self, chance: random.Random, done: threading.Event):
        turns = [self._pull_server] * 4 + [self._pull_lan] * 4 + [self._kill_reader] * 4
        turns += [self._restart_broker] * 3 + [self._restart_kafka]
        while True:
            chance.shuffle(turns)
            for turn in turns:
                time.sleep(chance.uniform(0.1, 0.6))
                turn(chance)
                self._oracle.fault()
            if done.is_set():
                return

    def _pull_server(self, chance):
        self._pull("server", chance.uniform(0.1, 1))

    def _pull_lan(self, chance):
        """Agents killed meanwhile have stored messages that they could not acknowledge."""
        self._pull("lan", chance.uniform(0.1, 0.6))

    def _pull(self, cable: str, seconds: float):
        self._link.pull(cable)
        time.sleep(seconds)
        self._link.plug(cable)

    def _kill_reader(self, _chance):
        self._reader.kill()
        self._reader.start(wait=False)

    def _restart_broker(self, chance):
        chance.choice(self._gateways).restart_broker()

    def _restart_kafka(self, chance):
        self._kafka.kill() if chance.random() < 0.5 else self._kafka.stop()
        self._kafka.again()


class Found:
    """What has landed at the end of the campaign."""

    def __init__(self, site: Site, landing: MongoLanding, gateways):
        self.site = site
        self._landing = landing
        self._fleets = [gateway.fleet for gateway in gateways]

    def count(self, oracle: Oracle) -> int:
        """Reports the documents to the oracle and returns how many obligations are missing."""
        oracle.forget_found()
        for collection in ("heartbeats", "telemetry_raw"):
            for document in self._landing.documents(collection):
                oracle.found(document["additional_data"]["n"], document["_id"])
        for document in self._landing.documents("gaps"):
            oracle.gap(document["count"])
        return len(oracle.missing)

    def wait(self, oracle: Oracle):
        missing, since = None, time.monotonic()
        while time.monotonic() - since < PATIENCE:
            now = self.count(oracle)
            if now == 0:
                return
            if now != missing:
                missing, since = now, time.monotonic()
            time.sleep(0.5)

    def alerts(self) -> Counter:
        return Counter(
            (
                document["asset_id"] + document["tenant_id"],
                document["status"],
                round(document["raised_at"].replace(tzinfo=UTC).timestamp() * 1000),
            )
            for document in self._landing.documents("alerts")
        )

    def expected_alerts(self) -> Counter:
        return Counter(
            {
                (asset + fleet.tenant, status, at): count
                for fleet in self._fleets
                for (asset, status, at), count in fleet.alerts().items()
            }
        )

    def kafka_repeats(self) -> int:
        """Returns how many records Kafka has more than once. Each lands as one document all the same."""
        seen: Counter = Counter()
        for name in ("heartbeat", "reading"):
            for message in self.site.kafka.read(self.site.topics[name], seconds=120):
                seen[message.headers.get("tg-id")] += 1
        return sum(seen.values()) - len(seen)


@pytest.fixture(scope="module")
def ended(tmp_path_factory, seed, count, request):
    """Runs the campaign until everything promised has landed, or nothing new lands any more."""
    why = machine.lacks("ip", "nsenter", "mosquitto")
    if why:
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("kills")
    oracle = Oracle("kills", seed)
    gateways_wanted = count("gateways", 2, 4)
    kills = count("kills", 12, 1000)
    try:
        link = machine.Link()
    except OSError as error:
        pytest.skip(f"no network namespace with veth: {error}")
    with link, Kafka(folder / "kafka", address=link.server) as kafka, Secantus(folder / "db") as db:
        site = Site(folder, kafka.bootstrap)
        site.create_topics()
        landing = site.mongo(db.url)
        reader = site.reader(landing)
        gateways = [Gateway(index, site, link) for index in range(gateways_wanted)]
        workers = Workers()
        try:
            found = Found(site, landing, gateways)
            _campaign(link, kafka, gateways, reader, oracle, kills, workers)
            found.wait(oracle)
            found.alerts_found, found.alerts_wanted = found.alerts(), found.expected_alerts()
            found.repeats = found.kafka_repeats()
            yield oracle, found
        finally:
            workers.end()
            for gateway in gateways:
                gateway.fleet.close()
            site.close()
            for gateway in gateways:
                gateway.broker.stop()


class Workers:
    """Threads that start programs. A program dies with the thread that started it, so the threads wait
    for end() after their work."""

    def __init__(self):
        self._over = threading.Event()
        self._failures: list[BaseException] = []

    def begin(self, work, *words) -> threading.Event:
        """Starts work(*words) on a thread. The event that it returns is set when the work is done."""
        done = threading.Event()

        def run():
            try:
                work(*words)
            except BaseException as error:
                self._failures.append(error)
            done.set()
            self._over.wait()

        threading.Thread(target=run, daemon=True).start()
        return done

    def check(self):
        assert not self._failures, self._failures

    def end(self):
        self._over.set()


def _campaign(link, kafka, gateways, reader, oracle, kills, workers):
    reader.start()
    killed = []
    for index, gateway in enumerate(gateways):
        gateway.begin()
        share = kills // len(gateways) + (index < kills % len(gateways))
        chance = random.Random(f"{oracle.seed}/{index}")
        killed.append(workers.begin(gateway.kill_again_and_again, share, chance, oracle))
    no_more = threading.Event()
    around = Surroundings(link, kafka, gateways, reader, oracle)
    calm = workers.begin(around.run, random.Random(f"{oracle.seed}/around"), no_more)
    for done in killed:
        done.wait()
    no_more.set()
    calm.wait()
    workers.check()
    for gateway in gateways:
        gateway.fleet.rest().settle_all()
        oracle.promise(gateway.fleet.promised)


@pytest.fixture
def report(ended, request):
    oracle, found = ended
    yield oracle, found
    if request.node.name == "test_nothing_promised_is_lost":
        request.node.user_properties.append(("campaign", oracle.line()))
        repeats = f"    kills: {found.repeats} records are in Kafka more than once"
        request.node.user_properties.append(("campaign", repeats))


def test_nothing_promised_is_lost(report):
    oracle, _ = report
    assert not oracle.lost, f"{sorted(oracle.missing)[:10]} {oracle.line()}"


def test_nothing_is_doubled(report):
    oracle, _ = report
    assert not oracle.doubled, f"{len(oracle.doubled)}: {sorted(oracle.doubled)[:10]} {oracle.line()}"


def test_alerts_are_those_of_a_run_without_faults(report):
    _, found = report
    assert found.alerts_wanted, "no alert was to be expected"
    missing = found.alerts_wanted - found.alerts_found
    more = found.alerts_found - found.alerts_wanted
    assert not missing and not more, (
        f"{sum(missing.values())} missing {list(missing)[:3]}, "
        f"{sum(more.values())} too many {list(more)[:3]} of {sum(found.alerts_wanted.values())}"
    )
