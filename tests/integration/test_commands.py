"""The verbs, their exit statuses, and a clean stop under load."""

import json

from harness import expect_once
from realparts import wait_until


def test_check_names_the_nearest_variable_and_every_problem_at_once(site):
    agent = site.agent(
        1883, _TENNANT="acme", _COMMIT_INTERVAL="soon", _RULE_BAD="temperature_c >> 5"
    )
    done = agent.run("check")
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "TIDEGATE_TENNANT" in said and "TIDEGATE_TENANT" in said.replace("TIDEGATE_TENNANT", "")
    assert "TIDEGATE_COMMIT_INTERVAL" in said and "soon" in said
    assert "TIDEGATE_RULE_BAD" in said


def test_check_of_a_good_configuration_shows_every_value(site):
    done = site.agent(1883, _TENANT="acme").run("check")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in (
        "TIDEGATE_TENANT",
        "TIDEGATE_INPUT_LOCAL",
        "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS",
        "TIDEGATE_STORE_MAX_BYTES",
    ):
        assert name in done.stdout


def test_a_reader_with_an_unknown_variable_does_not_start(site):
    done = site.reader(site.sqlite(), _BATCH_RECORD="50").run("check")
    assert done.returncode == 2
    assert "TIDEGATE_BATCH_RECORDS" in done.stdout + done.stderr


def test_run_refuses_a_configuration_that_check_refuses(site):
    assert site.agent(1883, _NONSENSE="1").run("run").returncode == 2


AGENT_VERBS = (
    ("check",),
    ("status",),
    ("status", "--json"),
    ("tail",),
    ("tail", "--follow"),
    ("export",),
    ("export", "--dead-letters"),
    ("verify",),
    ("version",),
    ("--help",),
)
READER_VERBS = (("check",), ("migrate", "--dry-run"), ("migrate",), ("version",), ("--help",))


def _expect_lost_output_to_fail(program, verbs):
    for words in verbs:
        with open("/dev/full", "w", encoding="ascii") as full:
            done = program.run(*words, stdout=full)
        assert done.returncode == 1, (words, done.stderr)
        assert "write standard output: No space left on device" in done.stderr, words


def test_a_verb_of_the_reader_whose_output_is_lost_fails(site):
    _expect_lost_output_to_fail(site.reader(site.sqlite()), READER_VERBS)


def test_a_verb_of_the_agent_whose_output_is_lost_fails(site, mosquitto):
    agent = site.agent(mosquitto.port, _KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9").start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port)
    publisher.send(30)
    publisher.send_raw(publisher.topic("truck-1"), b"no JSON")
    publisher.settle()
    wait_until(lambda: agent.backlog() == 30, 20, lambda: f"stored: {agent.status()['store']}")
    _expect_lost_output_to_fail(agent, AGENT_VERBS)
    assert agent.finish() == 0


def test_usage_is_an_exit_status_of_its_own(site):
    agent = site.agent(1883)
    assert agent.run("fly").returncode == 2
    assert agent.run("version").returncode == 0


def test_sigterm_under_load_is_a_clean_exit(site, mosquitto, mongo):
    site.create_topics()
    landing = site.mongo(mongo.url)
    agent = site.agent(mosquitto.port).start()
    reader = site.reader(landing).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port).load(rate=500)
    for _ in range(2):
        wait_until(
            lambda: agent.status()["inputs"]["local"]["settled"] > 200, 30, "heartbeats settled"
        )
        assert agent.finish() == 0
        assert reader.finish() == 0
        agent.start()
        reader.start()
    publisher.rest().settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)


def test_status_metrics_and_health_tell_the_same(site, mosquitto):
    site.create_topics()
    agent = site.agent(mosquitto.port).start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port)
    publisher.send(50)
    publisher.settle()
    agent.wait_drained(settled=50)
    status = agent.status()
    assert status["gateway_id"] == "gw-test"
    assert len(status["epoch"]) == 8
    assert status["inputs"]["local"]["received"] == status["inputs"]["local"]["settled"] == 50
    assert (
        status["uplink"]["connected"]
        and status["uplink"]["acked"] == 50
        and status["uplink"]["in_flight"] == 0
    )
    assert status["store"]["bytes"] <= status["store"]["max_bytes"]
    assert agent.fetch("/readyz")[0] == 200
    assert "tidegate_" in agent.fetch("/metrics")[1]
    assert json.loads(agent.fetch("/status")[1])["gateway_id"] == "gw-test"
    assert "gw-test" in agent.run("status").stdout


def test_tail_shows_what_is_stored_and_verify_finds_it_sound(site, mosquitto):
    agent = site.agent(mosquitto.port, _KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9").start()
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port)
    publisher.send(30)
    publisher.settle()
    wait_until(lambda: agent.backlog() == 30, 20, lambda: f"stored: {agent.status()['store']}")
    shown = agent.run("tail", "--json")
    assert shown.returncode == 0, shown.stderr
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert lines and all("truck-" in json.dumps(line) for line in lines)
    assert agent.finish() == 0
    assert agent.run("verify").returncode == 0
    for file in (agent.folder / "store").iterdir():
        if file.suffix == ".db":
            _spoil(file)
    assert agent.run("verify").returncode == 3


def _spoil(file):
    """Overwrites the middle third of a file."""
    size = file.stat().st_size
    with file.open("r+b") as f:
        f.seek(size // 3)
        f.write(b"\xa5" * (size // 3))
