r"""What secrets are called, and the signs around a name and its value: what ``parsers.redaction.patterns`` and ``parsers.redaction.sentences`` are made of.

All of these are pieces of regular expressions that ignore case. A sign may stand in text bare, escaped by nested JSON (once
or more), as an entity of HTML, or percent-encoded (once or twice). Repetitions are bounded, or begin and end where nothing
else in the expression can.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from parsers.redaction.languages import FOREIGN_SHORT_WORDS, FOREIGN_WORDS


def atomic(name: str, expression: str) -> str:
    """Return an expression that matches as this one does at first, and never gives back any of it.

    A possessive repeat of a group, ``(?:...)*+``, and an atomic group say the same, but not before CPython 3.11.5: there
    they lose matches, so secrets (gh-106052; Debian 12 has 3.11.2). A lookahead is never entered again either. It
    takes a group, whose name must be new. A possessive repeat of a single character or set is right everywhere.
    """
    return f"(?=(?P<{name}>{expression}))(?P={name})"


QUOTE: Final = r"""(?:\\{0,8}["'`]|\\{1,8}(?:u00|x)2[27]|%(?:25)*2[27]|&(?:amp;)*(?:quot|apos|#0*3[49]|#x2[27]);)"""
SEPARATOR: Final = r"(?:[:=]|\\{1,8}(?:u00|x)3[ad]|%(?:25)*3[ad]|&(?:amp;)*(?:colon|equals|#0*(?:58|61)|#x3[ad]);)"
LESS: Final = r"(?:<|\\{1,8}(?:u00|x)3c|%(?:25)*3c|&(?:amp;)*(?:lt|#0*60|#x3c);)"
GREATER: Final = r"(?:>|\\{1,8}(?:u00|x)3e|%(?:25)*3e|&(?:amp;)*(?:gt|#0*62|#x3e);)"
SLASH: Final = r"(?:\\{0,8}/|\\{1,8}(?:u00|x)2f|%(?:25)*2f)"
BRACKET: Final = r"(?:\[[0-9]{0,3}\]|\]|%(?:25)*5d|(?:, ?[\w, ]{1,64}+)?\))"
"""What ends ``user[password]``, ``codes[0]`` and the columns of ``Key (code, client)=(x, web) already exists``."""
BLANKS: Final = r"[\s+]*+(?:%(?:25)*20[\s+]*+)*"
END: Final = r"(?:[\s\"'`&<>]|\\{1,8}[\"']|\Z)"
"""What a value without quotes ends at."""
MASKED: Final = rf"\[redacted:[a-z_]{{1,20}}(?::[0-9a-f]{{16}})?\](?=[,;)\]}}]|{END})"
"""A value that is a mask already, all of it: a mask with something behind it hides nothing of that."""

_ENCODED: Final = r"(?<=%[0-9a-f]{2})|(?<=25[0-9a-f]{2})|(?<=u00[23][0-9a-f])|(?<=\\x[23][0-9a-f])|(?<=\\[nrt])"
_EDGE: Final = rf"(?:(?<![a-z])|{_ENCODED})"
"""No letter before a short name; what is left of an encoded character is none."""
_ALONE: Final = rf"(?:(?<![a-z_-])|{_ENCODED})"
"""As before, and no longer name."""

_OTHER_CODES: Final = ["error", "failure", "status", "exit", "response", "reason", "return", "result", "country", "language", "lang", "currency", "region", "locale", "state", "zip", "postal", "area", "phone", "dial", "post", "city", "http", "sub", "product", "promo", "coupon", "discount", "source", "type", "airport", "station", "service", "event", "bar", "qr", "vat", "tax", "fault", "message", "customer", "account", "tenant", "department", "company", "bank", "branch", "sort", "swift", "hash", "byte", "char", "machine", "op", "native", "dead", "legacy"]  # fmt: skip
_NO_CODE: Final = "".join(rf"(?<!{kind}[\s]code)" for kind in _OTHER_CODES)
"""A code of something else, two words apart; written in one it is a longer name, and no ``_ALONE`` code."""
_GAP: Final = r"[\s_-]?"


def _each(first: str, rest: str) -> list[str]:
    return [f"{word}{_GAP}{rest}" for word in first.split()]


_BOUND: Final = r"(?![a-rt-z])"
"""No letter behind a short name but the ``s`` of many: there are signs, pings and passengers."""
# What stands before a name in a longer one (`refresh_token`, `clientSecret`) makes no difference, so it is not here.
_WORDS: Final = (
    rf"token(?:{_GAP}(?:hint|value))?",
    rf"secret(?:{_GAP}(?:key|value|post|basic))?",
    rf"pass{_GAP}(?:w[o0]r[dt]|wd|phrase|code)",
    r"p@ssw[o0]rd",
    r"pa[s$]\$w[o0]rd",
    "pwd",
    "assertion",
    rf"saml(?:{_GAP}(?:response|request|art(?:ifact)?)|p(?![a-z]))",
    rf"relay{_GAP}state",
    rf"session(?:{_GAP}(?:id|value|state|cookie))?",
    *_each(
        "api access private secret encryption signing account subscription master recovery activation license", "key"
    ),
    *_each(
        "auth authorization device user verification recovery backup access security activation confirmation", "code"
    ),
    *_each("reset login session sms email mfa 2fa otp pairing", "code"),
    rf"one{_GAP}time{_GAP}(?:code|pass(?:word|code)?)",
    rf"code{_GAP}verifier",
    rf"shared{_GAP}access{_GAP}signature",
    rf"security{_GAP}answer",
    rf"bind{_GAP}(?:pw|cred)",
    *_each("root user admin db ldap", "pw"),
    rf"magic{_GAP}link",
    *FOREIGN_WORDS,
)
_SHORT_WORDS: Final = (rf"{_ALONE}code{_NO_CODE}", rf"{_EDGE}t?otp", rf"{_EDGE}pin")
_MORE_WORDS: Final = (
    rf"ticket(?:{_GAP}(?:id|value))?",
    rf"credential(?:{_GAP}(?:id|value))?",
    rf"auth{_GAP}req{_GAP}id",
    rf"oauth{_GAP}verifier",
    *(
        _EDGE + word
        for word in ("sid", "(?:php)?sess(?:id)?", "pass", "pw", "pswd?", "puk", "cvv", "creds", "2fa", "mfa", "jwt", rf"dpop(?:{_GAP}proof)?", "sig")
    ),
    *(_ALONE + word for word in FOREIGN_SHORT_WORDS),
    rf"{_EDGE}amz-signature",
)  # fmt: skip


def _joined(words: tuple[str, ...]) -> str:
    """Return an expression of these words, by their first letter: the engine tries one alternative a letter, not one a word."""
    letters: dict[str, list[str]] = {}
    others: list[str] = []
    for word in words:
        for each in [word] if "(" in word else word.split("|"):
            if each[0].isalpha():
                letters.setdefault(each[0], []).append(each[1:])
            else:
                others.append(each)
    return "|".join([*(f"{letter}(?:{'|'.join(rests)})" for letter, rests in letters.items()), *others])


WORDS: Final = _joined(_WORDS + _SHORT_WORDS)
"""Names that nothing else has. ``code`` is one only by itself: there are codes of errors, countries and exits, too."""
NAMES: Final = f"(?:{_joined(_WORDS + _SHORT_WORDS + _MORE_WORDS)})"
"""Names that tell a secret with a sign (a colon, an equals sign) between them and it."""


def _grouped(beginnings: Iterable[str]) -> str:
    """Return an expression of alternatives that begin with a character each: the engine skips to those in one pass."""
    groups: dict[str, list[str]] = {}
    for beginning in beginnings:
        firsts = beginning[1 : beginning.index("]")] if beginning[0] == "[" else beginning[0]
        rest = beginning[beginning.index("]") + 1 :] if beginning[0] == "[" else beginning[1:]
        for first in firsts:
            groups.setdefault(first, []).append(rest)
    return "|".join(f"{first}(?={'|'.join(rests)})" for first, rests in groups.items())


_NO_NAMES: Final = {
    "token": "(?![a-gi-rt-uw-z])",
    "secret": "(?![ac-jl-oq-rt-uw-z])",
    "session": "(?![a-hj-rt-uw-z])",
}
"""What makes something else of these, such as ``TokenEndpoint`` in a trace of Java's, whose names should not add up."""
_SHORT_BEGINNINGS: Final = ("code", "otp", "pin", "sid", "phpsess", "sess", "pass", "pw", "psw", "pswd", "puk", "cvv", "creds", "2fa", "mfa", "totp", "jwt", "dpop", "sig", "amz-signature")  # fmt: skip


def _beginnings() -> Iterator[str]:
    for word in _WORDS:
        if word.startswith("(?:"):  # 验证码 and its kin: an alternative of beginnings
            heads, _, rest = word.removeprefix("(?:").partition(")")
            yield from (head + rest for head in heads.split("|"))
        elif word.isascii() or "(" in word or "[" in word:
            stem = next((stem for stem in _NO_NAMES if word.startswith(f"{stem}(?:")), "")
            yield stem + _NO_NAMES[stem] if stem else word
        else:
            yield from word.split("|")
    yield from (word for word in _MORE_WORDS if word[0].isalpha())
    yield from (word + _BOUND for word in _SHORT_BEGINNINGS)
    yield from (word + _BOUND for word in FOREIGN_SHORT_WORDS)
    yield from ("sessid", "phpsessid", "auth(?=[\"'`\\s]{0,2}[:=])")


_ALL: Final = tuple(_beginnings())
_IN_ASCII: Final = re.compile(_grouped(word for word in _ALL if word[0].isascii()))
_IN_ANY: Final = re.compile(_grouped(_ALL))


def beginnings(lower: str) -> Iterator[int]:
    """Yield where a name may begin in the lower case of a text. Most texts are ASCII, and cost a third less for it."""
    return map(re.Match.start, (_IN_ASCII if lower.isascii() else _IN_ANY).finditer(lower))
