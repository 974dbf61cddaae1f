"""Measures an agent with a backlog: start, memory, disk, drain, wire bytes, and how costs grow with the backlog."""

import json
import time

from .bench import Bench, median, spread
from .parts import TOPIC, Agent, DevBroker, new_broker, wait_until

SIZES = ("10000", "1000000", "10000000")


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
    """Reports the largest of samples taken every 50 ms."""
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
            bench.run("tidegate-bench-kafka-raw", kafka.bootstrap, f"{TOPIC}.raw", "10000")  # Makes the topic, warms the broker.
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


def wire(bench: Bench):
    with DevBroker(bench.programs, bench.folder / "wire-kafka") as kafka:
        agent = Agent(bench.programs, bench.backlog("wire"), TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap)
        agent.start()
        wait_until(lambda: agent.acked() >= bench.records, 120, "the backlog to drain")
        wire_row(bench, "wire bytes a record, draining, 3 partitions", agent.tcp_counters(kafka.bootstrap), bench.records, "≤ 34")
        agent.stop()
    for partitions in (1, 3):
        wire_live(bench, partitions)


def wire_live(bench: Bench, partitions: int, seconds: int = 60, rate: int = 100):
    count, name = seconds * rate, f"live{partitions}"
    with (new_broker(bench.folder / f"{name}-broker") as broker,
          DevBroker(bench.programs, bench.folder / f"{name}-kafka", partitions) as kafka):
        agent = bench.agent(name, TIDEGATE_INPUT_MQTT=bench.topic_uri(broker.port),
                            TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap)
        agent.start()
        agent.wait_connected()
        bench.publish(broker.port, 5 * rate, rate)
        wait_until(lambda: agent.acked() >= 5 * rate, 30, "the warm-up to arrive")
        before, bytes_before = agent.tcp_counters(kafka.bootstrap), agent.metric("tidegate_mqtt_bytes_total")
        bench.publish(broker.port, count, rate)
        wait_until(lambda: agent.acked() >= 5 * rate + count, 30, "the last of them")
        sent = tuple(now - then for now, then in zip(agent.tcp_counters(kafka.bootstrap), before))
        payload = (agent.metric("tidegate_mqtt_bytes_total") - bytes_before) / count
        agent.stop()
    partitions_text = "1 partition" if partitions == 1 else f"{partitions} partitions"
    wire_row(bench, f"live at {rate} msg/s of {payload:.0f} bytes, {partitions_text}", sent, count, "≤ 45")


def wire_row(bench: Bench, what: str, sent: tuple[int, int], count: int, target: str):
    payload, segments = sent
    bench.row(f"{what}: TCP payload; with IP and TCP headers",
              f"{payload / count:.1f}; {(payload + 52 * segments) / count:.1f}", target)


def scale(bench: Bench):
    """Runs the store alone; store_bench.cc explains what it prints."""
    text = bench.run("store_bench", "backlog", *SIZES, env={"TMPDIR": str(bench.folder)})
    print(f"\n```\n{text}```", flush=True)
