"""SIGKILL of one program after another under load: every promised heartbeat lands, and none twice."""

import random

import pytest
from harness import expect_once
from harness.programs import kill_at_random
from realparts import wait_until

RATE = 400


@pytest.fixture
def running(site, mosquitto, mongo):
    """An agent and a reader under load, after the first heartbeats have landed."""
    site.create_topics()
    landing = site.mongo(mongo.url)
    agent = site.agent(mosquitto.port, _RULE_HOT="temperature_c > 50").start()
    reader = site.reader(landing).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port).load(RATE)
    wait_until(lambda: len(landing.documents("heartbeats")) > RATE, 30, "heartbeats landing")
    return agent, reader, publisher, landing


def _seed(request) -> random.Random:
    seed = random.SystemRandom().getrandbits(32)
    request.node.add_report_section("call", "seed", str(seed))
    return random.Random(seed)


def test_of_the_agent(running, request):
    agent, _, publisher, landing = running
    chance = _seed(request)
    for _ in range(5):
        kill_at_random(agent, chance, (0.2, 1.5))
    publisher.rest().settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
    assert agent.finish() == 0


def test_of_the_reader(running, site, request):
    _, reader, publisher, landing = running
    chance = _seed(request)
    for _ in range(3):
        kill_at_random(reader, chance, (0.2, 1.5))
    publisher.rest().settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised, seconds=90)
    assert site.kafka.count(site.dead_letters) == 0


def test_of_mosquitto(running, mosquitto, request):
    """mosquitto loses what it acknowledged after its last save, so the fleet sends that again, byte for
    byte. Messages that the agent had already received must not double."""
    agent, _, publisher, landing = running
    chance = _seed(request)
    for _ in range(3):
        kill_at_random(mosquitto, chance, (0.5, 1.5))
        publisher.send_again(seconds=3)
        agent.wait_input("local")
    publisher.rest().settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)


def test_of_all_three_in_turn(running, mosquitto, request):
    agent, reader, publisher, landing = running
    chance = _seed(request)
    for _ in range(2):
        kill_at_random(agent, chance, (0.2, 0.8))
        kill_at_random(reader, chance, (0.2, 0.8))
        kill_at_random(mosquitto, chance, (0.2, 0.8))
        publisher.send_again(seconds=3)
    publisher.rest().settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised, seconds=90)


def test_an_alert_is_raised_once_over_a_restart(site, mosquitto, mongo):
    """The alert's state is folded from the stored records, so a killed agent neither repeats nor
    forgets it."""
    site.create_topics()
    landing = site.mongo(mongo.url)
    agent = site.agent(mosquitto.port, _RULE_HOT="temperature_c > 50").start()
    site.reader(landing).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port, assets=1)
    publisher.send(temperature_c=60)
    publisher.settle()
    wait_until(lambda: len(landing.documents("alerts")) == 1, 30, "the alert landed")
    agent.kill()
    agent.start()
    agent.wait_input("local")
    publisher.send(temperature_c=61)
    publisher.send(temperature_c=20)
    publisher.settle()
    wait_until(
        lambda: len(landing.documents("alerts")) >= 2,
        30,
        lambda: f"cleared: {landing.documents('alerts')}",
    )
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
    assert sorted(alert["status"] for alert in landing.documents("alerts")) == ["cleared", "raised"]
