"""Eclipse Mosquitto from Debian's package."""

import shutil
import subprocess
from pathlib import Path

from .certs import Certificates
from .server import Server, exchange, free_ports

# An MQTT 3.1.1 CONNECT. A broker that refuses it has started, too.
_CONNECT = b"\x10\x11\0\x04MQTT\x04\x02\0\x0a\0\x05probe"


class Mosquitto(Server):
    """A broker that anyone on loopback may use, unless `users` are given. With certificates it also
    listens for TLS at `tls_port`."""

    def __init__(
        self,
        folder: Path,
        persist: bool = False,
        users: dict[str, str] | None = None,
        certificates: Certificates | None = None,
        extra: str = "",
    ):
        super().__init__("mosquitto", folder)
        self.port, self.tls_port = free_ports(2)
        self._config = folder / "mosquitto.conf"
        lines = ["user root", f"listener {self.port} 127.0.0.1", *self._access(users)]
        if certificates:
            lines += [
                f"listener {self.tls_port} 127.0.0.1",
                f"cafile {certificates.ca}",
                f"certfile {certificates.server}",
                f"keyfile {certificates.server_key}",
            ]
        if persist:
            # The broker saves every second: SIGKILL loses at most about a second of what it
            # acknowledged.
            lines += ["persistence true", f"persistence_location {folder}/", "autosave_interval 1"]
        # A gateway's broker must not limit the messages that wait for an agent that is restarting.
        lines += [
            "max_queued_messages 0",
            "max_inflight_messages 100",
            "set_tcp_nodelay true",
            "log_dest stdout",
            "log_type error",
            "log_type warning",
            "log_type notice",
            extra,
        ]
        self._config.write_text("\n".join(lines) + "\n")

    def _access(self, users: dict[str, str] | None) -> list[str]:
        if not users:
            return ["allow_anonymous true"]
        passwords = self.folder / "passwords"
        passwords.touch(mode=0o600)
        for name, password in users.items():
            subprocess.run(
                ["mosquitto_passwd", "-b", passwords, name, password],
                check=True,
                stdin=subprocess.DEVNULL,
            )
        return ["allow_anonymous false", f"password_file {passwords}"]

    def command(self) -> list[str]:
        return [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(self._config)]

    def answers(self) -> bool:
        return exchange(self.port, _CONNECT, 4)
