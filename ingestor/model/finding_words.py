"""Findings in words: whom one is about, from where, for how long. The text within is an event's own, and clean since then."""

from collections.abc import Sequence
from typing import Final

from ingestor.model.finding import MOST_EXAMPLES, Severity, StoredFinding
from ingestor.model.words import counted

SIGNS: Final = {Severity.LOW: "▽", Severity.MEDIUM: "◆", Severity.HIGH: "▲", Severity.CRITICAL: "▲▲"}
"""As on the dashboard: colour alone says nothing to whoever does not see it."""
NAMED: Final = 2
"""Of several addresses or clients so many are named."""


def about(finding: StoredFinding) -> str:
    """Say whom a finding is about: a client with its realm, a user, or both; else the clients that took part."""
    client, realm, user = finding.true_client, finding.realm, finding.user_id
    named = f"{realm}/{client}" if realm and client else client
    if user:
        return f"user {user} at {named}" if named else f"user {user}" + (f" in realm {realm}" if realm else "")
    if named:
        return named
    clients = _some("client", finding.listed("clients"))
    return ", ".join(filter(None, (f"realm {realm}" if realm else "", clients))) or "no client"


def sources(finding: StoredFinding, most: int = NAMED) -> str:
    """Name the first addresses of a finding, and say how many more there are; empty where it has none."""
    return _named(finding.listed("ips"), most)


def evidence(finding: StoredFinding, most: int = NAMED, unit: str = "event") -> str:
    """Say how much it is made of, and from where that came. ``unit``: what its detector counts."""
    where = sources(finding, most)
    return counted(finding.events, unit) + (f" from {where}" if where else "")


def _some(noun: str, names: Sequence[str]) -> str:
    return f"{noun}{'' if len(names) == 1 else 's'} {_named(names, NAMED)}" if names else ""


def _named(names: Sequence[str], most: int) -> str:
    """Name some of a list of evidence, which ends at 20 however many there were."""
    if len(names) <= most:
        return " and ".join(names)
    more = f"{len(names) - most}{' or' if len(names) == MOST_EXAMPLES else ''} more"
    return f"{', '.join(names[:most])} and {more}"
