"""A view of Kafka through a client that shares no code with the programs under test."""

import time
from dataclasses import dataclass

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from realparts import wait_until

# A new broker may answer the first request about a group with these errors.
_TRANSIENT = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
)


@dataclass
class Message:
    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: dict[str, str]
    timestamp_ms: int | None  # None if the message has no timestamp.


def _write(user: str, topic: str, kind=AclBinding):
    return kind(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation.WRITE,
        AclPermissionType.ALLOW,
    )


class KafkaView:
    def __init__(self, bootstrap: str):
        # The client logs nothing, because these tests stop brokers on purpose.
        self._settings: dict[str, object] = {"bootstrap.servers": bootstrap, "log_level": 0}
        self._admin = AdminClient(self._settings)

    def create(self, *topics: str, partitions: int = 3, copies: int = 1, **config: object):
        wanted = [
            NewTopic(
                topic,
                partitions,
                copies,
                config={k.replace("_", "."): str(v) for k, v in config.items()},
            )
            for topic in topics
        ]
        for done in self._admin.create_topics(wanted, operation_timeout=20).values():
            done.result()

    def delete(self, topic: str):
        for done in self._admin.delete_topics([topic], operation_timeout=20).values():
            done.result()

    def add_partitions(self, topic: str, total: int):
        for done in self._admin.create_partitions([NewPartitions(topic, total)]).values():
            done.result()

    def partitions(self, topic: str) -> list[int]:
        found = self._admin.list_topics(topic, timeout=10).topics.get(topic)
        return sorted(found.partitions) if found and not found.error else []

    def leader(self, topic: str, partition: int) -> int:
        """Returns the node that leads the partition, or -1 if no leader is known at the moment."""
        try:
            found = self._admin.list_topics(topic, timeout=3)
        except KafkaException:  # It asked a broker that is down.
            return -1
        return found.topics[topic].partitions[partition].leader

    def allow(self, user: str, *topics: str):
        """Lets the user write to the topics."""
        for done in self._admin.create_acls([_write(user, topic) for topic in topics]).values():
            done.result()

    def forbid(self, user: str, *topics: str):
        """Revokes what allow() granted."""
        rules = [_write(user, topic, AclBindingFilter) for topic in topics]
        for done in self._admin.delete_acls(rules).values():
            done.result()

    def delete_before(self, topic: str, partition: int, offset: int):
        """Deletes messages at once, as retention does: the partition then begins at `offset`."""
        wanted = [TopicPartition(topic, partition, offset)]
        for done in self._admin.delete_records(wanted).values():
            done.result()

    def send(
        self,
        topic: str,
        value: bytes,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        partition: int = -1,
    ):
        producer = Producer(self._settings | {"linger.ms": 0})
        producer.produce(topic, value, key, partition, headers=list((headers or {}).items()))
        assert producer.flush(20) == 0, f"nothing was sent to {topic}"

    def send_all(self, topic: str, values: list[bytes]):
        producer = Producer(self._settings)
        for value in values:
            producer.produce(topic, value)
        assert producer.flush(20) == 0, f"not everything was sent to {topic}"

    def read(self, topic: str, seconds: float = 20) -> list[Message]:
        """Returns every message that is in the topic now, ordered by partition and offset."""
        partitions = self.partitions(topic)
        if not partitions:
            return []
        consumer = Consumer(
            self._settings
            | {
                "group.id": "view",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
            }
        )
        try:
            ends = {
                p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1]
                for p in partitions
            }
            consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
            return self._read_to(consumer, {p: end for p, end in ends.items() if end > 0}, seconds)
        finally:
            consumer.close()

    @staticmethod
    def _read_to(consumer: Consumer, ends: dict[int, int], seconds: float) -> list[Message]:
        got: list[Message] = []
        stop = time.monotonic() + seconds
        while ends and time.monotonic() < stop:
            for m in consumer.consume(1000, timeout=0.2):
                if m.error():
                    continue
                headers = {name: (value or b"").decode() for name, value in m.headers() or []}
                got.append(
                    Message(
                        m.topic(),
                        m.partition(),
                        m.offset(),
                        (m.key() or b"").decode(),
                        m.value() or b"",
                        headers,
                        m.timestamp()[1] if m.timestamp()[1] >= 0 else None,
                    )
                )
                if m.offset() + 1 >= ends.get(m.partition(), 0):
                    ends.pop(m.partition(), None)
        assert not ends, f"partitions not read to their end: {ends}"
        return sorted(got, key=lambda m: (m.partition, m.offset))

    def count(self, topic: str) -> int:
        return len(self.read(topic))

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Returns the offset that the group has committed in each partition, 0 if it has none."""
        partitions = [TopicPartition(topic, p) for p in self.partitions(topic)]
        wanted = [ConsumerGroupTopicPartitions(group, partitions)]

        def answer():
            try:
                asked = self._admin.list_consumer_group_offsets(wanted, request_timeout=10)
                return next(iter(asked.values())).result().topic_partitions
            except KafkaException as error:
                if error.args[0].code() in _TRANSIENT:
                    return None
                raise

        found = wait_until(answer, 20, f"offsets of {group}")
        return {p.partition: max(p.offset, 0) for p in found}
