"""The load that a campaign publishes, and the alerts that must follow from it."""

import json
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import datetime

from harness import Publisher, heartbeat
from realparts import wait_until

HOT = 50  # The rule's threshold.


class Traffic(Publisher):
    """Publishes heartbeats with their own time, whose temperature crosses the rule's threshold in
    turns unless `calm`. With `readings`, every third message of an asset is a reading without a time:
    it doubles unless the agent recognises redelivered messages."""

    def __init__(self, port: int, readings: bool = False, calm: bool = False, **options):
        self._readings = readings
        self._calm = calm
        self._temperatures: list[tuple[str, str, bool]] = []
        self._quiet = threading.Lock()
        super().__init__(port, **options)

    def _send_one(self, asset, extra):
        with self._quiet:
            n = next(self._numbers)
            turn = n // len(self._assets)
            name = asset or self._assets[n % len(self._assets)]
            if self._readings and turn % 3 == 2:
                payload = {"status": "ok", "additional_data": {"n": n}}
                self._publish(n, f"fleet/{self.tenant}/{name}/reading", json.dumps(payload).encode())
                return n
            is_hot = not self._calm and turn % 24 >= 12
            payload = heartbeat(n, **{"temperature_c": 60 if is_hot else 20, **extra})
            self._temperatures.append((name, payload["timestamp"], is_hot))
            self._publish(n, self.topic(name), json.dumps(payload).encode())
            return n

    @contextmanager
    def held(self):
        """Publishes nothing inside the block, with no message in flight, until the fleet is connected
        again: the client library sends what it is given during a reconnect twice."""
        with self._quiet:
            self.settle(120)
            yield
            wait_until(self._client.is_connected, 30, "the fleet is connected again")

    def settle_all(self):
        """Calls settle(); reconnects if it fails, because the client library sends what it mislaid in a
        reconnect only after the next one."""
        for _ in range(5):
            try:
                return self.settle(20)
            except AssertionError:
                self._client.reconnect()
        return self.settle(20)

    def alerts(self) -> Counter:
        """Returns (asset, status, raised at in ms) of every alert that a gateway without faults sends."""
        expected: Counter = Counter()
        raised: dict[str, int] = {}
        for asset, when, is_hot in self._temperatures:
            at = round(datetime.fromisoformat(when).timestamp() * 1000)
            if is_hot and asset not in raised:
                raised[asset] = at
                expected[asset, "raised", at] += 1
            elif not is_hot and asset in raised:
                expected[asset, "cleared", raised.pop(asset)] += 1
        return expected


def topics_of(mqtt: str) -> dict[str, str]:
    """Returns the settings of an agent that reads all of the load."""
    return {
        "_INPUT_LOCAL": f"{mqtt}/fleet/{{tenant}}/{{asset}}/heartbeat",
        "_INPUT_SENSORS": f"{mqtt}/fleet/{{tenant}}/{{asset}}/reading?kind=reading",
        "_RULE_HOT": f"temperature_c > {HOT}",
    }
