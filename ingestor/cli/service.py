"""``service install``, ``service uninstall``, ``service status``: tokentail under systemd."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import click

from ingestor.cli.render import service
from ingestor.cli.render.console import print_json, stdout
from ingestor.cli.support.options import PATH, json_option
from ingestor.config import load
from ingestor.errors import ExitCode, PermissionDeniedError, TokentailError
from ingestor.systemd import install as systemd_install
from ingestor.systemd.install import Host
from ingestor.systemd.systemctl_show import advice
from ingestor.systemd.unit import STATE_DIRECTORY

_TOLD_BY_SYSTEMD = "STATE_DIRECTORY"

root_option = click.option(
    "--root", type=PATH, metavar="DIR", help="Work on the files below DIR, for a package or an image; start nothing."
)


@click.group("service")
def service_group() -> None:
    """Run tokentail under systemd: install it, remove it, see how it is."""


@service_group.command(short_help="Write the unit and a first configuration.")
@click.option("--start", is_flag=True, help="Start it now, or start it anew.")
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="NAME",
    help="A group whose logs the service may read; repeatable.  [default: those it has, else adm]",
)
@click.option(
    "--executable",
    metavar="FILE",
    help="The tokentail that it runs, a path or a command on the PATH.  [default: the one it has, else this installation's]",
)
@click.option("--force", is_flag=True, help="Replace a unit that was edited.")
@root_option
def install(start: bool, groups: tuple[str, ...], executable: str | None, force: bool, root: Path | None) -> None:
    """Write the unit and a first configuration, and have the service started with the machine.

    Safe to repeat, and to be repeated after an upgrade: a configuration that is there is kept, an edited unit is not
    replaced without --force (exit code 1).
    """
    if start and root is not None:
        raise click.UsageError("--start and --root exclude each other: nothing runs below another root.")
    host = Host(root)
    with _faults_of_files():
        _tell(systemd_install.install(host, executable=executable, groups=groups, force=force))
        if not host.is_this:
            return
        read_as = _configuration(host / systemd_install.CONFIG)
        remarks = list(systemd_install.remarks(read_as.settings, systemd_install.groups_given(host))) if read_as else []
    service.remarks(stdout(), remarks)
    if start:
        systemd_install.start(host)
        _tell(iter(["Started"]))
    service.next_steps(stdout(), list(_next_steps(host, started=start, read_as=read_as)))


@service_group.command(short_help="Stop the service and remove it.")
@click.option("--purge", is_flag=True, help="Remove configuration, secrets and state too: every stored event.")
@root_option
def uninstall(purge: bool, root: Path | None) -> None:
    """Stop the service and remove its unit; configuration, drop-ins, secrets and state are kept.

    Safe to repeat.
    """
    with _faults_of_files():
        _tell(systemd_install.uninstall(Host(root), purge=purge))


@service_group.command()
@json_option
def status(as_json: bool) -> None:
    """Show how the service is, and what to do about it.

    Exit code 1 when it does not run.
    """
    found = systemd_install.look()
    what_to_do = list(advice(found))
    if as_json:
        print_json({**dataclasses.asdict(found), "good": found.good, "advice": what_to_do})
    else:
        service.service(stdout(), found, what_to_do)
    if not found.good:
        raise click.exceptions.Exit(ExitCode.BAD_ANSWER)


def _next_steps(host: Host, *, started: bool, read_as: load.Configuration | None) -> Iterator[tuple[str, str]]:
    configured = systemd_install.is_configured(host)
    if not configured:
        yield f"edit {host / systemd_install.CONFIG}", "name the logs to follow"
    if not started or not configured:
        yield "systemctl restart tokentail", "start it, or have it read that"
    yield "tokentail service status", "see how it is"
    found_by_default = read_as is None or read_as.origins["state_directory"] != _TOLD_BY_SYSTEMD
    where = "" if found_by_default else f" --state-dir {STATE_DIRECTORY}"
    yield f"tokentail status{where}", "see what it has read"
    yield "journalctl -u tokentail -f", "see what it says"


def _tell(done: Iterator[str]) -> None:
    for what in done:
        service.done(stdout(), what)


def _configuration(file: Path) -> load.Configuration | None:
    """Return the configuration as the service will read it; None, after saying why, when it will refuse it."""
    try:
        return load.load(file, environment={_TOLD_BY_SYSTEMD: STATE_DIRECTORY})
    except TokentailError as error:
        service.remarks(stdout(), [str(error)])
        return None


@contextlib.contextmanager
def _faults_of_files() -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise PermissionDeniedError(
            "This user may not do that here", where=str(error.filename), advice="Run it as root."
        ) from error
    except OSError as error:
        raise TokentailError(
            f"That file cannot be written: {error.strerror}",
            where=str(error.filename),
            advice="Is the disk full or read-only?",
        ) from error
