"""What the integration tests are written with: the programs under test, a fleet that publishes, and
views of what landed."""

from .api import TOKENS, ApiClient
from .clock import WallClock
from .fleet import Publisher, heartbeat
from .kafka_view import KafkaView
from .landing import MongoLanding, SqliteLanding, expect_once
from .programs import Agent, Program, Reader, binary, program_folder
from .site import Site

__all__ = [
    "TOKENS",
    "Agent",
    "ApiClient",
    "KafkaView",
    "MongoLanding",
    "Program",
    "Publisher",
    "Reader",
    "Site",
    "SqliteLanding",
    "WallClock",
    "binary",
    "expect_once",
    "heartbeat",
    "program_folder",
]
