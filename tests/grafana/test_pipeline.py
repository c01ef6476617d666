"""What the page of the pipeline's health says of daemons is what they wrote, also when they start anew."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

import pytest

from ingestor.model.accounting import Account
from ingestor.model.snapshot import Snapshot, SourceSnapshot
from ingestor.stores.influxdb.write.own_lines import own_lines
from parsers.contract import Reason
from tests.grafana.asked import all_targets, ask, one
from tests.grafana.panels import Choice, Row, Target, rows
from tests.grafana.stored import Stored
from tests.support.influx import write_lines
from tests.support.servers import InfluxServer

START: Final = 1_793_000_400
"""A whole interval, in seconds."""
STEP: Final = 30
LENGTH: Final = 3600
CHOICE: Final = Choice(START * 1000, (START + LENGTH) * 1000, interval="5m")
RESTART: Final = START + 1800
OUTAGE: Final = range(START + 2400, START + 3000)
SILENT: Final = START + LENGTH - 240
"""When the second host wrote for the last time, or just before."""
LOGS: Final = {"a": ("audit", "it's a log, /really"), "b": ("audit",)}
PER_STEP: Final = 60
"""Lines a log grows by in a step."""


def figures(host: str, at: int) -> Snapshot:
    """Return how a daemon was: host `a` started anew, and could not write for a while."""
    done = (at - START) // STEP
    failing = host == "a" and at in OUTAGE
    begun = RESTART if host == "a" and at >= RESTART else START - 86_400
    held = (OUTAGE[0] - START) // STEP if failing else done
    sources = {}
    for number, log in enumerate(LOGS[host]):
        rejected = {Reason.INVALID_JSON: held // 10, Reason.MISSING_KEY: 3} if number == 0 else {}
        account = Account(read=10_000 + held * PER_STEP, ignored=100 + held, expired=7)
        account.rejected.update({reason: lines for reason, lines in rejected.items() if lines})
        account.stored = account.read - account.ignored - account.expired - account.total_rejected - 2 * number
        sources[log] = SourceSnapshot(account, clients=20 + done, overflowing=number == 1 and done > 60)
    return Snapshot(
        *(float(at), float(begun)),
        lag_since=float(OUTAGE[0]) if failing else None,
        unread_bytes=1000 if failing else 0,
        pending_bytes=10,
        checkpoint_at=float(OUTAGE[0] if failing else at - 1),
        store_problem="no connection" if failing else "",
        log_problems=("unreadable",) if host == "b" and done > 90 else (),
        store_requests=(at - begun) // STEP * 4,
        store_retries=(at - OUTAGE[0]) // STEP * 2 if failing else 5 if at < RESTART else 0,
        store_seconds=(at - begun) // STEP * 4 * 0.25,
        events_missing=120 if host == "a" and at in OUTAGE else 0,
        recent_gaps=2 if host == "b" else 0,
        counts={"redacted_jwt": 2, "redacted_bearer": 1},
        sources=sources,
    )


def written(host: str) -> Iterator[str]:
    previous = None
    for at in range(START, START + LENGTH, STEP):
        if host == "b" and at > SILENT:
            return
        now = figures(host, at)
        yield from own_lines(now, previous, host)
        previous = now


@pytest.fixture(scope="module", params=[1, 2], ids=["influxdb1", "influxdb2"])
def daemons(request: pytest.FixtureRequest) -> Stored:
    """What two daemons wrote within an hour."""
    found: InfluxServer | str = request.getfixturevalue(f"influxdb{request.param}_or_why")
    if isinstance(found, str):
        pytest.skip(found)
    store = found.make()
    write_lines(store, "own", "\n".join([*written("a"), *written("b")]).encode())
    return Stored(store, ())


def of(daemons: Stored, panel: int, choice: Choice = CHOICE, ref: str = "A") -> list[Row]:
    return ask(daemons, "pipeline", panel, choice, ref)


def by_host(found: list[Row], column: str) -> dict[str, list[Any]]:
    hosts: dict[str, list[Any]] = {}
    for row in found:
        hosts.setdefault(row["host"], []).append(row[column])
    return hosts


def last(host: str) -> Snapshot:
    return figures(host, START + LENGTH - STEP if host == "a" else SILENT)


@pytest.mark.parametrize("target", all_targets("pipeline"), ids=lambda target: target.name)
def test_every_query_answers(target: Target, daemons: Stored) -> None:
    assert rows(daemons.store, target, CHOICE)


def test_heartbeat(daemons: Stored) -> None:
    beats = by_host(of(daemons, 8), "beats")
    assert beats == {"a": [6], "b": [0]}
    seen = {row["host"]: (row["time"], row["uptime"]) for row in of(daemons, 8, ref="B")}
    assert seen == {
        "a": ((START + LENGTH - STEP) * 10**9, LENGTH - STEP - (RESTART - START)),
        "b": (SILENT * 10**9, SILENT - START + 86_400),
    }


def test_events_a_second_are_what_the_totals_grew_by(daemons: Stored) -> None:
    found = by_host(of(daemons, 1), "rate")
    for host, end in (("a", START + LENGTH - STEP), ("b", SILENT)):
        rates: dict[int, float] = {}
        for since in range(START, end, 300):
            looks = range(max(since, START + STEP), min(since + 300, end + 1), STEP)
            rates[since] = sum(grown(host, log, at) for log in LOGS[host] for at in looks) / len(looks)
        assert found[host] == [pytest.approx(rate) for rate in rates.values()]


def grown(host: str, log: str, at: int) -> float:
    """Return lines a second since the look before."""
    before, now = (figures(host, moment).sources[log].account.stored for moment in (at - STEP, at))
    return (now - before) / STEP


def test_lag_checkpoint_and_what_waits(daemons: Stored) -> None:
    assert max(by_host(of(daemons, 2), "max")["a"]) == OUTAGE[-1] + 1 - STEP - OUTAGE[0]
    assert max(by_host(of(daemons, 2), "max")["b"]) == 0
    assert max(by_host(of(daemons, 6), "max")["a"]) == OUTAGE[-1] + 1 - STEP - OUTAGE[0]
    assert set(by_host(of(daemons, 6), "max")["b"]) == {1}
    assert max(by_host(of(daemons, 17), "unread")["a"]) == 1000
    assert max(by_host(of(daemons, 17, ref="B"), "pending")["b"]) == 10
    assert {row["host"]: row["now"] for row in of(daemons, 11)} == {"a": 0, "b": 0}


def test_missing_events_and_gaps(daemons: Stored) -> None:
    assert {host: max(found) for host, found in by_host(of(daemons, 19), "missing").items()} == {"a": 120, "b": 0}
    assert {host: set(found) for host, found in by_host(of(daemons, 19, ref="B"), "gaps").items()} == {
        "a": {0},
        "b": {2},
    }


def test_rejected_by_reason(daemons: Stored) -> None:
    reasons: dict[str, int] = {}
    for row in of(daemons, 3):
        reasons[row["reason"]] = reasons.get(row["reason"], 0) + row["lines"]
    # What was there before the period is not of the period. Of host a (with its outage) and b: every tenth step one.
    steps = {
        host: [figures(host, START + n * 300 + 270).sources["audit"].account.rejected for n in range(count)]
        for host, count in (("a", 12), ("b", 11))
    }
    grown = {host: each[-1][Reason.INVALID_JSON] for host, each in steps.items()}
    assert reasons["missing_key"] == 0
    assert 0 < reasons["invalid_json"] <= sum(grown.values()) + 2
    spread = {(row["host"], row["source"]): row["now"] for row in of(daemons, 14)}
    first, end = figures("a", START), last("a")
    assert (
        spread["a", "audit"]
        == end.sources["audit"].account.total_rejected - first.sources["audit"].account.total_rejected
    )


def test_the_store(daemons: Stored) -> None:
    assert {round(value, 6) for value in by_host(of(daemons, 4), "max")["a"]} == {0.25}
    retries = by_host(of(daemons, 5), "retries")
    assert sum(retries["a"]) == (OUTAGE[-1] + 1 - STEP - OUTAGE[0]) // STEP * 2 - 0
    assert min(retries["a"]) >= 0
    assert sum(retries["b"]) == 0
    failing = {row["time"] for row in of(daemons, 9) if row["max"]}
    assert failing == {at * 10**9 for at in OUTAGE if at % 300 == 0}
    assert {row["host"]: row["now"] for row in of(daemons, 12)} == {"a": 0, "b": 0}
    in_outage = dataclasses.replace(CHOICE, until=OUTAGE[-1] * 1000)
    assert {row["host"]: row["now"] for row in of(daemons, 12, in_outage)} == {"a": 1, "b": 0}


def test_logs(daemons: Stored) -> None:
    accounts = {(row["host"], row["source"]): row for row in of(daemons, 18)}
    assert set(accounts) == {(host, log) for host, logs in LOGS.items() for log in logs}
    for (host, log), row in accounts.items():
        account = last(host).sources[log].account
        expected = (
            account.read,
            account.stored,
            account.total_rejected,
            account.ignored,
            account.expired,
            account.pending,
        )
        assert tuple(row[name] for name in ("read", "stored", "rejected", "ignored", "expired", "pending")) == expected
    budgets = {(row["host"], row["source"]): (row["clients"], row["budget"]) for row in of(daemons, 7)}
    assert budgets == {
        (host, log): (figure.clients, int(figure.overflowing))
        for host in LOGS
        for log, figure in last(host).sources.items()
    }
    assert max(row["now"] for row in of(daemons, 15)) == 1
    assert {row["host"]: row["now"] for row in of(daemons, 13)} == {"a": 0, "b": 1}
    assert {row["host"] for row in of(daemons, 10) if row["max"]} == {"b"}
    assert {row["now"] for row in of(daemons, 16)} == {3}


def test_hosts_and_logs_are_chosen_exactly(daemons: Stored) -> None:
    just_a = dataclasses.replace(CHOICE, host=("a",))
    for target in all_targets("pipeline"):
        found = rows(daemons.store, target, just_a)
        assert {row.get("host", "a") for row in found} <= {"a"}
        assert rows(daemons.store, target, dataclasses.replace(CHOICE, host=("a' OR ''='",))) == []
    odd = LOGS["a"][1]
    assert {row["source"] for row in of(daemons, 18, dataclasses.replace(CHOICE, source=(odd,)))} == {odd}


def test_a_log_alone_tells_nothing_of_the_daemon(daemons: Stored) -> None:
    assert one(of(daemons, 11, dataclasses.replace(CHOICE, host=("a",), source=("no such log",))), "now") == 0
