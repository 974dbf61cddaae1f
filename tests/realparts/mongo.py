"""Servers that speak MongoDB's wire protocol. No package registry has a real mongod; README.md says
what each of these can stand for."""

from pathlib import Path

from . import install
from .server import Server, exchange, free_ports

# {ping: 1, $db: "admin"} as one OP_MSG; any reply has a 16-byte header.
_PING = (
    b"\x33\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x1e\0\0\0\x10ping\0\x01\0\0\0"
    b"\x02$db\0\x06\0\0\0admin\0\0"
)


class _MongoServer(Server):
    def __init__(self, name: str, folder: Path):
        super().__init__(name, folder)
        (self.port,) = free_ports(1)
        self.url = f"mongodb://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        return exchange(self.port, _PING, 16)


class Secantus(_MongoServer):
    """SecantusDB, which looks to drivers like the primary of a replica set. It stores on disk; with
    --sync-on-commit SIGKILL loses nothing that was acknowledged."""

    def __init__(self, folder: Path):
        super().__init__("secantus", folder)
        self.home = install.secantus()

    def command(self) -> list[str]:
        return [
            f"{self.home}/bin/secantusd-py",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--storage-path",
            f"{self.folder}/wt",
            "--cache-size",
            "128M",
            "--log-level",
            "WARNING",
            "--sync-on-commit",
            "--enable-test-commands",
        ]


class MongoJava(_MongoServer):
    """mongo-java-server, which behaves like an old standalone server (wire version 8, no `hello`, no
    sessions) and stores in memory."""

    def __init__(self, folder: Path):
        super().__init__("mongo-java", folder)
        self.home = install.mongo_java()

    def command(self) -> list[str]:
        return [
            "java",
            "-Xms32m",
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",
            "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            f"{self.home}/libs/*:{self.home}/classes",
            "MongoJava",
            str(self.port),
        ]
