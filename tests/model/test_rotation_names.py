import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.rotation_names import (
    COMPRESSED_SUFFIXES,
    is_compressed,
    live_name,
    may_be_live,
    may_be_rotated,
    possible_live_names,
    rotation_age,
    uncompressed_name,
)
from tests.support.rotated_names import OTHERS, ROTATED

OLDEST_FIRST = [
    ["audit.log-20251101.gz", "audit.log-20261031", "audit.log-20261101", "audit.log-20261101-1200"],
    ["audit.log.10.gz", "audit.log.9.zst", "audit.log.2", "audit.log.1"],
    ["audit-2026-10-31.log.gz", "audit-2026-11-01.log"],
    ["audit.20261031.log", "audit.20261101.log"],
    ["audit.2.log", "audit.1.log"],
    ["audit.log.2026-10-31T00", "audit.log.2026-11-01T00"],
    ["audit.log.old", "audit.log.gz"],
]


@pytest.mark.parametrize("names", OLDEST_FIRST, ids=lambda names: names[-1])
def test_rotated_generations_sort_oldest_first(names: list[str]) -> None:
    ages = {name: rotation_age("audit.log", name) for name in names}
    assert None not in ages.values()
    mixed = names[::-1]
    assert sorted(mixed, key=lambda name: ages[name] or (0, "", 0)) == names


@pytest.mark.parametrize(
    "name",
    [
        "audit.log",
        "audit.log.swp",
        "audit.logger.1",
        "other.log.1",
        "audit.log.1.tmp",
        "audit",
        ".audit.log.1",
        "audit.log.x.gz",
    ],
)
def test_other_files_are_no_past_of_the_log(name: str) -> None:
    assert rotation_age("audit.log", name) is None


@pytest.mark.parametrize(
    ("name", "live"),
    [
        ("audit.log.1", "audit.log"),
        ("audit.log.12.gz", "audit.log"),
        ("audit.log-20261101", "audit.log"),
        ("audit-2026-11-01.log", "audit.log"),
        ("audit.log.zst", "audit.log"),
        ("audit.log.old", "audit.log"),
        ("audit.log", None),
        ("audit2.log", None),
        ("20261101", None),
    ],
)
def test_the_live_name_of_a_rotated_one(name: str, live: str | None) -> None:
    assert live_name(name) == live


def test_compression_is_told_by_the_name() -> None:
    assert is_compressed("a.log.1.xz")
    assert not is_compressed("a.log.1")
    assert uncompressed_name("a.log.1.bz2") == "a.log.1"


@pytest.mark.parametrize("suffix", ["", *COMPRESSED_SUFFIXES])
@pytest.mark.parametrize("name", ROTATED)
def test_a_log_may_be_rotated_by_any_scheme(name: str, suffix: str) -> None:
    assert may_be_rotated("audit.log", name + suffix)


@pytest.mark.parametrize("name", OTHERS)
def test_what_else_lies_beside_a_log_is_no_past_of_it(name: str) -> None:
    assert not may_be_rotated("audit.log", name)
    assert "audit.log" not in possible_live_names(name)


def test_a_compressed_log_is_the_past_of_the_log() -> None:
    assert may_be_rotated("audit.log", "audit.log.gz")
    assert not may_be_rotated("audit.log", "audit-admin.log.gz")


@pytest.mark.parametrize("live", ["audit", "audit.log", "audit-node1.log", "192.0.2.10.jsonl", "audit-2026.log"])
@pytest.mark.parametrize("end", [".1", "-20261101", ".01-11-2026", ".old", "-2026W48-1793525400", ".2.gz"])
def test_a_log_of_any_name_may_be_rotated(live: str, end: str) -> None:
    assert may_be_rotated(live, live + end)
    assert live in possible_live_names(live + end)
    assert not may_be_rotated(live + end, live)


@pytest.mark.parametrize(
    "name", [name for name in ROTATED if name[5] in "-._" and name[9:10] in {"", *"-._~"} and name != "audit.bak"]
)
def test_the_log_is_among_those_of_which_a_file_may_be_the_past(name: str) -> None:
    assert "audit.log" in possible_live_names(name)
    assert "audit.log" in possible_live_names(f"{name}.gz")


@pytest.mark.parametrize("name", ["audit.log", "audit2.log", "audit-admin.log", "audit", "audit.log.pos", "20261101"])
def test_of_other_files_there_is_no_log_whose_past_they_are(name: str) -> None:
    assert list(possible_live_names(name)) == []


@pytest.mark.parametrize("part", ["1", "sept", "may", "t", "w1", "1t", "old", ".1", "(", "previous", "2026-11-01_"])
def test_no_name_takes_long(part: str) -> None:
    """There would be more ways to read it than seconds in a year."""
    for name in (
        f"audit.log.{part * 60}?",
        f"audit-{part * 60}?.log",
        f"audit.{part * 60}?.txt",
        f"{part * 60}?audit.log",
    ):
        assert not may_be_rotated("audit.log", name)


@pytest.mark.parametrize("name", ["idp-1.log", "idp.2.log", "idp-2026-11-01.log"])
def test_names_that_end_like_the_log_may_be_of_live_logs(name: str) -> None:
    assert may_be_rotated("idp.log", name)
    assert may_be_live("idp.log", name)


@pytest.mark.parametrize("name", ["idp.log.1", "idp.log-20261101", "idp.log.old", "idp-1.log.gz"])
def test_nobody_calls_a_live_log_so(name: str) -> None:
    assert not may_be_live("idp.log", name)


NAMES = st.lists(
    st.sampled_from(
        ["audit", "log", "admin", "2026", "11", "1", "old", "T", "gz", "zst", ".", "-", "_", "~", "W", "+"]
    ),
    min_size=1,
    max_size=8,
).map("".join)


@given(NAMES)
def test_possible_live_names_are_names_of_which_it_may_be_the_past(name: str) -> None:
    found = list(possible_live_names(name))
    assert len(set(found)) == len(found)
    assert name not in found
    assert all(live and may_be_rotated(live, name) for live in found)


@given(NAMES, NAMES)
def test_a_log_whose_order_is_known_may_be_rotated_and_no_two_are_each_others_past(live: str, name: str) -> None:
    if rotation_age(live, name) is not None:
        assert may_be_rotated(live, name)
    if may_be_rotated(live, name):
        assert not may_be_rotated(name, live)
        assert uncompressed_name(name) != live or is_compressed(name)
