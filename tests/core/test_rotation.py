import pytest

from ingestor.core.rotation import is_compressed, live_name, rotation_age, uncompressed_name

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
