"""The limits of the uplink: a byte budget that survives kill -9, and send windows."""

import time

from realparts import wait_until


def _publish(site, agent, mosquitto, count):
    agent.wait_input("local")
    publisher = site.publisher(mosquitto.port)
    publisher.send(count)
    publisher.settle()
    return publisher


def _wait_for_alerts(agent):
    def delivered():
        status = agent.status()
        return status["uplink"]["passed"] > 0 and status["store"]["records"]["alert"] == 0

    wait_until(delivered, 30, lambda: f"alerts pass: {agent.status()}", 0.2)


def test_a_byte_budget_is_kept_over_a_kill_and_alerts_pass_it(site, mosquitto):
    site.create_topics()
    agent = site.agent(
        mosquitto.port, _UPLINK_BUDGET="64KiB/day", _UPLINK_LINGER="100ms", _RULE_FAST="speed_kmh > 88"
    ).start()
    _publish(site, agent, mosquitto, 5000)

    def exhausted():
        uplink = agent.status()["uplink"]
        return not uplink["open"] and uplink["in_flight"] == 0 and uplink["acked"] > 100

    wait_until(exhausted, 60, lambda: f"the budget is used up: {agent.status()['uplink']}", 0.2)
    before = agent.status()
    day = before["uplink"]["budgets"]["day"]
    assert day["limit"] == 64 * 1024
    assert day["used"] >= 60 * 1024, "it was used"
    assert before["store"]["records"]["heartbeat"] > 1000, "the rest waits"
    assert before["store"]["records"]["alert"] == 0, "alerts do not"
    arrived = site.kafka.count(site.topics["heartbeat"])
    assert "64.0 KiB" in agent.run("status").stdout

    agent.kill()
    agent.start()
    _publish(site, agent, mosquitto, 300)
    _wait_for_alerts(agent)  # By then all other records could have been sent, too.
    after = agent.status()
    assert after["uplink"]["budgets"]["day"]["used"] >= 64 * 1024 - 1024
    assert not after["uplink"]["open"]
    assert site.kafka.count(site.topics["heartbeat"]) == arrived
    assert agent.metric("tidegate_uplink_open") == 0
    assert agent.finish() == 0, "a stop does not wait for what is held back"


def test_a_closed_window_holds_back_all_but_alerts(site, mosquitto):
    site.create_topics()
    hour = (time.localtime().tm_hour + 3) % 24
    agent = site.agent(
        mosquitto.port,
        _UPLINK_WINDOW=f"{hour:02}:00-{hour:02}:59",
        _RULE_FAST="speed_kmh > 88",
    ).start()
    _publish(site, agent, mosquitto, 300)

    _wait_for_alerts(agent)
    assert agent.status()["store"]["records"]["heartbeat"] == 300
    assert site.kafka.count(site.topics["heartbeat"]) == 0
    assert f"window {hour:02}:00-{hour:02}:59: closed" in agent.run("status").stdout
    assert agent.finish() == 0
