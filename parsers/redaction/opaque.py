"""Runs of characters that look drawn by lot: tokens, and identifiers that were made like them."""

import re
from typing import Final

SHORTEST: Final = 20
"""The shortest run looked at: 128 bits (the example code of RFC 6749) are 22 characters of base64url."""
LONGEST_IDENTIFIER: Final = 64
"""Longer random identifiers are masked. Up to here they are what dynamic registration, Doorkeeper (43 characters) and pairwise
subjects hand out, and nothing but its place tells one from a token."""
RUN: Final = re.compile(rf"[A-Za-z0-9_+/=~-]{{{SHORTEST},}}")
"""What ``is_opaque`` judges."""
LONG_RUN: Final = re.compile(rf"[A-Za-z0-9_+/=~-]{{{LONGEST_IDENTIFIER + 1},}}")
"""As ``RUN``, in identifiers."""
UUID_TEXT: Final = r"[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}"
PUBLIC_IDENTIFIER: Final = (
    r"(?:[0-9]{6,21}-[a-z0-9]{20,40}\.apps\.googleusercontent\.com"  # Google's client ids
    r"|3MVG9[A-Za-z0-9._]{40,120})(?![A-Za-z0-9._-])"  # Salesforce's consumer keys
)
"""What looks drawn by lot and is known to be public."""

_OPAQUE_CHARS: Final = 32
_UUID: Final = re.compile(rf"(?<![0-9A-Za-z]){UUID_TEXT}(?![0-9A-Za-z])")
_HEX: Final = re.compile(r"[0-9a-fA-F-]{1,128}")
_LONG_WORD: Final = re.compile(r"[A-Za-z0-9]{20,}")
_DIGIT: Final = re.compile("[0-9]")
_KINDS: Final = str.maketrans(
    {
        **{chr(code): "a" for code in range(ord("a"), ord("z") + 1)},
        **{chr(code): "A" for code in range(ord("A"), ord("Z") + 1)},
        **dict.fromkeys("0123456789", "0"),
        **dict.fromkeys("_+=~-", "-"),
    }
)
"""The kind of each character. A slash keeps its own: it parts the words of a path."""
_FLIPS: Final = ("aA", "a0", "A0", "0a", "0A", "a-", "A-", "0-")


def is_opaque(run: str) -> bool:
    """Whether a run of base64 characters looks drawn by lot rather than written by people.

    Random text changes its kind of character (lower, upper, digit, sign) about every second character; words, paths and
    CamelCase do so at most every fourth (a capital that starts a word does not count as a change back). And people do
    not write twenty letters and digits in a row.
    """
    rest = _UUID.sub("", run) if "-" in run else run
    kinds = rest.translate(_KINDS)
    flips = sum(map(kinds.count, _FLIPS)) / (len(rest) or 1)
    if len(rest) < _OPAQUE_CHARS:  # short: must be mixed in every way
        return len(rest) >= SHORTEST and flips >= 0.3 and _is_mixed(rest) and not (rest.isupper() or rest.islower())
    return flips >= 0.25 or any(map(_is_mixed, _LONG_WORD.findall(rest)))


def is_opaque_identifier(run: str) -> bool:
    """As ``is_opaque``, of a long identifier: hashes in hex are such, up to SHA-512."""
    return not _HEX.fullmatch(run) and is_opaque(run)


def _is_mixed(word: str) -> bool:
    """Whether there are both letters and digits."""
    return word.upper() != word.lower() and bool(_DIGIT.search(word))
