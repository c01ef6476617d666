"""Every store holds each line once, however often it comes and whatever it is classified as; counters and accounts agree."""

import contextlib
import dataclasses
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestor.config.settings import StoreSettings
from ingestor.model.finding import Finding, Severity, stored_finding
from ingestor.model.points import SeriesTable
from ingestor.state.findings import load_memory
from ingestor.state.rejected_file import read_rejected, rejected_line
from ingestor.stores.batch import Batch
from ingestor.stores.lookup import LookupResult
from parsers.contract import Reason
from tests.support.counters import counters_of
from tests.support.generated import Sample, points, random_samples
from tests.support.store_under_test import HOST, StoreUnderTest


def one_line_each(samples: list[Sample]) -> list[Sample]:
    """Leave out what would be two lines of one source in one nanosecond."""
    return list({(sample.time, sample.series.source): sample for sample in samples}.values())


@pytest.fixture
def made() -> list[Sample]:
    return one_line_each(random_samples(seed=17, count=400))


def test_what_was_flushed_is_stored_and_durable(subject: StoreUnderTest, made: list[Sample]) -> None:
    before = time.time()
    subject.write(made)
    delivery = subject.delivery
    assert delivery.idle
    assert delivery.has_room
    assert delivery.trouble is None
    assert delivery.acknowledged_bytes == 100 * len(made)
    assert delivery.checkpoint_at is not None
    assert delivery.checkpoint_at >= before
    subject.check(made)


def test_an_empty_batch_is_a_checkpoint(subject: StoreUnderTest) -> None:
    batch = Batch()
    batch.checkpoint.meta["a note"] = "of the pipeline"
    subject.deliver(batch)
    subject.close()
    assert subject.state.meta()["a note"] == "of the pipeline"
    assert "heartbeat" in subject.state.meta()


def test_findings_are_durable_with_their_batch(subject: StoreUnderTest, made: list[Sample]) -> None:
    """The state has them, whichever the store; one that has grown replaces itself."""
    for events in (2, 3):
        batch = subject.new_lines(made[:100]) if events == 2 else Batch()
        incident = Finding(Severity.HIGH, "app", "acme", first_seen_ms=1_000, last_seen_ms=2_000, events=events)
        found = stored_finding("replay", incident, host=HOST, tags={"realm": "acme", "client_id": "app"})
        batch.checkpoint.findings[found[:2]] = found
        batch.checkpoint.remembered["replay", "app"] = b"%d" % events
        subject.deliver(batch)
        subject.close()
        stored = subject.state.connection.execute("SELECT pattern, realm, client_id, events FROM token_findings")
        assert stored.fetchall() == [("replay", "acme", "app", events)]
        assert load_memory(subject.state.connection, "replay") == {"app": b"%d" % events}


def test_a_restart_goes_on_where_the_last_checkpoint_was(subject: StoreUnderTest, made: list[Sample]) -> None:
    subject.write(made[:200])
    subject.close()
    subject.store.check_usable(subject.state)
    subject.write(made[200:])
    subject.check(made)


def test_a_batch_that_was_not_flushed_is_whole_or_not_there_after_a_crash(
    subject: StoreUnderTest, made: list[Sample]
) -> None:
    """The lines are read again unless the checkpoint says that they are stored."""
    subject.write(made[:100])
    delivery = subject.delivery
    batch = subject.new_lines(made[100:200])
    delivery.claim(batch.accounts)
    batch.series = subject.series.take_new()
    delivery.submit(batch, time.monotonic())
    subject.close()
    stored = sum(account.stored for account in subject.state.accounts().values())
    assert stored in {100, 200}
    if stored == 100:
        subject.write(made[100:200])
    subject.check(made[:200])


def test_lines_that_are_read_again_change_nothing(subject: StoreUnderTest, made: list[Sample]) -> None:
    subject.write(made)
    for part in (made, made[100:300], made[:1]):
        subject.read_again(part)
    subject.check(made)


def test_lines_that_are_read_again_are_put_back_where_the_store_has_lost_them(
    subject: StoreUnderTest, new_store: Callable[[], StoreSettings], made: list[Sample]
) -> None:
    """The counters have them."""
    subject.write(made[:100])
    if subject.store.in_state:
        subject.state.connection.execute("DELETE FROM token_events")
    subject.close()
    with contextlib.closing(StoreUnderTest(subject.directory, new_store())) as emptied:
        emptied.read_again(made[:100])
        emptied.check(made[:100])


def test_lines_that_are_classified_otherwise_replace_what_they_were(
    subject: StoreUnderTest, made: list[Sample]
) -> None:
    """Lines of four days; ``test_moves`` has what goes wrong meanwhile."""
    made = made[::3]
    subject.write(made)
    moved = [
        dataclasses.replace(
            sample, series=sample.series._replace(action="token.reuse_detected", outcome="failure", error="other")
        )
        for sample in made[::3]
    ]
    kept = [sample for index, sample in enumerate(made) if index % 3] + moved
    for _ in range(2):
        subject.reclassify(moved)
        subject.check(kept)
    subject.close()
    subject.check(kept)


def test_what_is_left_over_of_lines_that_make_fewer_events_goes(subject: StoreUnderTest, made: list[Sample]) -> None:
    """Two events of each of a hundred lines, of which the second is none any more, and one that is another one."""
    lines = [(made[index], _next_to(made[index])) for index in range(100)]
    rest = made[100:]
    subject.write([*(sample for line in lines for sample in line), *rest])
    subject.check([*(sample for line in lines for sample in line), *rest])
    first = [sample for sample, _ in lines]
    first[7] = dataclasses.replace(first[7], series=first[7].series._replace(action="token.expired", outcome="failure"))
    looked_up = subject.look_up_places(first, [second for _, second in lines])
    assert looked_up[:100].count(LookupResult.STORED) == 99
    assert looked_up[100:] == [LookupResult.LEFT_OVER] * 100
    for _ in range(2):
        subject.reclassify(
            first, several=[(sample, (sample, second)) for sample, (_, second) in zip(first, lines, strict=True)]
        )
        subject.check([*first, *rest])
        assert {account.read - account.stored for account in subject.delivery.accounts.values()} == {0}
    assert subject.look_up_places(first, [second for _, second in lines])[100:] == [LookupResult.MISSING] * 100


def _next_to(sample: Sample) -> Sample:
    """Return another event of the same line: somewhere else in its second."""
    tick = sample.time - sample.time % 1_000_000
    return dataclasses.replace(
        sample,
        time=tick + (sample.time + 618_041) % 1_000_000,
        series=sample.series._replace(action="token.revoked", outcome="success"),
        fields={**sample.fields, "event_id": "another"},
    )


@pytest.fixture
def crashed(subject: StoreUnderTest, made: list[Sample], tmp_path: Path) -> list[Sample]:
    """Fifty lines that are stored and counted, and fifty that are in no checkpoint; in the store, where that is apart."""
    lines = [dataclasses.replace(sample, series=sample.series._replace(source="audit", host=HOST)) for sample in made]
    lines = one_line_each(lines)[:100]
    _crash(subject, tmp_path, counted=lines[:50], sent=lines[50:])
    return lines


def _crash(subject: StoreUnderTest, tmp_path: Path, *, counted: list[Sample], sent: list[Sample]) -> None:
    """Store events, of which those that are ``sent`` alone are in no checkpoint."""
    subject.write(counted)
    subject.close()
    shutil.copytree(subject.directory, tmp_path / "checkpoint")
    subject.write(sent)
    subject.close()
    shutil.rmtree(subject.directory)
    shutil.copytree(tmp_path / "checkpoint", subject.directory)


def test_what_was_sent_before_a_crash_is_not_stored_twice_by_other_rules(
    subject: StoreUnderTest, crashed: list[Sample]
) -> None:
    now = [
        dataclasses.replace(sample, series=sample.series._replace(action="token.reuse_detected", outcome="failure"))
        for sample in crashed[50:]
    ]
    batch = subject.new_lines(now)
    batch.may_be_stored = True
    subject.deliver(batch)
    subject.check(crashed[:50] + now)


def test_what_was_sent_before_a_crash_is_not_stored_twice_under_another_name(
    subject: StoreUnderTest, crashed: list[Sample]
) -> None:
    now = [dataclasses.replace(sample, series=sample.series._replace(source="renamed")) for sample in crashed[50:]]
    batch = subject.new_lines(now)
    batch.may_be_stored_under = {("audit", HOST): {sample.time for sample in now}}
    subject.deliver(batch)
    subject.check(crashed[:50] + now)


def test_what_was_sent_before_a_crash_leaves_nothing_over_of_lines_that_make_fewer_events(
    subject: StoreUnderTest, made: list[Sample], tmp_path: Path
) -> None:
    lines = [(sample, _next_to(sample)) for sample in one_line_each(made)[:100]]
    counted = [event for line in lines[:50] for event in line]
    _crash(subject, tmp_path, counted=counted, sent=[event for line in lines[50:] for event in line])
    now = [first for first, _ in lines[50:]]
    batch = subject.new_lines(now)
    batch.may_be_stored = True
    batch.may_be_several = [subject.several(first, (first, second)) for first, second in lines[50:]]
    subject.deliver(batch)
    subject.check(counted + now)


def test_rejected_lines_are_listed_once_with_the_checkpoint_that_counts_them(subject: StoreUnderTest) -> None:
    """What one batch has listed stays when the next one lists more."""
    for offset in (0, 9):
        batch = Batch(bytes_read=9)
        line = rejected_line(
            b"{broken\n",
            reason=Reason.INVALID_JSON,
            detail="",
            file="audit.log",
            offset=offset,
            ordinal=offset // 9,
            source="audit",
            host="idp-1",
            generation=1,
            text="{broken",
        )
        batch.rejected.append(line)
        account = batch.account("audit")
        account.read, account.rejected[Reason.INVALID_JSON] = 1, 1
        subject.deliver(batch)
    subject.close()
    assert subject.state.accounts()["audit"].rejected == {Reason.INVALID_JSON: 2}
    listed = [(entry.offset, entry.reason) for entry in read_rejected(subject.directory)]
    assert listed == [(0, Reason.INVALID_JSON), (9, Reason.INVALID_JSON)]


def test_a_point_is_stored_different_missing_or_under_other_tags(subject: StoreUnderTest, made: list[Sample]) -> None:
    subject.write(made[:300])
    changed = dataclasses.replace(made[0], fields={**made[0].fields, "user_id": "someone else"})
    moved = dataclasses.replace(made[1], series=made[1].series._replace(action="token.reuse_detected", error="other"))
    table = SeriesTable(dict(subject.series.by_number))
    found = subject.look_up(points([changed, moved, *made[2:]], table), table)
    assert found[:2] == [LookupResult.DIFFERENT, LookupResult.OTHER_TAGS]
    assert found[2:300] == [LookupResult.STORED] * 298
    assert found[300:] == [LookupResult.MISSING] * (len(made) - 300)


def test_counters_are_counted_anew_from_the_stored_events(subject: StoreUnderTest) -> None:
    """Also what was stored and nobody has counted; days that the store keeps whole."""
    now, second = time.time_ns(), 1_000_000_000
    template = random_samples(seed=3, count=60)
    made = [
        dataclasses.replace(
            sample, time=now - index * 3600 * second, series=sample.series._replace(host="idp-1", source="audit")
        )
        for index, sample in enumerate(template)
    ]
    subject.write(made)
    connection = subject.state.connection
    for table in ("token_events_1h", "token_totals_15m"):
        connection.execute(f"UPDATE {table} SET events = events * 2 + 1")
    connection.execute("DELETE FROM token_users_1d")
    ticks: list[None] = []
    assert subject.delivery.recount(["audit"], lambda: ticks.append(None)) == len(made)
    subject.delivery.flush()
    assert subject.counted() == counters_of(made)
    assert subject.store.compare(subject.state).agrees


def test_a_full_disk_under_the_state_loses_nothing(
    subject: StoreUnderTest, made: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delivery holds the batch, says why, and goes on by itself."""
    subject.write(made[:100])
    delivery = subject.delivery

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    batch = subject.new_lines(made[100:200])
    delivery.claim(batch.accounts)
    batch.series = subject.series.take_new()
    with monkeypatch.context() as patched:
        patched.setattr(type(subject.state), "save", full)
        delivery.submit(batch, time.monotonic())
        subject.until(lambda: "disk is full" in str(delivery.trouble))
        assert not delivery.idle
    subject.until(lambda: delivery.idle)
    assert delivery.trouble is None
    subject.check(made[:200])
