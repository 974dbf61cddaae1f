"""A gateway whose wall clock is wrong, or is set while the agent runs."""

import json
from datetime import datetime

import pytest
from harness import WallClock
from harness.landing import numbers
from realparts import Kafka, wait_until

YEAR = 365.25 * 86400
# On a busy machine a message's time of arrival may be this many seconds after its publishing.
TOLERANCE = 1.0


def seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Beat:
    """A heartbeat in Kafka that was published without a time of its own."""

    def __init__(self, message):
        self.message = message
        value = json.loads(message.value)
        self.number = value["additional_data"]["n"]
        self.sent = seconds(value["additional_data"]["sent_at"])
        self.time = seconds(value["timestamp"])
        self.clock = message.headers["tg-clock"]
        self.restamped = message.headers.get("tg-restamped") == "1"
        assert message.headers["tg-time"] == "gateway"

    def right(self) -> bool:
        return -0.1 <= self.time - self.sent <= TOLERANCE

    def timestamp_right(self) -> bool:
        """Returns whether Kafka's timestamp is the record's time, or absent with an unsynchronised
        clock."""
        if self.message.timestamp_ms is None:
            return self.clock == "unsynced"
        return abs(self.message.timestamp_ms / 1000 - self.time) < 0.001 and self.right()


@pytest.fixture
def clock(tmp_path):
    return WallClock(tmp_path)


def beats(site) -> list[Beat]:
    return [Beat(message) for message in site.kafka.read(site.topics["heartbeat"])]


def test_what_came_in_1970_lands_with_the_time_at_which_it_came(
    make_site, tmp_path, mosquitto, mongo, clock
):
    kafka = Kafka(tmp_path / "late-kafka")
    site = make_site(kafka.bootstrap)
    landing = site.mongo(mongo.url)
    clock.set_to(60)
    agent = site.agent(mosquitto.port, **clock.settings()).start()
    assert agent.status()["time"].startswith("1970-01-01T00:01:")
    assert not agent.status()["clock_synced"]
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port, timed=False)
    publisher.send(300)
    publisher.settle()
    wait_until(lambda: agent.backlog() == 300, 20, lambda: f"stored: {agent.status()['store']}")
    assert agent.finish() == 0, "a restart in between changes nothing"
    agent.start()
    agent.wait_input("local")
    publisher.send(100)
    publisher.settle()
    wait_until(lambda: agent.backlog() == 400, 20, lambda: f"stored: {agent.status()['store']}")

    clock.set_right()
    wait_until(lambda: agent.metric("tidegate_clock_synced") == 1, 20, "the agent sees the sync")
    publisher.send(50)
    publisher.settle()
    with kafka:
        agent.wait_drained(settled=150, seconds=90)
        found = beats(site)
        assert sorted(beat.number for beat in found) == sorted(publisher.promised)
        wrong = [beat.message for beat in found if not beat.right() or not beat.timestamp_right()]
        assert not wrong, wrong[:3]
        assert {beat.clock for beat in found} == {"synced"}
        assert sum(beat.restamped for beat in found) == 400
        reader = site.reader(landing).start()
        wait_until(
            lambda: sorted(numbers(landing.documents("heartbeats"))) == sorted(publisher.promised),
            60,
            "every one landed once",
        )
        assert reader.finish() == 0
        status = agent.status()
        assert status["clock_synced"] and status["clock_correction_seconds"] > 50 * YEAR
        assert "clock: synchronised; what it called 1970-01-01T" in agent.log_text()
        assert agent.finish() == 0


def test_a_clock_that_is_set_while_it_runs_stops_and_misdates_nothing(site, mosquitto, clock):
    site.create_topics()
    agent = site.agent(mosquitto.port, **clock.settings()).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port, timed=False).load(rate=100)
    steps = []  # How many were published before each.
    for step in (-10 * YEAR, 10 * YEAR + 3600, -3600):
        _await_flow(agent, site, publisher)
        steps.append(publisher.published)
        clock.step(step)
        _await_flow(agent, site, publisher)
    clock.set_right()
    _await_flow(agent, site, publisher)
    publisher.rest().settle()
    agent.wait_drained(settled=publisher.published)

    found = beats(site)
    assert {beat.number for beat in found} == publisher.promised, "nothing is lost"
    by_id = {beat.message.headers["tg-id"]: beat.number for beat in found}
    assert len(by_id) == len(publisher.promised), "nothing is doubled: a repeat has the same id"
    # With a clock that nobody vouches for, a time ahead of it is no timestamp; and Kafka refuses one
    # of an hour ahead, so that the record goes again without it.
    doubtful = range(steps[0] - 200, steps[-1] + 200)
    untimed = [beat for beat in found if beat.message.timestamp_ms is None]
    assert not [beat.message for beat in untimed if beat.number not in doubtful][:3]
    wrong = [
        beat.message
        for beat in found
        if not beat.right() or not (beat in untimed or beat.timestamp_right())
    ]
    assert not wrong, wrong[:3]
    assert agent.metric("tidegate_clock_steps_total") >= 3
    assert agent.finish() == 0


def _await_flow(agent, site, publisher, beats_more: int = 200):
    """Waits until the agent has settled and delivered `beats_more` more messages."""
    settled, acked = agent.settled(), agent.status()["uplink"]["acked"]

    def flows() -> bool:
        status = agent.status()
        taken = status["inputs"]["local"]["settled"] - settled
        return taken >= beats_more and status["uplink"]["acked"] - acked >= beats_more

    wait_until(flows, 20, lambda: f"{beats_more} more go through: {agent.status()}", 0.1)


def test_without_a_synchronised_clock_nothing_is_held_back_and_no_time_is_vouched_for(
    site, mosquitto, clock
):
    site.create_topics()
    clock.set_to(60)
    agent = site.agent(mosquitto.port, **clock.settings()).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port, timed=False)
    publisher.send(100)
    publisher.settle()
    agent.wait_drained(settled=100)
    found = beats(site)
    assert sorted(beat.number for beat in found) == sorted(publisher.promised)
    assert {beat.clock for beat in found} == {"unsynced"}
    assert {beat.message.timestamp_ms for beat in found} == {None}
    assert agent.finish() == 0


def test_a_clock_that_is_set_back_while_the_link_is_away_does_not_keep_it_away(
    make_site, own_kafka, mosquitto, clock
):
    """librdkafka's threads wait by the wall clock: if it is set back by ten years, they would sleep for
    ten years."""
    site = make_site(own_kafka.bootstrap)
    site.create_topics()
    agent = site.agent(mosquitto.port, **clock.settings()).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port, timed=False)
    publisher.send(100)
    publisher.settle()
    agent.wait_drained(settled=100)
    own_kafka.kill()
    wait_until(lambda: not agent.status()["uplink"]["connected"], 20, "the link is away")
    publisher.send(100)
    publisher.settle()
    wait_until(lambda: agent.backlog() == 100, 20, lambda: f"stored: {agent.status()['store']}")
    clock.step(-10 * YEAR)
    own_kafka.again()
    agent.wait_drained(settled=200, seconds=45)
    assert sorted({beat.number for beat in beats(site)}) == sorted(publisher.promised)
    assert all(beat.right() for beat in beats(site))
    assert agent.finish() == 0
