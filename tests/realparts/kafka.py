"""Apache Kafka from Maven artifacts: one broker that is its own controller (KRaft), or three."""

import socket
import subprocess
from pathlib import Path

from . import install
from .certs import Certificates
from .server import Server, ServerError, free_ports, tail

HERE = Path(__file__).parent
# The cluster id, 16 bytes in unpadded URL-safe base64. It is constant, so that a broker can be
# started again on the same folder.
_CLUSTER = "dGlkZWdhdGUtdGVzdHMtMQ"

# These make the broker small and quick: one copy of everything, no rebalance delay, topics created
# on first use.
_PROPERTIES = """\
process.roles=broker,controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
auto.create.topics.enable=true
num.partitions=3
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=3
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=2097152
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
"""

_ACCESS_LISTS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}


class Kafka(Server):
    """A broker. `bootstrap` is its PLAINTEXT listener. With certificates and users it also listens for
    SASL_SSL with PLAIN at `secure_bootstrap`. With `access_lists` those users may do only what an ACL
    allows, and clients of PLAINTEXT may do everything. `properties` override the defaults. `node` is
    the broker's number among `controllers`, the controller ports of its quorum (KafkaCluster)."""

    def __init__(
        self,
        folder: Path,
        certificates: Certificates | None = None,
        users: dict[str, str] | None = None,
        access_lists: bool = False,
        properties: dict[str, str] | None = None,
        address: str = "127.0.0.1",
        node: int = 1,
        controllers: list[int] | None = None,
    ):
        super().__init__("kafka", folder)
        self.home = install.kafka()
        self.node = node
        self.port, own_controller, self._secure = free_ports(3)
        self._controllers = controllers or [own_controller]
        self.address = address
        self.bootstrap = f"{address}:{self.port}"
        self.secure_bootstrap = f"localhost:{self._secure}"
        self._config = folder / "server.properties"
        more = {} if not access_lists else dict(_ACCESS_LISTS)
        more |= properties or {}
        lines = "".join(f"{name}={value}\n" for name, value in more.items())
        self._config.write_text(_PROPERTIES + self._listeners(certificates, users or {}) + lines)

    def _listeners(self, certificates: Certificates | None, users: dict[str, str]) -> str:
        plain = f"PLAINTEXT://{self.bootstrap}"
        secure = f",SASL_SSL://localhost:{self._secure}" if certificates else ""
        voters = ",".join(f"{i}@127.0.0.1:{port}" for i, port in enumerate(self._controllers, 1))
        controller = self._controllers[self.node - 1]
        lines = [
            f"node.id={self.node}",
            f"controller.quorum.voters={voters}",
            f"listeners={plain},CONTROLLER://127.0.0.1:{controller}{secure}",
            f"advertised.listeners={plain}{secure}",
            f"log.dirs={self.folder}/logs",
        ]
        if certificates:
            known = " ".join(f'user_{name}="{password}"' for name, password in users.items())
            lines += [
                "sasl.enabled.mechanisms=PLAIN",
                "listener.name.sasl_ssl.plain.sasl.jaas.config="
                f"org.apache.kafka.common.security.plain.PlainLoginModule required {known};",
                "ssl.keystore.type=PEM",
                f"ssl.keystore.location={certificates.server_both}",
                "ssl.truststore.type=PEM",
                f"ssl.truststore.location={certificates.ca}",
            ]
        return "\n".join(lines) + "\n"

    def _java(self, *words: str) -> list[str]:
        archive = self.home / "classes.jsa"
        shared = (
            [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
            if archive.exists()
            else []
        )
        return [
            "java",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
            "-cp",
            f"{self.home}/libs/*",
            *shared,
            *words,
        ]

    def command(self) -> list[str]:
        if not (self.folder / "logs" / "meta.properties").exists():
            self._format()
        return self._java("-Xms64m", "-Xmx320m", "kafka.Kafka", str(self._config))

    def _format(self):
        with self.log.open("ab") as out:
            done = subprocess.run(
                self._java(
                    "-Xmx128m",
                    "kafka.tools.StorageTool",
                    "format",
                    "-t",
                    _CLUSTER,
                    "-c",
                    str(self._config),
                    "--ignore-formatted",
                ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                check=False,
            )
        if done.returncode != 0:
            raise ServerError(f"kafka's folder could not be formatted:\n{tail(self.log)}")

    def answers(self) -> bool:
        # Metadata (key 3, version 1) for no topic: in the reply the number of brokers follows the
        # length and the correlation id.
        request = bytes.fromhex("0003000100000001ffff00000000")
        with socket.create_connection((self.address, self.port), timeout=2) as link:
            link.settimeout(2)
            link.sendall(len(request).to_bytes(4, "big") + request)
            reply = link.recv(4096)
        return len(reply) >= 12 and int.from_bytes(reply[8:12], "big") >= 1

    def create_topic(self, name: str, partitions: int = 1, **config: object):
        """Creates a topic; `config` has its settings, with _ for the dots of their names."""
        settings = [_text(key.replace("_", ".")) + _text(str(value)) for key, value in config.items()]
        # CreateTopics (key 19, version 2) without a client's name: one topic with one copy of each partition.
        request = b"\0\x13\0\2\0\0\0\1\xff\xff" + _array([
            _text(name) + partitions.to_bytes(4, "big") + b"\0\1" + _array([]) + _array(settings)
        ]) + (10_000).to_bytes(4, "big") + b"\0"
        with socket.create_connection((self.address, self.port), timeout=20) as link:
            link.sendall(len(request).to_bytes(4, "big") + request)
            reply = link.makefile("rb")
            answer = reply.read(int.from_bytes(reply.read(4), "big"))
        # The error of the only topic follows the correlation id, a time, the count and the name.
        code = int.from_bytes(answer[14 + len(name) :][:2], "big", signed=True)
        if code != 0:
            raise ServerError(f"kafka does not create topic {name}: error {code}")


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _array(elements: list[bytes]) -> bytes:
    return len(elements).to_bytes(4, "big") + b"".join(elements)


class KafkaCluster:
    """Three brokers that keep three copies of everything and accept a write when two have it, like a
    production cluster. They are started together, because one alone does not answer."""

    _COPIES = {
        "default.replication.factor": "3",
        "min.insync.replicas": "2",
        "offsets.topic.replication.factor": "3",
        "transaction.state.log.replication.factor": "3",
        "unclean.leader.election.enable": "false",
    }

    def __init__(self, folder: Path):
        controllers = free_ports(3)
        self.brokers = [
            Kafka(
                folder / f"kafka{node}",
                properties=self._COPIES,
                node=node,
                controllers=controllers,
            )
            for node in (1, 2, 3)
        ]
        self.bootstrap = ",".join(broker.bootstrap for broker in self.brokers)

    def __enter__(self):
        for broker in self.brokers:
            broker.launch(broker.command())
        for broker in self.brokers:
            broker.await_answer()
        return self

    def __exit__(self, *_):
        for broker in self.brokers:
            broker.kill()  # SIGTERM would let the last one wait for a quorum that has ended.


def warm_up(folder: Path):
    """Runs a broker once, so that Java archives the classes that it loads. This halves the time of
    every later start."""
    archive = install.kafka() / "classes.jsa"
    if archive.exists():
        return
    broker = Kafka(folder)
    usual = broker.command
    part = archive.with_suffix(".part")
    broker.command = lambda: (c := usual())[:1] + [f"-XX:ArchiveClassesAtExit={part}"] + c[1:]
    with broker:
        pass
    if part.exists():
        part.rename(archive)
