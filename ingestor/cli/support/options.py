"""Options that several commands share, and the types of their values."""

import functools
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from ingestor.config import load
from ingestor.config.settings import Settings
from ingestor.config.values import NotAcceptedError, time_zone_name
from ingestor.model.moments import FORMS, moment
from ingestor.model.questions import Filters, Period
from parsers.contract import ERRORS, OUTCOMES
from parsers.near_miss import did_you_mean
from parsers.redaction.identifiers import Identifiers
from parsers.text import normal_field, normal_tag

Command = TypeVar("Command", bound=Callable[..., Any])

BEGINNING_OF_TIME = 0
END_OF_TIME = 9_214_646_400_000_000_000
"""1970, before which no event is stored, and 2262, behind which 64 bits hold no nanosecond: year 1 to 9999 means everything."""


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases of click alone
    """A point in time as people write it. It is one once the time zone is known, which the configuration may say."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text. Raises click.BadParameter for what is no time in any zone."""
        if moment(str(value), time.time_ns(), "UTC") is None:
            self.fail(f"{value!r} is no time; it is written {FORMS}", param, ctx)
        return str(value)


class Zone(click.ParamType):  # type: ignore[type-arg]
    """A time zone, as `time_zone` in the configuration."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return its name. Raises click.BadParameter."""
        try:
            return time_zone_name(value)
        except NotAcceptedError as error:
            self.fail(f"{value!r} {error}", param, ctx)


class Word(click.ParamType):  # type: ignore[type-arg]
    """A word of a closed set, with a hint for a near miss."""

    def __init__(self, name: str, words: tuple[str, ...], prefix: str = "") -> None:
        """``prefix`` may be left out by the user (``refreshed`` for ``token.refreshed``)."""
        self.name = name
        self._words = words
        self._prefix = prefix

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word. Raises click.BadParameter."""
        word = next((word for word in (value, self._prefix + value) if word in self._words), None)
        if word is not None:
            return str(word)
        hint = did_you_mean(value, self._words) or did_you_mean(self._prefix + value, self._words)
        raise click.BadParameter(
            f"{value!r} is no {self.name}{hint or '; they are ' + ', '.join(self._words)}", ctx=ctx, param=param
        )


class Address(click.ParamType):  # type: ignore[type-arg]
    """An IP address, in the canonical text that is stored."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the canonical text. Raises click.BadParameter."""
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            self.fail(f"{value!r} is no IP address", param, ctx)


ACTION = Word("action", tuple(OUTCOMES), "token.")
OUTCOME = click.Choice(sorted(set(OUTCOMES.values())))
ERROR = Word("error", (*sorted(ERRORS), "other"))

PATH = click.Path(path_type=Path, readable=False)
"""Not click's own look at it, which calls a missing permission wrong usage: whoever opens it knows better what to say."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


config_option = click.option(
    "--config",
    "config_file",
    type=PATH,
    metavar="FILE",
    help=f"The config file.  [default: {load.SYSTEM_CONFIG} when there]",
)
state_directory_option = click.option(
    "--state-dir",
    "state_directory",
    type=PATH,
    metavar="DIR",
    help="The state directory, instead of the config's.",
)


def settings_options(command: Command) -> Command:
    """Add --config and --state-dir; the command gets ``settings``."""

    @config_option
    @state_directory_option
    @functools.wraps(command)
    def with_settings(*args: Any, config_file: Path | None, state_directory: Path | None, **kwargs: Any) -> Any:
        kwargs["settings"] = load.load(config_file, state_directory=state_directory).settings
        return command(*args, **kwargs)

    return with_settings  # type: ignore[return-value]  # wraps: the options are taken off again


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: of which store, about which period and which events."""

    settings: Settings
    period: Period
    filters: Filters


def question_options(command: Command) -> Command:
    """Add the options of every question; the command gets ``question`` and ``as_json``."""
    return _with_question(command, "7d", click.option("--user", metavar="ID", help="Only this user."))


def question_of_all_users(since: str) -> Callable[[Command], Command]:
    """Return what adds the same without --user. ``since``: the start of the period unless another one is given."""
    return functools.partial(_with_question, since=since, of_users=lambda command: command)


def _with_question(command: Command, since: str, of_users: Callable[[Any], Any]) -> Command:
    @click.option(
        "--since",
        type=Moment(),
        default=since,
        show_default=True,
        help="Start: 2026-11-29, 2026-11-29T09:30, yesterday, 1w, 1h30m ago, RFC 3339, or all.",
    )
    @click.option("--until", type=Moment(), default="now", show_default=True, help="End, written alike, not included.")
    @click.option(
        "--time-zone",
        "zone",
        type=Zone(),
        metavar="ZONE",
        help="The zone of dates, hours and days, such as Europe/Berlin, instead of the config's.",
    )
    @click.option("--client", metavar="ID", help="Only this client; an empty ID finds events without a client.")
    @click.option("--realm", metavar="NAME", help="Only this realm (tenant).")
    @of_users
    @json_option
    @config_option
    @state_directory_option
    @functools.wraps(command)
    def with_question(
        *args: Any,
        since: str,
        until: str,
        zone: str | None,
        client: str | None,
        realm: str | None,
        user: str | None = None,
        config_file: Path | None,
        state_directory: Path | None,
        **kwargs: Any,
    ) -> Any:
        settings = load.load(config_file, state_directory=state_directory).settings
        settings = replace(settings, time_zone=zone or settings.time_zone)
        period = _period(since, until, settings.time_zone)
        identifiers = Identifiers(settings.public_identifiers)
        filters = Filters(
            client=_normal(identifiers, normal_tag, client),
            realm=_normal(identifiers, normal_tag, realm),
            user=_normal(identifiers, normal_field, user),
            **{name: kwargs.pop(name) for name in ("action", "outcome", "error", "ip") if name in kwargs},
        )
        return command(*args, question=Question(settings, period, filters), **kwargs)

    return with_question  # type: ignore[no-any-return]  # click's decorators in between know no types


def _period(since: str, until: str, zone: str) -> Period:
    """Return the part of a period in which events can be. Raises click.UsageError for an empty one."""
    now = time.time_ns()
    first, last = moment(since, now, zone), moment(until, now, zone)
    if first is None or last is None or first >= last:
        raise click.UsageError(f"--since {since} is not before --until {until} ({zone}): the period is empty.")
    return Period(*(min(max(when, BEGINNING_OF_TIME), END_OF_TIME) for when in (first, last)))


def event_filters(command: Command) -> Command:
    """Add the filters that ask for single events; ``question_options`` reads them."""
    for option in (
        click.option("--ip", type=Address(), help="Only this client address."),
        click.option("--error", type=ERROR, help="Only this error, such as invalid_grant."),
        click.option("--outcome", type=OUTCOME, help="Only this outcome."),
        click.option("--action", type=ACTION, help="Only this action; `token.` may be left out."),
    ):
        command = option(command)
    return command


def is_given(option: str) -> bool:
    """Whether an option of the running command was typed. ``option``: its name in Python."""
    source = click.get_current_context().get_parameter_source(option)
    return source is click.core.ParameterSource.COMMANDLINE


def _normal(identifiers: Identifiers, normal: Callable[[str], str | None], value: str | None) -> str | None:
    """Return a filter value as stored values are written, so that what the user pastes is found.

    That includes ids that look like tokens: they are stored masked, by hash.
    """
    return None if value is None else normal(identifiers.read(value)) or ""
