"""A daemon goes on with other settings: no line is lost, none is read twice."""

import dataclasses
from pathlib import Path

import pytest

from ingestor.config.settings import BudgetSettings, ErrorRule, LogSettings
from ingestor.detectors.contract import Options
from ingestor.detectors.secret_guessing import SecretGuessingOptions
from ingestor.errors import ConfigError
from ingestor.jobs.status import status
from ingestor.model.questions import Period
from ingestor.model.snapshot import Snapshot
from ingestor.state.findings import read_findings
from tests.support.world import World


def test_logs_come_and_go_and_none_is_read_twice(world: World) -> None:
    other = world.new_log("other.log")
    world.log.write(100)
    other.write(100)
    world.turn(2)
    assert len(world.stored()) == 100
    world.log.write(50)
    rotated = world.log.rename()
    world.log_settings = (LogSettings(str(world.log.path)), LogSettings(str(other.path)))
    world.daemon.reload(world.settings)
    world.log.write(50)
    world.log.write(7, to=rotated)
    world.turn(3)
    world.check(world.log, other)
    world.log_settings = (LogSettings(str(other.path)),)
    world.daemon.reload(world.settings)
    world.log.write(30)
    other.write(30)
    world.turn(2)
    assert len(world.stored()) == len(world.log.written) - 30 + len(other.written)
    world.log_settings = (LogSettings(str(other.path)), LogSettings(str(world.log.path)))
    world.daemon.reload(world.settings)
    world.turn(2)
    world.check(world.log, other)


def test_new_rules_and_budgets_hold_from_then_on(world: World) -> None:
    failure = {"client_id": "web", "error": "Too old"}
    world.log.write(world.log.line(action="token.validation_failed", details=failure))
    world.turn(2)
    settings = dataclasses.replace(
        world.settings,
        errors={"Too old": ErrorRule("expired_code", "token.expired")},
        budgets=BudgetSettings(clients=0),
    )
    world.daemon.reload(settings)
    world.log.write(world.log.line(action="token.validation_failed", details=failure))
    world.log.write(world.log.line(details={"client_id": "unheard of"}))
    world.turn(2)
    rows = "SELECT action, client_id, client FROM token_events JOIN series ON series = number ORDER BY time"
    assert world.ask(lambda state: state.connection.execute(rows).fetchall()) == [
        ("token.validation_failed", "web", None),
        ("token.expired", "web", None),
        ("token.refreshed", "_other", "unheard of"),
    ]


def test_other_numbers_of_detectors_hold_from_then_on_and_what_they_remember_stays(world: World) -> None:
    def fail(times: int) -> None:
        details = {"client_id": "web", "error": "invalid_client", "ip_address": "203.0.113.9"}
        world.log.write(
            b"".join(world.log.line(action="token.validation_failed", details=details) for _ in range(times))
        )
        world.turn(2)

    def found() -> list[tuple[str, int]]:
        every = Period(0, 2**63 - 1)
        return world.ask(lambda state: [(each.pattern, each.events) for each in read_findings(state.connection, every)])

    fail(5)
    assert found() == []
    options: dict[str, Options] = {"secret_guessing": SecretGuessingOptions(many_failures=6)}
    world.daemon.reload(dataclasses.replace(world.settings, detectors=options))
    assert found() == []
    fail(1)
    assert found() == [("secret_guessing", 6)]
    world.daemon.reload(
        dataclasses.replace(world.settings, detectors={"secret_guessing": SecretGuessingOptions(enabled=False)})
    )
    fail(20)
    assert found() == [("secret_guessing", 6)]


def test_what_only_a_restart_can_change_is_refused_and_nothing_changes(world: World, tmp_path: Path) -> None:
    world.log.write(5)
    world.turn(2)
    with pytest.raises(ConfigError, match="restart") as raised:
        world.daemon.reload(dataclasses.replace(world.settings, state_directory=tmp_path / "elsewhere"))
    world.log.write(5)
    world.turn(2)
    world.check()
    world.daemon.keep_old_config(raised.value)
    world.turn(2)
    (problem,) = world.ask(status).problems
    assert "is refused" in problem
    assert problem.endswith("Restart the service")
    assert problem in world.daemon.figures().summary()
    world.daemon.reload(world.settings)
    world.turn(2)
    assert world.ask(status).problems == ()


def test_t45_who_watches_hears_nothing_while_something_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Snapshot] = []
    world.daemon.watchers.append(heard.append)
    world.log.write(5)
    world.turn(3)
    count = len(heard)
    assert count >= 2
    assert heard[-1].total.stored == 5
    monkeypatch.setattr(world.daemon.delivery, "stuck", lambda _: True)
    world.turn(3)
    assert len(heard) == count
    monkeypatch.undo()
    world.turn(2)
    assert len(heard) > count


def test_a_changed_mapping_holds_from_then_on(world: World) -> None:
    text = '[fields]\ntime = "created_at"\nclient_id = "who"\n[[rules]]\nwhen = { action = "x" }\naction = "token.revoked"\n'
    entry = LogSettings(str(world.log.path), parser="mapping:/etc/acme.toml", mapping=text)
    world.log_settings = (entry,)
    world.log.write(world.log.line(action="x", who="web"))
    world.turn(2)
    world.log_settings = (dataclasses.replace(entry, mapping=text.replace("revoked", "introspected")),)
    world.daemon.reload(world.settings)
    world.log.write(world.log.line(action="x", who="web"))
    world.turn(2)
    rows = "SELECT action, client_id FROM token_events JOIN series ON series = number ORDER BY time"
    assert world.ask(lambda state: state.connection.execute(rows).fetchall()) == [
        ("token.revoked", "web"),
        ("token.introspected", "web"),
    ]
