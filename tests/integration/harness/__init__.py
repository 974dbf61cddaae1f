"""The vocabulary of the integration tests: the programs under test, a fleet that publishes, and views
of Kafka and of what landed."""

from .api import TOKENS, ApiClient
from .clock import WallClock
from .fleet import Publisher, heartbeat
from .kafka_view import KafkaView
from .landing import MongoLanding, SqliteLanding, expect_once
from .programs import Agent, Program, Reader, binary, program_folder
from .site import Site
from .source import HttpSource
from .start import ALERT_MEMBERS, Start, members

__all__ = [
    "ALERT_MEMBERS",
    "TOKENS",
    "Agent",
    "ApiClient",
    "HttpSource",
    "KafkaView",
    "MongoLanding",
    "Program",
    "Publisher",
    "Reader",
    "Site",
    "SqliteLanding",
    "Start",
    "WallClock",
    "binary",
    "expect_once",
    "heartbeat",
    "members",
    "program_folder",
]
