"""The texts that `tokentail service install` writes: the unit of this installation, and a configuration to begin with."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

SHIPPED_EXECUTABLE: Final = "/opt/tokentail/bin/tokentail"
"""What the shipped unit runs, to be replaced by what is installed."""
STATE_DIRECTORY: Final = "/var/lib/tokentail"
"""What ``StateDirectory=tokentail`` makes."""

_STAMP: Final = re.compile(r"# Written by `tokentail service install`[^\n]* ([0-9a-f]{64})\n")
_GROUPS: Final = re.compile(r"^SupplementaryGroups=(.*)$", re.MULTILINE)
_RUNS: Final = re.compile(r'^ExecStart=(?:"([^"\n]+)"|(/\S+)) ', re.MULTILINE)
_NO_STATE_DIRECTORY: Final = 'state_directory = ""'


def unit(shipped: str, executable: str, groups: Sequence[str]) -> str:
    """Return the unit that runs ``executable`` with these groups, under a stamp that tells whether it was edited since."""
    text = shipped.replace(f"ExecStart={SHIPPED_EXECUTABLE} ", f"ExecStart={quoted(executable)} ")
    text = _GROUPS.sub(f"SupplementaryGroups={' '.join(groups)}", text)
    return f"# Written by `tokentail service install`, which replaces it only unedited: {_digest(text)}\n{text}"


def is_unedited(text: str) -> bool:
    """Whether a unit is as some version of ``unit`` wrote it."""
    stamp = _STAMP.match(text)
    return stamp is not None and stamp[1] == _digest(text[stamp.end() :])


def groups_of(text: str) -> tuple[str, ...]:
    """Return the groups that a unit gives the service."""
    return tuple(group for line in _GROUPS.findall(text) for group in line.split())


def executable_of(text: str) -> str | None:
    """Return the program that a unit runs, as ``quoted`` wrote it; None when it cannot be told."""
    found = _RUNS.search(text)
    return (found[1] or found[2]).replace("%%", "%") if found else None


def can_be_run(path: str) -> bool:
    """Whether systemd takes this for a program: quotes, backslashes and control characters it refuses."""
    return path.startswith("/") and path.isprintable() and not set(path) & set("\"'\\")


def quoted(path: str) -> str:
    """Write the path of a program as one word of systemd.service(5)."""
    path = path.replace("%", "%%")
    return f'"{path}"' if " " in path else path


def starting_config(sample: str) -> str:
    """Return the sample with the service's state named in it, so that `tokentail status` finds it without being told."""
    return sample.replace(_NO_STATE_DIRECTORY, f'state_directory = "{STATE_DIRECTORY}"')


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
