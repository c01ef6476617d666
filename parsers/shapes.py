r"""What secrets look like in text: the expressions behind ``parsers.redact``.

Credentials are found as themselves (a JWT, a vendor's prefix), by the name before them (``code=``, ``"client_secret":``,
``<password>``, however quoted, escaped or percent-encoded; ``parsers.naming``), by the path or sentence that they are in
(``parsers.prose``) or by being too random to have been written by a person.

Every expression must be linear in the text, because the text is hostile: no quantifier without a bound is followed by
something that also matches what it repeats, and what a match has consumed is never looked at again.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from parsers.naming import BLANKS, BRACKET, END, GREATER, HINTS, LESS, MASKED, NAMES, QUOTE, SEPARATOR, SLASH, atomic
from parsers.prose import IN_PATH, IN_PROSE

_CODE_CHARS: Final = 20
"""The shortest run looked at: 128 bits (the example code of RFC 6749) are 22 characters of base64url."""
_OPAQUE_CHARS: Final = 32
_OPAQUE_IDENTIFIER_CHARS: Final = 41
"""From 41 characters on an identifier may be a 256-bit token (43 in base64url); Auth0's client ids have 32."""

_STATUS: Final = rf"[1-5][0-9]{{2}}(?:[,;|)\]}}]|[.:!?]*{END})"
_SEPARATORS: Final = atomic("separators", f"{SEPARATOR}{{1,3}}")
_BLANKS: Final = atomic("blanks", BLANKS)
_NAMED: Final = re.compile(
    rf"(?P<name>{NAMES}(?:s|[_-]?(?:confirm(?:ation)?|hash|new|old|again|[0-9]))?(?:{BRACKET}|{QUOTE}){{0,3}}"
    rf"(?:[\s,;]*+{QUOTE}?(?:value|val|v|content){QUOTE}?)?"  # a form's field: name="code" value="...", and in JSON
    rf"(?:{BLANKS}{_SEPARATORS}>?{_BLANKS}|(?<=[\"'])(?:\r?\n){{2}})"  # two line ends: a part of a multipart form
    r"(?:(?:[bur]{1,2}|[a-z_.]{1,16}\()(?=[\"']))?)"  # b"..." and Some("...")
    rf"(?:(?P<open>{QUOTE})(?P<quoted>.*?)(?P<close>(?<!\\)(?P=open)|\Z)|(?<=\)=)(?P<row>\([^)]*\)?)"
    r"|(?!\[redacted:)(?P<nested>[\[{].*)"  # a list or an object of secrets: where it ends is anyone's guess
    rf"|(?!{MASKED})(?P<bare>(?!{_STATUS}){LESS}?[^\s\"'&<>]+))",  # 404 is a status, no code
    re.IGNORECASE | re.DOTALL,
)
_ELEMENT: Final = re.compile(
    rf"(?P<name>{LESS}[\w.:-]{{0,16}}?(?P<tag>{NAMES}s?)(?:\s[^<>]{{0,128}}?)?(?<!/){GREATER})"
    # "Bearer <token> expected" is a form to fill in, unless an element ends behind it.
    rf"(?!(?:[\s\"'`.,;:)\]/]|\Z)(?![^<&%\\]{{0,256}}{LESS}{SLASH}))"
    rf"(?P<open>)(?P<value>.*?)(?P<close>{LESS}{SLASH}[\w.:-]{{0,16}}?(?P=tag)|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_HEADER: Final = re.compile(
    rf"(?P<name>(?:authorization|cookies?){QUOTE}?\s*{SEPARATOR}[ \t]*+)(?!\[redacted:[a-z_]+\](?:[\r\n]|\Z))"
    rf"(?:(?P<open>{QUOTE})(?P<quoted>.*?)(?P<close>(?<!\\)(?P=open)|\Z)|(?P<bare>[^\r\n]+))",
    re.IGNORECASE | re.DOTALL,
)
_SCHEME_END: Final = atomic("end", r"(?:[\s:=+]++|%20)+")
_SCHEME: Final = re.compile(
    rf"(?P<name>(?<![a-zA-Z])(?:bearer|basic|dpop|negotiate|ssws){_SCHEME_END})"
    # The words people write after these names; all else is a credential.
    r"(?!(?:tokens?|auth|authentication|authorization|credentials?|scheme|method|header|type|is|was|has|not|or|and|in|with|from|for"
    r"|required|missing|invalid|expired|failed|error|proof|nonce|key)(?:[\s.,;:)]|\Z))"
    r"(?!(?:realm|error|scope|algs)=)(?!\[redacted:)"
    r"(?P<open>)(?P<value>[^\s\"'<>(){}\[\],;]+)(?P<close>)",
    re.IGNORECASE,
)
_JWT: Final = re.compile(r"(?:eyJ|ewog|ewo[gN]|ew0K)[A-Za-z0-9_=-]{8,}(?:\.[A-Za-z0-9_=-]*)*")
_PREFIXED: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:gh[opsur]_|github_pat_|gl(?:pat|oas|soat|dt|rt|cbt|ptt|ft|agent|imt)-|xox[abeoprs]-|xapp-"
    r"|sk[-_](?:live|test|proj|ant|or)?[-_]?|[rp]k_(?:live|test)_|whsec_|npm_|pypi-|dop_v1_|doo_v1_|dor_v1_|shp(?:at|ca|pa|ss)_"
    r"|hv[bsr]\.|SG\.|ya29\.|1//0|4/0A|GOCSPX-|AIza|ory_(?:at|rt|ac)_|EAA[A-Z]|sl\.|lin_api_|figd_|atlasv1\.|ATATT3|v1\.M"
    r"|hf_|sbp_|PMAK-|NRAK-|sntry[su]_|dckr_pat_|dp\.[a-z]{2}\.)[A-Za-z0-9_.~+/=-]{12,}|A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9]))"
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|\Z)", re.DOTALL
)
_USERINFO: Final = re.compile(
    r"(?<=://)[^\s/?#@:\"']*:[^\s/?#\"']+(?=@)"
    r"|(?<=%3a%2f%2f)[^\s/?#@:%\"']*(?::|%3a)(?:(?!%2f)[^\s/?#\"'&]){1,256}?(?=%40|@)",
    re.IGNORECASE,
)
_UUID_TEXT: Final = r"[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}"
_UUID: Final = re.compile(rf"(?<![0-9A-Za-z]){_UUID_TEXT}(?![0-9A-Za-z])")
_UUID_CODE: Final = re.compile(rf"{_UUID_TEXT}(?:\.{_UUID_TEXT}){{2}}")
"""Keycloak's authorization code: three UUIDs."""
OPAQUE_RUN: Final = re.compile(rf"[A-Za-z0-9_+/=~-]{{{_CODE_CHARS},}}")
"""What `is_opaque` judges."""
_HEX: Final = re.compile(r"[0-9a-fA-F-]{1,64}")
_FLIPS: Final = re.compile(r"(?<=[a-z])[A-Z]|(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]|(?<=[A-Za-z0-9])[_+=~-]")
_LONG_WORD: Final = re.compile(r"[A-Za-z0-9]{20,}")


class Look(NamedTuple):
    """An expression, and what takes the place of what it matches: what is kept of it, and the mask."""

    expression: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]


class Shape(NamedTuple):
    """What some secrets look like."""

    hints: tuple[str, ...]
    """The looks are tried only when one of these is in the text's lower case: most text has none of them."""
    looks: tuple[Look, ...]


def is_opaque(run: str, *, identifier: bool) -> bool:
    """Whether a run of base64 characters looks drawn by lot rather than written by people.

    Random text changes its kind of character (lower, upper, digit, sign) about every second character; words, paths and
    CamelCase do so at most every fourth (a capital that starts a word does not count as a change back). And people do
    not write twenty letters and digits in a row.
    """
    if identifier and (len(run) < _OPAQUE_IDENTIFIER_CHARS or _HEX.fullmatch(run)):
        return False
    rest = _UUID.sub("", run)
    flips = len(_FLIPS.findall(rest)) / (len(rest) or 1)
    if len(rest) < _OPAQUE_CHARS:  # short: must be mixed in every way
        return len(rest) >= _CODE_CHARS and flips >= 0.3 and _is_mixed(rest) and not (rest.isupper() or rest.islower())
    return flips >= 0.25 or any(map(_is_mixed, _LONG_WORD.findall(rest)))


def _is_mixed(word: str) -> bool:
    """Whether there are both letters and digits."""
    return word.upper() != word.lower() and any(map(str.isdecimal, word))


def _mask(kind: str) -> Callable[[re.Match[str]], str]:
    """Return a replacement that keeps the name and the quotes. A function, since a template costs more to begin with."""

    def mask(match: re.Match[str]) -> str:
        return f"{match['name']}{match['open'] or ''}[redacted:{kind}]{match['close'] or ''}"

    return mask


def _shapes(*sentences: Look) -> tuple[Shape, ...]:
    secret, credential = _mask("secret"), _mask("credential")
    return (
        Shape(("private key",), (Look(_PRIVATE_KEY, "[redacted:private_key]"),)),
        Shape(("eyj", "ewo", "ew0"), (Look(_JWT, "[redacted:jwt]"),)),
        Shape(("authorization", "cookie"), (Look(_HEADER, credential),)),
        Shape(("<", "lt;", "3c", "60;"), (Look(_ELEMENT, secret),)),
        Shape(HINTS, (Look(_NAMED, secret), Look(IN_PATH, secret), *sentences)),
        Shape(("bearer", "basic", "dpop", "negotiate", "ssws"), (Look(_SCHEME, credential),)),
        Shape(("_", "-", ".", "/0", "aiza", "eaa", "akia", "asia"), (Look(_PREFIXED, "[redacted:token]"),)),
        Shape(("-",), (Look(_UUID_CODE, "[redacted:code]"),)),
        Shape(("://", "%3a%2f%2f"), (Look(_USERINFO, "[redacted:password]"),)),
    )


SHAPES: Final = _shapes()
TEXT_SHAPES: Final = _shapes(Look(IN_PROSE, _mask("secret")))
"""Free text has sentences, too. An identifier has none: "Token App2" is a client's name."""
