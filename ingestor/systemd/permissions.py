"""Whether the service, a user that owns nothing in a sandbox, can read a file; asked by root, before it is started."""

import grp
import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Final, NamedTuple

_HOMES: Final = "ProtectHome= hides home directories from the service"
_HIDDEN: Final = {
    Path("/home"): _HOMES,
    Path("/root"): _HOMES,
    Path("/run/user"): _HOMES,
    Path("/tmp"): "PrivateTmp= gives the service a /tmp of its own",  # noqa: S108 - named, not used
    Path("/var/tmp"): "PrivateTmp= gives the service a /var/tmp of its own",  # noqa: S108 - as above
}
"""What the sandbox of ``systemd/tokentail.service`` replaces."""


class Barrier(NamedTuple):
    """What keeps the service from a file."""

    place: Path
    """The file, or the directory on the way to it."""
    why: str
    group: str = ""
    """The group that would be let through, if that is all it takes."""

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


def first_barrier(path: Path, groups: Collection[int] = (), *, hidden: bool = True) -> Barrier | None:
    """Return what keeps a user of these groups from reading ``path``; None when nothing does, or nothing is there.

    ``hidden``: whether what the sandbox hides counts, too.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - keeps symlinks: they and what they lead to are looked at
    for whole in dict.fromkeys((path, path.resolve())):
        for directory, why in _HIDDEN.items():
            if hidden and whole.is_relative_to(directory):
                return Barrier(whole, why)
        for step in (*reversed(whole.parents), whole):
            if found := _closed(step, groups):
                return found
    return None


def _closed(step: Path, groups: Collection[int]) -> Barrier | None:
    """Return why this one file cannot be read, or this one directory not be searched."""
    try:
        found = step.stat()
    except OSError:
        return None
    search = stat.S_ISDIR(found.st_mode)
    by_others, by_group = (stat.S_IXOTH, stat.S_IXGRP) if search else (stat.S_IROTH, stat.S_IRGRP)
    member = found.st_gid in groups
    if found.st_mode & (by_group if member else by_others) or _has_acl(step):
        return None
    name = group_name(found.st_gid)
    why = f"mode {stat.S_IMODE(found.st_mode):04o}, group {name}"
    return Barrier(step, why, name if found.st_mode & by_group and not member else "")


def group_name(number: int) -> str:
    """Return a group's name, else its number."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def group_number(name: str) -> int | None:
    """Return a group's number; None when there is no such group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def _has_acl(path: Path) -> bool:
    """Whether the mode is not the whole truth; then the benefit of the doubt."""
    try:
        return bool(os.getxattr(path, "system.posix_acl_access"))
    except OSError:
        return False
