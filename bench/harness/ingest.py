"""Measures durable ingest, and the CPU of a record from MQTT to Kafka, against a discarding subscriber."""

import json
import time

from .bench import Bench, median, spread
from .parts import DevBroker, new_broker, wait_until

STAGES = {
    "decode": "decode: JSON to record",
    "rules": "state as a fold, three rules",
    "collect": "collect, acknowledge",
    "append": "store: encode, compress, commit",
    "forward": "forward: next batch, wire message, deletes",
    "produce": "librdkafka, called by the loop",
    "threads": "librdkafka, its own threads",
}


class Queued:
    """A broker that has queued `count` messages for the agent and as many for the discarding subscriber."""

    def __init__(self, bench: Bench, broker, agent, count: int):
        self._bench, self._agent, self.count = bench, agent, count
        self._null = ["127.0.0.1", str(broker.port), "fleet/#", "null", str(count)]
        bench.run("tidegate-bench-mqtt-null", *self._null, "subscribe")
        agent.start()
        agent.wait_connected()
        agent.stop()
        bench.publish(broker.port, count)

    def discard(self) -> dict:
        return json.loads(self._bench.run("tidegate-bench-mqtt-null", *self._null))

    def take(self) -> tuple[float, float]:
        """Returns the seconds until the agent has settled all messages, and the CPU seconds it used."""
        agent = self._agent
        agent.start()
        before, begin = sum(agent.cpu_seconds().values()), time.monotonic()
        wait_until(lambda: agent.settled() >= self.count, 120, "the agent to settle everything", every=0.02)
        return time.monotonic() - begin, sum(agent.cpu_seconds().values()) - before


def ingest(bench: Bench, count: int = 200_000):
    durable, null, cpu, null_cpu = [], [], [], []
    for i in range(bench.rounds):
        with new_broker(bench.folder / f"ingest{i}-broker") as broker:
            agent = bench.agent(f"ingest{i}", TIDEGATE_INPUT_MQTT=bench.topic_uri(broker.port))
            queued = Queued(bench, broker, agent, count)
            result = queued.discard()
            seconds, used = queued.take()
            agent.stop()
        null.append(count / result["seconds"])
        null_cpu.append(result["cpu_seconds"] / count * 1e6)
        durable.append(count / seconds)
        cpu.append(used / count * 1e6)
    bench.row("durable MQTT ingest / mosquitto's feed to a discarding subscriber",
              spread([a / b for a, b in zip(durable, null)]), "≥ 0.95")
    bench.row("messages/s: durable / discarding", f"{median(durable):,.0f} / {median(null):,.0f}")
    bench.row("CPU a message, without uplink: agent / discarding, µs", f"{median(cpu):.1f} / {median(null_cpu):.1f}")


def path(bench: Bench, count: int = 200_000):
    """Measures with mock brokers in another process, so that their work does not count."""
    null, loop, threads = [], [], []
    for i in range(bench.rounds):
        folder = bench.folder / f"path{i}-kafka"
        with new_broker(bench.folder / f"path{i}-broker") as broker, DevBroker(bench.programs, folder) as kafka:
            agent = bench.agent(f"path{i}", TIDEGATE_INPUT_MQTT=bench.topic_uri(broker.port),
                                TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap)
            queued = Queued(bench, broker, agent, count)
            null.append(queued.discard()["cpu_seconds"] / count * 1e6)
            agent.start()
            before = agent.cpu_seconds()
            wait_until(lambda: agent.acked() >= count, 120, "everything to arrive in Kafka")
            after = agent.cpu_seconds()
            agent.stop()
        loop.append((after["loop"] - before["loop"]) / count * 1e6)
        rdkafka = sum(seconds for name, seconds in after.items() if name != "loop")
        threads.append(rdkafka / count * 1e6)
    with DevBroker(bench.programs, bench.folder / "stages-kafka") as kafka:
        stages = json.loads(bench.run("stage_bench", "--json", env={"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap}))
    stages["threads"] = median(threads)
    behind = sum(stages.values())
    total = [a + b for a, b in zip(loop, threads)]
    bench.row("agent's CPU a record, MQTT to Kafka / discarding subscriber's", spread([a / b for a, b in zip(total, null)]),
              "≤ 1.3")
    bench.row("the same in µs", f"{median(total):.1f} / {median(null):.1f}")
    bench.row("all stages after MQTT, µs", f"{behind:.1f}", "≤ 8")
    for name, text in STAGES.items():
        bench.row(f"· {text}", f"{stages[name]:.2f}")
    bench.row("· MQTT: libmosquitto, its system calls, the loop (the rest)", f"{median(total) - behind:.2f}")
