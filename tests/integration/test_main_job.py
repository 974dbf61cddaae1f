"""A heartbeat published over MQTT lands once, and its alert is raised and cleared once."""

import pytest
from harness import expect_once
from realparts import Mosquitto, wait_until

RULE = {"_RULE_OVERHEAT": "temperature_c > 50 clear 48 severity critical"}


@pytest.mark.parametrize("tenancy", ["shared", "database"])
def test_heartbeats_of_two_tenants_and_an_alert_land_once(site, mosquitto, landing, tenancy):
    site.create_topics()
    agent = site.agent(mosquitto.port, **RULE).start()
    site.reader(landing, _TENANCY=tenancy).start()
    agent.wait_input("local")
    acme = site.publisher(mosquitto.port, tenant="acme")
    other = site.publisher(mosquitto.port, tenant="globex", first=10_000)

    acme.send(200)
    other.send(200)
    for celsius in (60.0, 61.5, 49.0, 40.0, 41.0):  # Raised at 60, cleared at 40.
        acme.send(asset="truck-hot", temperature_c=celsius)
        acme.settle()
    other.settle()

    if tenancy == "shared":
        expect_once(lambda: landing.documents("heartbeats"), acme.promised | other.promised)
    else:
        expect_once(lambda: landing.documents("heartbeats", "acme"), acme.promised)
        expect_once(lambda: landing.documents("heartbeats", "globex"), other.promised)
    alerts = _alerts(landing, "acme" if tenancy == "database" else None)
    assert [(a["rule"], a["status"], a["severity"], a["asset_id"]) for a in alerts] == [
        ("overheat", "raised", "critical", "truck-hot"),
        ("overheat", "cleared", "critical", "truck-hot"),
    ]
    assert agent.status()["alerts"]["raised"] == 0
    assert agent.finish() == 0


def _alerts(landing, tenant):
    def both():
        found = landing.documents("alerts", tenant)
        return found if len(found) >= 2 else None

    found = wait_until(
        both, 30, lambda: f"two alerts landed: {landing.documents('alerts', tenant)}"
    )
    return sorted(found, key=lambda alert: alert["status"], reverse=True)


def test_the_landed_document_holds_what_the_vehicle_sent(site, mosquitto, mongo):
    site.create_topics()
    landing = site.mongo(mongo.url)
    site.agent(mosquitto.port).start().wait_input("local")
    site.reader(landing).start()
    publisher = site.publisher(mosquitto.port, assets=1)
    publisher.send(1, odometer_km=123456.789, unit={"maker": "X", "parts": [1, 2.50, None]})
    publisher.settle()

    (document,) = expect_once(lambda: landing.documents("heartbeats"), publisher.promised)

    assert document["tenant_id"] == "acme"
    assert document["asset_id"] == "truck-1"
    assert document["driver_name"] == "Ada Lovelace"
    assert document["status"] == "active"
    assert document["location"] == {"latitude": 52.52 + 0.001, "longitude": 13.405}
    assert document["additional_data"]["odometer_km"] == 123456.789
    assert document["additional_data"]["unit"] == {"maker": "X", "parts": [1, 2.5, None]}
    assert document["_id"].startswith("acme/truck-1/")


def test_two_inputs_feed_one_store(site, mosquitto, mongo, tmp_path):
    site.create_topics()
    landing = site.mongo(mongo.url)
    with Mosquitto(tmp_path / "second") as second:
        topic = "/fleet/{tenant}/{asset}/heartbeat"
        agent = site.agent(
            mosquitto.port, _INPUT_SECOND=f"mqtt://127.0.0.1:{second.port}{topic}"
        ).start()
        site.reader(landing).start()
        agent.wait_input("local")
        agent.wait_input("second")
        one = site.publisher(mosquitto.port)
        two = site.publisher(second.port, first=10_000)
        one.send(100)
        two.send(100)
        promised = one.settle().promised | two.settle().promised
        expect_once(lambda: landing.documents("heartbeats"), promised)
        inputs = agent.status()["inputs"]
    assert inputs["local"]["received"] == inputs["local"]["settled"] == 100
    assert inputs["second"]["received"] == inputs["second"]["settled"] == 100


def test_an_old_standalone_server_is_a_landing_too(site, mosquitto, old_mongo):
    site.create_topics()
    landing = site.mongo(old_mongo.url)
    site.agent(mosquitto.port).start().wait_input("local")
    site.reader(landing).start()
    publisher = site.publisher(mosquitto.port)
    publisher.send(2500)  # The server accepts a thousand writes in one command.
    publisher.settle()
    expect_once(lambda: landing.documents("heartbeats"), publisher.promised)
