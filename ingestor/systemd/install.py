"""Install, remove and look at the systemd service: files below one root, and `systemctl` where that root is this machine."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import ingestor
from ingestor.assets import asset
from ingestor.config.schemes import scheme_of
from ingestor.config.settings import Settings
from ingestor.errors import PermissionDeniedError, TokentailError, UnavailableError
from ingestor.systemd import unit
from ingestor.systemd.permissions import first_barrier, group_number
from ingestor.systemd.systemctl_show import PROPERTIES, Service, parse

NAME: Final = "tokentail"
UNIT: Final = Path("etc/systemd/system/tokentail.service")
DROP_INS: Final = Path("etc/systemd/system/tokentail.service.d")
CONFIG: Final = Path("etc/tokentail/tokentail.toml")
CREDENTIALS: Final = tuple(
    Path("etc", store, f"tokentail.store-{secret}")
    for store in ("credstore", "credstore.encrypted")
    for secret in ("token", "password")
)
STATE: Final = (Path("var/lib/private/tokentail"), Path("var/lib/tokentail"))
"""Where it really is, and where its users look for it: a link, unless the user is a static one."""
BOOTED: Final = Path("/run/systemd/system")
"""There when systemd runs the machine (sd_booted(3))."""
DEFAULT_GROUP: Final = "adm"


class Host:
    """Where the service is installed: this machine, or a directory that will be the root of one."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or Path("/")
        self.is_this = root is None

    def __truediv__(self, path: Path) -> Path:
        return self.root / path

    def require(self) -> None:
        """Raise UnavailableError without systemd, PermissionDeniedError without root; not for another root."""
        if not self.is_this:
            return
        require_systemd()
        if os.geteuid() != 0:
            raise PermissionDeniedError(
                "Only root may change services", advice="Run it with sudo, or try it with --root DIR first."
            )

    def systemctl(self, *words: str) -> bool:
        """Run systemctl; return whether all is well. Not for another root, where nothing runs."""
        return not self.is_this or _systemctl(*words).returncode == 0

    def demand(self, *words: str) -> None:
        """Run systemctl. Raises TokentailError with its own words when it fails."""
        if self.is_this and (ran := _systemctl(*words)).returncode != 0:
            raise TokentailError(
                f"`systemctl {' '.join(words)}` failed: {ran.stderr.strip()}",
                advice="`tokentail service status` says what to do.",
            )


def install(
    host: Host, *, executable: str | None = None, groups: Sequence[str] = (), force: bool = False
) -> Iterator[str]:
    """Write unit and first configuration, have it started with the machine; yield what was done. Safe to repeat.

    ``executable``: a path, or a command that the PATH leads to. Without it, it runs what it ran, else this installation; without
    ``groups`` it keeps those that it has.

    Raises TokentailError when the service could not run that, or the unit was edited.
    """
    host.require()
    path = host / UNIT
    old = path.read_text("utf-8") if path.exists() else None
    kept = _kept_executable(host, old) if executable is None else None
    runs = _found(executable) if executable is not None else kept or this_executable()
    if not unit.can_be_run(str(runs)):
        raise TokentailError("systemd runs no program of such a name", where=str(runs))
    _refuse_bad_groups(groups, exist=host.is_this)
    if host.is_this:
        refuse_the_unreachable(runs, whole_installation=executable is None and kept is None)
    new = unit.unit(asset("systemd/tokentail.service").read_text("utf-8"), str(runs), groups or _groups(host, old))
    if old is not None and old != new and not unit.is_unedited(old) and not force:
        raise TokentailError(
            "The unit was edited, and is left as it is",
            where=str(path),
            advice="Move your changes to a drop-in (`systemctl edit tokentail`), then use --force to have it replaced.",
        )
    if old != new:
        _write(path, new)
    yield f"{'Wrote' if old is None else 'Replaced' if old != new else 'Unchanged:'} {path}"
    if kept is not None and kept != _this_executable():
        yield f"It runs {kept}, as before; --executable names another one"
    yield _first_configuration(host / CONFIG)
    if not host.is_this:
        return
    host.demand("daemon-reload")
    host.demand("enable", "--quiet", NAME)
    yield "Enabled: it starts with the machine"


def start(host: Host) -> None:
    """Start it, or start it anew, which an upgrade needs. Raises TokentailError when it does not get ready."""
    host.demand("restart", NAME)


def groups_given(host: Host) -> tuple[str, ...]:
    """Return the groups that the installed unit gives the service."""
    return unit.groups_of((host / UNIT).read_text("utf-8"))


def is_configured(host: Host) -> bool:
    """Whether somebody has touched the first configuration."""
    return (host / CONFIG).read_text("utf-8") != _first_text()


def uninstall(host: Host, *, purge: bool = False) -> Iterator[str]:
    """Stop the service and remove it; yield what was done. ``purge``: what was configured and stored, too. Safe to repeat."""
    host.require()
    path = host / UNIT
    if path.exists() or path.is_symlink():
        host.demand("disable", "--now", "--quiet", NAME)
        path.unlink()
        host.demand("daemon-reload")
        host.systemctl("reset-failed", NAME)
        yield f"{'Stopped, and removed' if host.is_this else 'Removed'} {path}"
    else:
        yield f"Not installed: there is no {path}"
    left = [host / part for part in (DROP_INS, CONFIG.parent, *CREDENTIALS, *STATE)]
    for kept in (part for part in left if part.exists() or part.is_symlink()):
        if purge:
            shutil.rmtree(kept) if kept.is_dir() and not kept.is_symlink() else kept.unlink()
        yield f"{'Removed' if purge else 'Kept'} {kept}"
    if purge:
        host.demand("daemon-reload")  # a drop-in alone is still a unit to systemd


def look() -> Service:
    """Return how the service is. Raises UnavailableError without systemd, TokentailError."""
    require_systemd()
    shown = _systemctl("show", f"{NAME}.service", f"--property={','.join(PROPERTIES)}")
    if shown.returncode != 0:
        raise UnavailableError(
            f"systemd does not answer: {shown.stderr.strip()}", advice="Is the system bus running? Try it as root."
        )
    return parse(shown.stdout, time.monotonic())


def require_systemd() -> None:
    """Raise UnavailableError unless systemd runs this machine."""
    if not BOOTED.is_dir() or shutil.which("systemctl") is None:
        raise UnavailableError(
            "systemd does not run this machine",
            advice="Have your service manager or container run `tokentail run`; it stops at SIGTERM. "
            "`tokentail service install --root DIR` writes the unit for another machine.",
        )


def _found(executable: str) -> Path:
    """Return the path of a program that was named as a shell takes it. Raises TokentailError."""
    if "/" in executable:
        return Path(executable).absolute()
    found = shutil.which(executable)
    if found is None:
        raise TokentailError(
            f"The PATH leads to no program {executable!r}",
            advice="Name it by its whole path, such as --executable /opt/tokentail/bin/tokentail.",
        )
    return Path(found).absolute()


def _kept_executable(host: Host, installed: str | None) -> Path | None:
    """Return what an installed unit runs; None when there is none, or its program is gone."""
    runs = unit.executable_of(installed) if installed is not None else None
    if runs is None or (host.is_this and not Path(runs).exists()):
        return None
    return Path(runs)


def _this_executable() -> Path:
    return Path(sysconfig.get_path("scripts")).absolute() / NAME


def this_executable() -> Path:
    """Return the command of this installation."""
    path = _this_executable()
    if not path.exists():
        raise TokentailError(
            "This installation has no `tokentail` command",
            where=str(path),
            advice="Install it with pip, or use --executable.",
        )
    return path


def refuse_the_unreachable(executable: Path, *, whole_installation: bool) -> None:
    """Raise TokentailError when the service could not run this. ``whole_installation``: its Python and modules as well."""
    modules = (Path(sys.executable), Path(os.__file__), Path(ingestor.__file__)) if whole_installation else ()
    if not executable.is_file():
        raise TokentailError("There is no such program", where=str(executable))
    for path in (executable, *modules):
        if found := first_barrier(path):
            raise TokentailError(
                "The service could not run this installation of tokentail",
                where=str(found),
                advice="Install it where every user can read it: `python3 -m venv /opt/tokentail`, "
                "`/opt/tokentail/bin/pip install ...`, then `/opt/tokentail/bin/tokentail service install`.",
            )


def remarks(settings: Settings, groups: Sequence[str]) -> Iterator[str]:
    """Yield what in these settings will not work in the service, with these groups of its unit."""
    numbers = {number for group in groups if (number := group_number(group)) is not None}
    store = settings.store
    for option, file in (("token_file", store.token_file), ("password_file", store.password_file)):
        if file is not None:
            yield (
                f"store.{option}: no file is owned by a user that exists only while the service runs. Leave it out, and "
                f"put the secret into /etc/credstore/tokentail.store-{option.removesuffix('_file')} (root's, mode 0600)."
            )
    files = [
        settings.config_file,
        store.ca_file,
        *(Path(entry.path) for entry in settings.logs if not scheme_of(entry.path)),
    ]
    for file in filter(None, files):
        if found := first_barrier(file, numbers):
            words = " ".join(f"--group {group}" for group in (*groups, found.group))
            cure = f". `tokentail service install {words} --start` lets it." if found.group else ""
            yield f"The service cannot read {found}{cure}"
    if settings.state_directory != Path(unit.STATE_DIRECTORY):
        yield f"state_directory is {settings.state_directory}, but the service can write {unit.STATE_DIRECTORY} only."


def _refuse_bad_groups(groups: Sequence[str], *, exist: bool) -> None:
    """Raise TokentailError for what is no name of a group, or a group that does not exist: the unit would fail."""
    for group in groups:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", group) or (exist and group_number(group) is None):
            raise TokentailError(f"There is no group {group!r}", advice="`getent group` lists those of this machine.")


def _groups(host: Host, installed: str | None) -> tuple[str, ...]:
    """Return the groups of the service that nobody named: those it has, else the usual one where that exists."""
    if installed is not None:
        return unit.groups_of(installed)
    return (DEFAULT_GROUP,) if not host.is_this or group_number(DEFAULT_GROUP) is not None else ()


def _first_configuration(path: Path) -> str:
    if path.exists():
        return f"Kept {path}"
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
        path.parent.chmod(0o755)  # whatever the umask: the service is nobody in particular
    _write(path, _first_text())
    return f"Wrote {path}"


def _first_text() -> str:
    return unit.starting_config(asset("config/tokentail.toml").read_text("utf-8"))


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by all: no secret is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o644)
    new.replace(path)


def _systemctl(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemctl") or "systemctl"
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)  # noqa: S603 - words are ours
