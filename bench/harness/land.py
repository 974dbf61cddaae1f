"""Measures landing from Kafka against libmongoc alone on the same server."""

import json

from .bench import Bench, median, spread
from .parts import Secantus
from .reader import Reader, fill, new_kafka

STAGES = {
    "poll": "poll: librdkafka, called by the worker",
    "fetch": "librdkafka, its own threads",
    "decode": "decode: message to document",
    "batch": "batch: kept, settled, offsets",
    "bson": "BSON",
    "write": "write: libmongoc, the command, its reply",
}


def land(bench: Bench, count: int = 200_000):
    ours, raw, again, raw_again, cpu, raw_cpu = [], [], [], [], [], []
    with new_kafka(bench, "land") as kafka, Secantus(bench.new_folder("land-mongo")) as mongo:
        fill(bench, kafka, count, f"--cycle={count}")

        def baseline(database: str) -> dict:
            return json.loads(bench.run("tidegate-bench-mongo-raw", mongo.url, database, str(count)))

        def reader(name: str, database: str) -> tuple[float, float]:
            return Reader(bench, name, kafka.bootstrap, mongo.url, database).land(count)

        for i in range(bench.rounds):
            for rates, cpus, twice in ((raw, raw_cpu, False), (raw_again, None, True)):
                result = baseline(f"raw{i}")
                assert (result["refused"] if twice else result["inserted"]) == count, result
                rates.append(count / result["seconds"])
                if cpus is not None:
                    cpus.append(result["cpu_seconds"] / count * 1e6)
            rate, seconds = reader(f"land{i}", f"ours{i}")
            ours.append(rate)
            cpu.append(seconds * 1e6)
            again.append(reader(f"again{i}", f"ours{i}")[0])
        stages = json.loads(bench.run("reader_stage_bench", "--json", env={
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap, "MONGO_URL": mongo.url}))
    bench.row("landed documents / libmongoc alone inserting the same, SecantusDB", spread([a / b for a, b in zip(ours, raw)]), "≥ 0.9")
    bench.row("documents/s: reader / libmongoc alone", f"{median(ours):,.0f} / {median(raw):,.0f}")
    bench.row("duplicates / new ones, reader", spread([a / b for a, b in zip(again, ours)]), "≥ 1")
    bench.row("duplicates / libmongoc alone inserting the same once more", spread([a / b for a, b in zip(again, raw_again)]))
    bench.row("CPU a document, all threads: reader / libmongoc alone, µs", f"{median(cpu):.1f} / {median(raw_cpu):.1f}", "≤ 8")
    for name, text in STAGES.items():
        bench.row(f"· {text}", f"{stages[name]:.2f}")
    bench.row("· all stages", f"{sum(stages.values()):.2f}")
