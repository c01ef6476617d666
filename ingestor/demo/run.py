"""``tokentail demo``: the endpoint writes, the daemon follows, the screen shows, and the end proves."""

import contextlib
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
from rich.console import Console
from rich.text import Text

from ingestor.config.settings import LogSettings, Settings
from ingestor.daemon.daemon import Daemon
from ingestor.demo import closing
from ingestor.demo.closing import Places
from ingestor.demo.endpoint import Day, Ledger, write_day
from ingestor.demo.frame import Frame, Observer
from ingestor.demo.proof import Proof, prove
from ingestor.demo.providers import NATIVE, Provider
from ingestor.demo.screen import Screen, glyphs_of, screen_for
from ingestor.demo.writer import LogWriter
from ingestor.errors import ExitCode, TokentailError
from ingestor.model.accounting import Account
from ingestor.model.questions import Filters
from ingestor.state.findings import read_findings
from ingestor.state.state import State
from ingestor.stores.registry import store_of

SECONDS = 18.0
SEED = 29
_LOOKS_PER_SECOND = 5
_IDLE_SECONDS = 0.02
_PATIENCE_SECONDS = 30.0
"""How long the daemon may need for the rest after the endpoint has stopped."""


def run_demo(
    settings: Settings | None = None,
    *,
    console: Console,
    provider: Provider = NATIVE,
    seconds: float = SECONDS,
    seed: int = SEED,
    as_json: bool = False,
    directory: Path | None = None,
) -> int:
    """Run the demo; return 0, or 1 when the store does not hold exactly what was written.

    ``provider`` says whose log is written.
    ``settings`` say whose store and state are used; None is the embedded store in the demo's own directory, which is
    ``directory`` or a new one, and which stays. Raises TokentailError, OSError and sqlite3.Error; files stay then too.
    """
    log = _prepare(directory, provider)
    given = settings is not None and settings.state_directory is not None
    settings = settings or Settings()
    state_directory = settings.state_directory or log.parent / "state"
    settings = _follow_only(log, replace(settings, state_directory=state_directory))
    zone = ZoneInfo(settings.time_zone)
    end_ms = time.time_ns() // 1_000_000
    day = write_day(provider, end_ms, seed)
    writer = LogWriter(log, day.lines, end_ms, seconds)
    glyphs = glyphs_of(console)
    if not glyphs.unicode and isinstance(console.file, io.TextIOWrapper):
        console.file.reconfigure(errors="replace")  # an event's text may hold what this terminal cannot write
    if not as_json:
        console.print(Text(f"A simulated token endpoint writes {provider.log}; tokentail follows:"))
        console.print(Text(f"  {log}"), soft_wrap=True)
        if given:
            console.print(Text(f"The figures are those of the whole store in {state_directory}."), soft_wrap=True)
    try:
        screen = screen_for(console, zone, provider.name, silent=as_json)
        frame, proof = _follow(settings, state_directory, writer, day, provider, screen)
    except KeyboardInterrupt:
        console.print(Text(f"Stopped. What was written so far stays in {log.parent}"), soft_wrap=True)
        raise
    places = Places((*writer.rotated, log), state_directory, settings.config_file)
    if as_json:
        console.out(orjson.dumps(closing.as_json(frame, proof, places, provider), option=orjson.OPT_INDENT_2).decode())
    else:
        for part in closing.page(frame, proof, places, provider, zone=zone, glyphs=glyphs):
            console.print(part, soft_wrap=isinstance(part, Text))
    return ExitCode.DONE if proof.holds else ExitCode.BAD_ANSWER


def _prepare(directory: Path | None, provider: Provider) -> Path:
    # Resolved, since the log's path is its source.
    directory = Path(directory or tempfile.mkdtemp(prefix="tokentail-demo-")).resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = directory / provider.file_name
    if log.exists():
        raise TokentailError("A demo was here before", where=str(log), advice="Name a directory that is new.")
    return log


def _follow_only(log: Path, settings: Settings) -> Settings:
    """Follow the demo's log alone, in whatever store was set, and quickly: a day passes in seconds. Rules are the defaults."""
    return replace(
        settings,
        logs=(LogSettings(str(log)),),
        read=replace(settings.read, poll_interval_seconds=0.1),
        telemetry=replace(settings.telemetry, interval_seconds=1.0),
        errors={},
        detectors={},
    )


def _follow(
    settings: Settings, directory: Path, writer: LogWriter, day: Day, provider: Provider, screen: Screen
) -> tuple[Frame, Proof]:
    source = str(writer.path)
    with contextlib.ExitStack() as stack:
        stack.callback(writer.abandon)
        state = State.open(directory, settings.host)
        stack.callback(state.close)
        daemon = Daemon(settings, state)
        stack.callback(daemon.close)
        # What the view shows is what another process would see: it was committed.
        reader = State.open_reader(directory)
        stack.callback(reader.close)
        answers = stack.enter_context(store_of(settings).open_answers(reader.connection))
        observer = Observer(answers, writer.start_ms)

        def account() -> Account:
            return reader.accounts().get(source, Account())

        def look(*, afresh: bool = False) -> Frame:
            return observer.look(writer.now_ms, writer.written, account(), writer.happenings, afresh=afresh)

        stack.enter_context(screen)
        daemon.step()  # it has seen the log before the log rotates
        stack.callback(writer.join)
        stack.callback(writer.stop)
        writer.start()
        for _ in _turns(daemon, writer, account):
            screen.show(look())
        if writer.error is not None:
            raise writer.error
        daemon.delivery.flush()
        frame = look(afresh=True)
        screen.show(frame)
        ledger = Ledger.of(day.lines, day.unlogged)
        records, found = answers.events(observer.period, Filters()), read_findings(reader.connection, observer.period)
        proof = prove(ledger, frame.account, records, source, provider.key, list(found))
    return frame, proof


def _turns(daemon: Daemon, writer: LogWriter, account: Callable[[], Account]) -> Iterator[None]:
    """Let the daemon work until it has accounted for all that was written; yield a few times a second."""
    looked = deadline = float("-inf")
    while True:
        writing = writer.is_alive()
        worked = daemon.step()
        now = time.monotonic()
        if now - looked >= 1 / _LOOKS_PER_SECOND:
            looked = now
            yield
        if writing:
            deadline = now + _PATIENCE_SECONDS
        elif now > deadline or not (worked or daemon.source.waiting or account().read < writer.written):
            return
        if not worked:
            time.sleep(_IDLE_SECONDS)
