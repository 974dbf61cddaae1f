"""An agent with a backlog: its start, memory, disk, drain, wire bytes, and how cost grows with it."""

import json
import time

from .bench import Bench, median, spread
from .parts import Agent, DevBroker, new_broker, wait_until

TOPIC = "telematics.raw.telematics_heartbeat"


def start(bench: Bench):
    agent = Agent(bench.programs, bench.backlog("start"))
    seconds = []
    for _ in range(bench.rounds):
        seconds.append(agent.start() * 1000)
        store = agent.status()["store"]
        agent.stop()
    stored = sum(store["records"].values())
    bench.row(f"start to READY with {stored:,} records in {store['batches']:,} batches, ms", spread(seconds, 0), "≤ 100")
    bench.row("bytes on disk per stored record in that backlog (peers 342–431)", f"{store['bytes'] / stored:.0f}", "≤ 60")


def memory(bench: Bench):
    """The largest of what is seen every 50 ms."""
    with new_broker(bench.folder / "memory-broker") as broker, DevBroker(bench.programs, bench.folder / "memory-kafka") as kafka:
        agent = Agent(bench.programs, bench.backlog("memory"), TIDEGATE_INPUT_MQTT=bench.topic_uri(broker.port))
        agent.start()
        agent.wait_connected()
        publisher = bench.publisher(broker.port, 0, 100)
        ingesting = most_memory(agent, 10)
        agent.stop()
        agent.env["TIDEGATE_KAFKA_BOOTSTRAP_SERVERS"] = kafka.bootstrap
        agent.start()
        draining = most_memory(agent, 60, lambda: agent.acked() >= bench.records)
        publisher.terminate()
        publisher.wait()
        agent.stop()
    for what, (pss, dirty) in (("ingesting 100 msg/s", ingesting), ("and draining", draining)):
        target = "≤ 12" if what == "and draining" else ""
        bench.row(f"PSS with {bench.records:,} records of backlog, {what}, MB", f"{pss:.1f} (private dirty {dirty:.1f})", target)


def most_memory(agent: Agent, seconds: float, done=lambda: False) -> tuple[float, float]:
    pss, dirty, end = 0.0, 0.0, time.monotonic() + seconds
    while time.monotonic() < end and not done():
        now = agent.memory()
        pss, dirty = max(pss, now[0]), max(dirty, now[1])
        time.sleep(0.05)
    return pss, dirty


def drain(bench: Bench):
    ours, raw = [], []
    for i in range(bench.rounds):
        with bench.new_kafka(f"drain{i}") as kafka:
            words = (kafka.bootstrap, f"{TOPIC}.raw", str(bench.records))
            bench.run("tidegate-bench-kafka-raw", kafka.bootstrap, f"{TOPIC}.raw", "10000")  # The topic, and a warm broker.
            result = json.loads(bench.run("tidegate-bench-kafka-raw", *words))
            raw.append(bench.records / result["seconds"])
            agent = Agent(bench.programs, bench.backlog(f"drain{i}"), TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap)
            agent.start()
            wait_until(lambda: agent.acked() > 0, 30, "the first record", every=0.01)
            begin, before = time.monotonic(), agent.acked()
            wait_until(lambda: agent.acked() >= bench.records, 600, "the backlog to drain", every=0.02)
            ours.append((bench.records - before) / (time.monotonic() - begin))
            agent.stop()
    bench.row(f"drain of {bench.records:,} records / librdkafka alone ({bench.kafka_name})",
              spread([a / b for a, b in zip(ours, raw)]), "≥ 0.9")
    bench.row("records/s: drain / librdkafka alone", f"{median(ours):,.0f} / {median(raw):,.0f}")


def wire(bench: Bench, seconds: int = 60, rate: int = 100):
    with DevBroker(bench.programs, bench.folder / "wire-kafka") as kafka:
        agent = Agent(bench.programs, bench.backlog("wire"), TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap)
        agent.start()
        wait_until(lambda: agent.acked() >= bench.records, 120, "the backlog to drain")
        sent, segments = agent.tcp_counters(kafka.bootstrap)
        agent.stop()
        bench.row("wire bytes a record, draining; with IP and TCP headers",
                  f"{sent / bench.records:.1f}; {(sent + 52 * segments) / bench.records:.1f}", "≤ 34")
        with new_broker(bench.folder / "wire-broker") as broker:
            live = bench.agent("live", TIDEGATE_INPUT_MQTT=bench.topic_uri(broker.port),
                               TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap)
            live.start()
            live.wait_connected()
            bench.publish(broker.port, 5 * rate, rate)
            count = seconds * rate
            acked, bytes_before = live.acked(), live.metric("tidegate_mqtt_bytes_total")
            before = live.tcp_counters(kafka.bootstrap)
            bench.publish(broker.port, count, rate)
            wait_until(lambda: live.acked() >= acked + count, 30, "the last of them")
            sent, segments = (now - then for now, then in zip(live.tcp_counters(kafka.bootstrap), before))
            payload = live.metric("tidegate_mqtt_bytes_total") - bytes_before
            live.stop()
        bench.row(f"the same live at {rate} msg/s ({payload / count:.0f}-byte payloads)",
                  f"{sent / count:.1f}; {(sent + 52 * segments) / count:.1f}", "≤ 45")


def scale(bench: Bench):
    """The store alone; what it prints is explained in store_bench.cc."""
    print(bench.run("store_bench", "scale"), flush=True)
