"""The servers whose logs the demo can write, by the name that ``--provider`` takes: a module each, and a line here."""

from typing import Final

from ingestor.demo.providers.contract import Kind, Line, Provider
from ingestor.demo.providers.keycloak import KEYCLOAK
from ingestor.demo.providers.native import NATIVE

__all__ = ["NATIVE", "PROVIDERS", "Kind", "Line", "Provider"]

PROVIDERS: Final[dict[str, Provider]] = {"native": NATIVE, "keycloak": KEYCLOAK}
