"""Only what changed options decide is classified otherwise: not every new release, and not what they do not touch."""

import sqlite3

import pytest

from tests.support.scene import Scene

FAILURE = {"client_id": "web", "error": "Code too old"}
RULE = '[errors]\n"Code too old" = { error = "expired_code", action = "token.expired" }\n'


def actions(scene: Scene) -> dict[str, int]:
    rows = "SELECT action, count(*) FROM token_events JOIN series ON series = number GROUP BY action"
    with sqlite3.connect(scene.state_directory / "tokentail.db") as connection:
        found = dict(connection.execute(rows).fetchall())
    connection.close()
    return found


def test_a_new_release_alone_reclassifies_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.log.write(50)
    scene.once()
    monkeypatch.setattr("ingestor.__version__", "99.0")
    (answer,) = scene.backfill(scene.log.path)
    assert (answer["new"], answer["again"]) == (0, 0)
    scene.check()


@pytest.mark.parametrize(
    "more",
    ['trusted_proxies = ["10.0.0.0/8"]', "[budgets]\nclients = 5000", '[errors]\n"Never seen" = "expired_code"'],
    ids=["proxies", "budgets", "errors"],
)
def test_options_that_decide_nothing_of_a_log_change_nothing(scene: Scene, more: str) -> None:
    scene.log.write(50)
    scene.once()
    scene.more = more
    assert scene.backfill(scene.log.path)[0]["new"] == 0
    scene.once()
    scene.check()


def test_a_new_rule_moves_what_it_decides(scene: Scene) -> None:
    log = scene.log
    for _ in range(20):
        log.write(2)
        log.write(log.line(action="token.validation_failed", details=FAILURE))
    scene.once()
    assert actions(scene) == {"token.refreshed": 40, "token.validation_failed": 20}
    scene.more = RULE
    log.write(log.line(action="token.validation_failed", details=FAILURE))
    scene.once()
    assert sum(actions(scene).values()) == 61
    scene.backfill(log.path)
    assert actions(scene) == {"token.refreshed": 40, "token.expired": 21}
    scene.check()


def test_a_rule_and_a_source_change_together(scene: Scene) -> None:
    log = scene.log
    log.write(20)
    log.write(log.line(action="token.validation_failed", details=FAILURE))
    scene.once()
    scene.more = RULE
    scene.log_settings = (type(scene.log_settings[0])(str(log.path), source="idp"),)
    log.write(5)
    scene.once()
    scene.backfill(log.path)
    assert actions(scene) == {"token.refreshed": 25, "token.expired": 1}
    scene.check()


def test_auto_and_the_parser_it_finds_are_one(scene: Scene) -> None:
    log = scene.log
    log.write(20)
    scene.once()
    scene.log_settings = (type(scene.log_settings[0])(str(log.path), parser="native"),)
    log.write(5)
    scene.once()
    assert scene.backfill(log.path)[0]["new"] == 0
    scene.check()
