"""The normal form: nothing unsafe is left, long values stay apart, and doing it again changes nothing."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.text import CUT, FIELD_BYTES, REPLACEMENT, TAG_BYTES, cap, clean, normal_field, normal_tag

JOINERS = "\u200c\u200d"
SELECTORS = "\ufe0e\ufe0f\U000e0100\u180b"
UNSEEN = "\u00ad\u034f\u115f\u1160\u180e\u200b\u2060\u3164\uffa0\ufeff\U000e0001\U000e0041\U000e007f"
ANY_TEXT = st.text(
    st.characters(exclude_categories=[])
    | st.sampled_from("\\ \n\x1b\u2028\u202e\ufeff\ud800" + JOINERS + SELECTORS + UNSEEN)
)
LONG_TEXT = st.builds(lambda piece, times: piece * times, st.text(min_size=1, max_size=8), st.integers(1, 2000))
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(ANY_TEXT | LONG_TEXT)
def test_nothing_unsafe_is_left(text: str) -> None:
    for normal, limit in ((normal_field(text), FIELD_BYTES), (normal_tag(text), TAG_BYTES)):
        assert len(normal.encode()) <= limit  # also: it can be encoded
        assert len((normal + "x").splitlines()) == 1
        for character in normal:
            assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} or character in JOINERS
            assert unicodedata.bidirectional(character) not in BIDI
            assert character not in UNSEEN
    assert not set(normal_tag(text)) & set(JOINERS + SELECTORS)
    assert "\\" not in normal_tag(text)
    assert normal_tag(text) == normal_tag(text).strip()


@given(ANY_TEXT | LONG_TEXT)
def test_again_changes_nothing(text: str) -> None:
    assert normal_field(normal_field(text)) == normal_field(text)
    assert normal_tag(normal_tag(text)) == normal_tag(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters=UNSEEN), max_size=60))
def test_ordinary_text_stays_itself(text: str) -> None:
    assert normal_field(text) == text
    assert normal_tag(text) == text.replace("\\", "/")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("a\nb\r\tc", f"a{REPLACEMENT}b{REPLACEMENT * 2}c"),
        ("\x00\x1b[31m\x7f\x9b", f"{REPLACEMENT * 2}[31m{REPLACEMENT * 2}"),
        ("\u2028\u2029\u202e\u2066\u061c\ufeff\ud800", REPLACEMENT * 7),
        (" a ", " a "),
        ("a\\,b", "a\\,b"),
        ("[bold] ,=\"'", "[bold] ,=\"'"),
        ("", ""),
    ],
)
def test_fields(text: str, field: str) -> None:
    assert normal_field(text) == field


@pytest.mark.parametrize(
    ("text", "tag"),
    [(" a b ", "a b"), ("a\\,b\\", "a/,b/"), ("\u00a0a\u3000", "a"), (" \u2003 ", ""), ("\n", REPLACEMENT)],
)
def test_tags(text: str, tag: str) -> None:
    assert normal_tag(text) == tag


def test_no_character_of_the_format_category_is_left() -> None:
    # Of the Unicode version of this Python; the expression lists them, since looking each up would cost start-up time.
    written = "".join(c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) == "Cf")
    assert len(written) > 150
    assert set(clean(written)) == {REPLACEMENT, *JOINERS}
    assert set(normal_tag(written[:80])) == set(normal_tag(written[80:160])) == {REPLACEMENT}


@pytest.mark.parametrize("character", UNSEEN)
def test_what_nobody_sees_is_shown(character: str) -> None:
    assert normal_tag(f"web{character}app") == normal_field(f"web{character}app") == f"web{REPLACEMENT}app"


@pytest.mark.parametrize("text", ["\u0645\u06cc\u200c\u062e\u0648", "क्\u200dष", "👩\u200d🚀 ❤\ufe0f", "葛\U000e0100"])
def test_joiners_and_selectors_stay_in_fields_alone(text: str) -> None:
    assert normal_field(text) == text
    assert len(normal_tag(text)) == len(text)
    assert REPLACEMENT in normal_tag(text)


def test_the_cap_is_exact_and_counts_bytes() -> None:
    assert cap("a" * 256, 256) == "a" * 256
    cut = cap("a" * 257, 256)
    assert len(cut.encode()) == 256
    assert cut[:-8] == "a" * 245 + CUT
    accented = cap("é" * 200, 256)  # two bytes each; none is cut through
    assert accented[:-8] == "é" * 122 + CUT


def test_long_values_that_begin_alike_stay_apart() -> None:
    values = {normal_tag("a" * 300 + str(number)) for number in range(500)}
    assert len(values) == 500
    assert normal_tag("a" * 300) != normal_tag("a" * 301)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_clean_keeps_the_length(text: str) -> None:
    assert len(clean(text)) == len(text)
