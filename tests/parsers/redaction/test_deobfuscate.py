"""Secrets in disguise: invisible characters, and other forms of ASCII ones."""

import sys
from unicodedata import normalize

import pytest

from parsers.redaction.deobfuscate import deobfuscated
from parsers.redaction.redact import redact_identifier, redact_text
from parsers.text import normal_field

SECRET = "s3cr3t-Value"
LEAKS = [
    *(
        f"pass{character}word={SECRET}"
        for character in "\u200b\u200c\u200d\u2060\u00ad\u180e\ufeff\u034f\u3164\ufe0f\x00\x7f\ufffd"
    ),
    *(f"pass{character}word={SECRET}" for character in "\U000e0001\U000e0041\U000e0100"),
    f"x\u200bcode={SECRET}",
    f"client_secret\u200b=\u200b{SECRET}",
    f"client_secret\uff1d{SECRET}",
    f"client_secret\ufe66{SECRET}",
    f"client_secret\uff1a\u3000{SECRET}",
    f"\uff43\uff4f\uff44\uff45\uff1d{SECRET}",
    f"\U0001d429\U0001d41a\U0001d42c\U0001d42c\U0001d430\U0001d428\U0001d42b\U0001d41d={SECRET}",
    f"\u24d2\u24de\u24d3\u24d4={SECRET}",
    f"code \u201c{SECRET}\u201d",
    f"pass\\u200bword={SECRET}",
    f"pass\\udb40\\udc41word={SECRET}",
    f"\\\\u0063ode={SECRET}",
    f"%63%6fde%3d{SECRET}",
    f"pass%E2%80%8Bword={SECRET}",
    f"pass%25E2%2580%258Bword={SECRET}",
    f"pass&#119;ord={SECRET}",
    f"pass&amp;#x77;ord={SECRET}",
    f"\u30d1\u30b9\u30ef\u30fc\u30c9\u300c{SECRET}\u300d",
    f"gh\u00adp_{SECRET}0123456789",
]
ORDINARY = [
    "caf\u00e9 \u2014 \u201cinvalid code\u201d\u2026",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\U0001f469\u200d\U0001f680 token expired",
    "\uff34\uff4f\uff4b\uff45\uff4e expired",
    "line one\nline two\ttoken expired",
    "c\u043ede",
    "&#60;b&#62; code &#105;s invalid &#0; &#999;",
    "100% of \\u tokens, %zz %C3%A9 \\u00e9 \\ud83d",
    "redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fstate%3D1",
]


@pytest.mark.parametrize("text", LEAKS)
def test_a_secret_in_disguise_is_masked_once_and_for_all(text: str) -> None:
    for redact in (redact_text, redact_identifier) if "=" in text or "%3d" in text else (redact_text,):
        counts: dict[str, int] = {}
        masked = redact(text, counts)
        assert SECRET not in masked
        assert sum(counts.values()) == 1
        assert redact(masked) == masked
        assert redact(normal_field(masked)) == normal_field(masked)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_was_written(text: str) -> None:
    assert redact_text(text) == text


def test_both_readings_are_looked_at() -> None:
    counts: dict[str, int] = {}
    masked = redact_text(f"x\u200bcode={SECRET} pass\u200bword={SECRET}", counts)
    assert SECRET not in masked
    assert counts == {"redacted_secret": 2}


def test_plain_text_is_the_same_text() -> None:
    text = "plain" * 3
    assert deobfuscated(text) is text


def test_every_form_of_an_ascii_character_is_known() -> None:
    for character in map(chr, range(0x80, sys.maxunicode + 1)):
        form = normalize("NFKC", character)
        if form.isascii() and form.isprintable():
            assert deobfuscated(character) in {form, "'", '"'}, hex(ord(character))
