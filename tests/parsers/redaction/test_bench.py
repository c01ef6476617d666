"""The list of shapes that ``bench.redaction`` counts: what is known to be masked stays so, and what it should leave alone."""

import pytest

from bench.redaction import VALUES, leaks, ruined, shapes
from parsers.redaction.redact import redact_text


def test_the_list_is_as_large_as_is_said() -> None:
    assert len(shapes("leaks")) + len(shapes("check_leaks")) >= 487
    assert len(VALUES) == 6
    assert not set(shapes("leaks")) & set(shapes("check_leaks"))


def test_no_shape_that_is_tuned_to_leaks() -> None:
    assert list(leaks("leaks")) == []


def test_nothing_ordinary_that_is_tuned_to_is_ruined() -> None:
    assert list(ruined("ordinary")) == []


@pytest.mark.parametrize(("found", "most"), [(leaks("check_leaks"), 36), (ruined("check_ordinary"), 2)])
def test_the_half_that_is_not_tuned_to_gets_no_worse(found: object, most: int) -> None:
    assert len(list(found)) <= most  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["leaks", "check_leaks"])
def test_what_is_masked_is_masked_once_and_for_all(name: str) -> None:
    for shape in shapes(name):
        masked = redact_text(shape.replace("{X}", VALUES[0]))
        assert redact_text(masked) == masked
