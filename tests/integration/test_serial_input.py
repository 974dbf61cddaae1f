"""A GPS receiver on a serial line, simulated by a PTY."""

import os
import subprocess
from functools import reduce

import pytest
from realparts import wait_until


class Line:
    """A PTY pair made by socat; closing it is like pulling the plug."""

    def __init__(self, folder):
        self.device, self._far = folder / "ttyGPS", folder / "far"
        self.plug()

    def plug(self):
        pair = [f"pty,raw,echo=0,link={end}" for end in (self.device, self._far)]
        self._socat = subprocess.Popen(
            ["socat", *pair], stdin=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(lambda: self.device.exists() and self._far.exists(), 10, "socat made its PTYs")
        self._out = os.open(self._far, os.O_WRONLY | os.O_NOCTTY)

    def unplug(self):
        os.close(self._out)
        self._socat.terminate()
        self._socat.wait()

    def say(self, *sentences: str):
        for sentence in sentences:
            check = reduce(lambda a, b: a ^ b, sentence.encode(), 0)
            os.write(self._out, f"${sentence}*{check:02X}\r\n".encode())


@pytest.fixture
def line(tmp_path):
    made = Line(tmp_path)
    yield made
    made.unplug()


def _epoch(second: int) -> tuple[str, str]:
    return (
        f"GPRMC,1200{second:02d}.00,A,5231.2000,N,01324.3000,E,10.0,90.0,211125,,,A",
        f"GPGGA,1200{second:02d}.00,5231.2000,N,01324.3000,E,1,08,0.9,34.0,M,46.9,M,,",
    )


def test_positions_of_a_receiver_land_and_an_unplug_is_survived(site, line, mongo):
    site.create_topics()
    landing = site.mongo(mongo.url)
    uri = f"serial:{line.device}?codec=nmea&baud=9600&tenant=acme&asset=boat-1"
    agent = site.agent(_INPUT_GPS=uri).start()
    site.reader(landing).start()
    agent.wait_input("gps")
    for second in range(0, 6):
        line.say(*_epoch(second))
    wait_until(
        lambda: len(landing.documents("heartbeats")) >= 5,
        30,
        lambda: f"positions: {landing.documents('heartbeats')}",
    )
    line.unplug()
    wait_until(lambda: not agent.status()["inputs"]["gps"]["connected"], 20, "the unplug is seen")
    line.plug()
    agent.wait_input("gps")
    before = len(landing.documents("heartbeats"))
    for second in range(10, 16):
        line.say(*_epoch(second))
    wait_until(
        lambda: len(landing.documents("heartbeats")) >= before + 5, 30, "positions after the unplug"
    )
    for document in landing.documents("heartbeats"):
        assert document["asset_id"] == "boat-1" and document["tenant_id"] == "acme"
        assert abs(document["location"]["latitude"] - 52.52) < 0.001
        assert abs(document["location"]["longitude"] - 13.405) < 0.001
