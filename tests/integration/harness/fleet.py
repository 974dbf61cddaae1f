"""A fleet that publishes heartbeats over MQTT and records which of them the broker acknowledged."""

import itertools
import json
import threading
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as mqtt
from realparts import wait_until


def timestamp() -> str:
    now = datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


def heartbeat(n: int, **extra) -> dict:
    """Returns a heartbeat as vehicles send it; `n` identifies it."""
    return {
        "driver_id": f"d{n % 7}",
        "driver_name": "Ada Lovelace",
        "timestamp": timestamp(),
        "location": {"latitude": 52.52 + n % 100 / 1000, "longitude": 13.405},
        "status": "active",
        "additional_data": {"n": n, "speed_kmh": n % 90, "temperature_c": 21.5, **extra},
    }


class Publisher:
    """Publishes at QoS 1. `promised` contains the `n` of each heartbeat that the broker has
    acknowledged; each is an obligation."""

    _ids = itertools.count(1)

    def __init__(
        self,
        port: int,
        tenant: str = "acme",
        assets: int = 10,
        tls_ca: Path | None = None,
        user: tuple[str, str] | None = None,
        first: int = 1,
        timed: bool = True,
    ):
        self.tenant = tenant
        self._timed = timed  # If False, heartbeats have additional_data.sent_at and no timestamp.
        self.promised: set[int] = set()
        self.published = 0
        self._assets = [f"truck-{i}" for i in range(1, assets + 1)]
        self._numbers = itertools.count(first)
        self._lock = (
            threading.Lock()
        )  # paho's thread never takes it, because it holds locks of its own in callbacks.
        self._waiting: dict[int, int] = {}  # Packet id -> n.
        self._acknowledged: deque[tuple[float, int]] = deque()
        self._recent: deque[tuple[float, int]] = deque()
        self._sent: dict[int, tuple[str, bytes]] = {}
        self._load: threading.Thread | None = None
        self._loading = False
        # A persistent session lets the client send unacknowledged messages again after a reconnect.
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            clean_session=False,
            client_id=f"fleet-{id(self):x}-{next(Publisher._ids)}",
        )
        self._client.on_publish = lambda _c, _u, packet, _r, _p: self._acknowledged.append(
            (time.monotonic(), packet)
        )
        self._client.max_inflight_messages_set(100)
        self._client.max_queued_messages_set(0)
        self._client.reconnect_delay_set(0.1, 0.5)
        if user:
            self._client.username_pw_set(*user)
        if tls_ca:
            self._client.tls_set(ca_certs=str(tls_ca))
        self._client.connect("localhost" if tls_ca else "127.0.0.1", port)
        self._client.loop_start()

    def topic(self, asset: str) -> str:
        return f"fleet/{self.tenant}/{asset}/heartbeat"

    def send(self, count: int = 1, asset: str | None = None, **extra) -> list[int]:
        """Publishes heartbeats of `asset`, or of the assets in turn. Returns their numbers. With `at`
        that is their time."""
        return [self._send_one(asset, dict(extra)) for _ in range(count)]

    def _send_one(self, asset: str | None, extra: dict) -> int:
        n = next(self._numbers)
        topic = self.topic(asset or self._assets[n % len(self._assets)])
        at = extra.pop("at", None)
        beat = heartbeat(n, **extra)
        if at:
            beat["timestamp"] = at
        if not self._timed:
            beat["additional_data"]["sent_at"] = beat.pop("timestamp")
        self._publish(n, topic, json.dumps(beat).encode())
        return n

    def _publish(self, n: int, topic: str, payload: bytes):
        # A packet id has 16 bits, and the client library drops a message whose id is still in use.
        if len(self._waiting) >= 20_000:
            wait_until(lambda: self._pending() < 10_000, 300, "PUBACKs from the broker")
        with self._lock:
            self._sent[n] = (topic, payload)
            self._waiting[self._client.publish(topic, payload, qos=1).mid] = n
            self.published += 1
            self._settle()

    def send_raw(self, topic: str, payload: bytes):
        """Publishes a payload that is no heartbeat and no obligation."""
        self._client.publish(topic, payload, qos=1).wait_for_publish(30)

    def _settle(self):
        while self._acknowledged:
            when, packet = self._acknowledged.popleft()
            n = self._waiting.pop(packet, None)
            if n is not None:
                self.promised.add(n)
                self._recent.append((when, n))

    def _pending(self) -> int:
        with self._lock:
            self._settle()
            return len(self._waiting)

    def settle(self, seconds: float = 60):
        """Waits until the broker has acknowledged everything published."""
        wait_until(
            lambda: not self._pending(),
            seconds,
            lambda: f"{len(self._waiting)} PUBACKs from the broker",
        )
        return self

    def send_again(self, seconds: float):
        """Publishes once more, byte for byte, what was acknowledged in the last `seconds`: a broker
        that was killed has lost what it acknowledged after its last save."""
        with self._lock:
            self._settle()
            since = time.monotonic() - seconds
            again = [n for when, n in self._recent if when >= since]
        for n in again:
            self._publish(n, *self._sent[n])
        return again

    def load(self, rate: float):
        """Publishes `rate` messages a second on a thread of its own until rest()."""

        def run():
            begin, count = time.monotonic(), 0
            while self._loading:
                due = int((time.monotonic() - begin) * rate)
                self.send(due - count)
                count = due
                time.sleep(0.01)

        self._loading = True
        self._load = threading.Thread(target=run, daemon=True)
        self._load.start()
        return self

    def rest(self):
        self._loading = False
        if self._load:
            self._load.join()
            self._load = None
        return self

    def close(self):
        self.rest()
        self._client.disconnect()
        self._client.loop_stop()
