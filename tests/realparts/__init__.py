"""Real servers for the tests, fetched with the ordinary package clients and run on loopback.
README.md describes them."""

from .certs import Certificates
from .kafka import Kafka, KafkaCluster
from .mongo import MongoJava, Secantus
from .mosquitto import Mosquitto
from .proxy import TcpProxy, refuse_mqtt5
from .server import Server, ServerError, free_ports, wait_until

__all__ = [
    "Certificates",
    "Kafka",
    "KafkaCluster",
    "MongoJava",
    "Mosquitto",
    "Secantus",
    "Server",
    "ServerError",
    "TcpProxy",
    "free_ports",
    "refuse_mqtt5",
    "wait_until",
]
