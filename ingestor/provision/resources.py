"""The things that Grafana is given, the same whether they are wanted or found (pure)."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, NamedTuple

FOLDER_UID: Final = "tokentail"
DATA_SOURCE_UID: Final = "tokentail"
PREFIX: Final = "tokentail-"
"""How the uids of all that is ours begin, the folder and the data source apart."""
TAG: Final = "tokentail"
"""The mark of our dashboards. One that has it under a uid of ours, whoever edited it, is ours."""
MANAGED_BY: Final = "managed_by"
"""The label of our rules, and the key in the data source's options, whose value is ``TAG``."""


class Kind(StrEnum):
    """In the order in which they are made: each needs those before it."""

    FOLDER = "folder"
    DATA_SOURCE = "data source"
    CONTACT_POINT = "contact point"
    DASHBOARD = "dashboard"
    RULE_GROUP = "rule group"
    RULE = "alert rule"
    """One of ours that no rule group should have: rules are made as groups, and go one by one."""


class Resource(NamedTuple):
    """One thing in Grafana."""

    kind: Kind
    uid: str
    """Of a rule group: its name, which is all the identity that it has."""
    title: str
    body: dict[str, Any]
    """What is compared and shown to people; it holds no secret."""
    secrets: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple's default, never changed
    """What goes along when it is written, and cannot be read back."""
    locked: bool = True
    """Whether it can only be changed by the API: the provenance of rules. A contact point keeps the one of its making."""


class Existing(NamedTuple):
    """A thing that is there."""

    thing: Resource
    others: str = ""
    """Why it is somebody else's; empty: it carries our mark."""
    in_use: str = ""
    """By what of somebody else's it is used, so that it cannot go."""


def by_uid(rules: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rules of a group in the order in which they are compared: theirs means nothing."""
    return sorted(rules, key=lambda rule: str(rule["uid"]))


def rules_of(group: Resource) -> list[dict[str, Any]]:
    """Return the rules of a group."""
    rules: list[dict[str, Any]] = group.body["rules"]
    return rules
