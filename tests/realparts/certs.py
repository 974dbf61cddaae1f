"""Makes a throw-away certificate authority, certificates for a server on localhost, for a server with
another name and for a client, and an authority that nobody trusts."""

import subprocess
from pathlib import Path


class Certificates:
    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._authority("ca")
        self._authority("stranger-ca")
        self._signed("server", "serverAuth", "DNS:localhost,IP:127.0.0.1")
        self._signed("elsewhere", "serverAuth", "DNS:elsewhere.example")
        self._signed("client", "clientAuth", "DNS:client")
        self.ca = folder / "ca.pem"
        self.stranger_ca = folder / "stranger-ca.pem"
        self.server, self.server_key = folder / "server.pem", folder / "server.key"
        self.elsewhere, self.elsewhere_key = folder / "elsewhere.pem", folder / "elsewhere.key"
        self.client, self.client_key = folder / "client.pem", folder / "client.key"
        self.server_both = (
            folder / "server-both.pem"
        )  # Kafka needs key and chain in one file.
        self.server_both.write_bytes(
            b"".join(f.read_bytes() for f in (self.server_key, self.server, self.ca))
        )

    def _openssl(self, *words: str):
        subprocess.run(
            ["openssl", *words],
            cwd=self._folder,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )

    def _authority(self, name: str):
        self._openssl(
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "30",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.pem",
            "-subj",
            f"/CN={name} of a test",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        )

    def _signed(self, name: str, usage: str, names: str):
        (self._folder / f"{name}.ext").write_text(
            f"subjectAltName={names}\nextendedKeyUsage={usage}\n"
        )
        self._openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
            "-subj",
            f"/CN={name}",
        )
        self._openssl(
            "x509",
            "-req",
            "-in",
            f"{name}.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "30",
            "-out",
            f"{name}.pem",
            "-extfile",
            f"{name}.ext",
        )
