r"""What secrets look like in text: the expressions behind ``parsers.redact``.

Credentials are found as themselves (a JWT, a vendor's prefix), by the name before them (``code=``, ``"client_secret":``,
however quoted, escaped or percent-encoded) or by being too random to have been written by a person.

Every expression must be linear in the text, because the text is hostile: no quantifier is followed by something that
also matches what it repeats, and what a match has consumed is never looked at again.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

_CODE_CHARS: Final = 20
"""The shortest run looked at: 128 bits (the example code of RFC 6749) are 22 characters of base64url."""
_OPAQUE_CHARS: Final = 32
_OPAQUE_IDENTIFIER_CHARS: Final = 41
"""From 41 characters on an identifier may be a 256-bit token (43 in base64url); Auth0's client ids have 32."""

# A quote as it may stand in text: bare, escaped by nested JSON (once or more), as \u0022, percent-encoded (once or twice).
_QUOTE: Final = r"""(?:\\*["']|\\+u0022|%(?:25)*2[27]|&quot;)"""
_SEPARATOR: Final = r"(?:[:=]|\\+u003[aAdD]|%(?:25)*3[aAdD])"
_EDGE: Final = r"(?:(?<![a-zA-Z_-])|(?<=%[0-9A-Fa-f]{2})|(?<=25[0-9A-Fa-f]{2}))"
"""No letter before a short name; the last two digits of a percent-encoded character are none."""
_SECRET_NAMES: Final = "|".join(
    (
        r"(?:(?:refresh|access|id|subject|actor|logout|registration|login_hint|bearer|auth|csrf|xsrf|session|sso|api)[_-]?)?token(?:[_-]?(?:hint|value))?",
        r"(?:client|app|api|shared|signing|consumer|totp|otp)?[_-]?secret(?:[_-]?(?:key|value|post|basic))?",
        r"pass(?:word|wd|phrase|code)|pwd",
        r"(?:client[_-]?|saml[_-]?)?assertion|saml[_-]?response",
        rf"(?:auth|authorization|device|user|verification|recovery|mfa|otp)[_-]?code|code[_-]?verifier|{_EDGE}code",
        r"(?:api|access|private|secret|encryption)[_-]?key",
        r"auth[_-]?req[_-]?id|(?:session|ticket|credential)(?:[_-]?(?:id|value))?",
        rf"{_EDGE}(?:sid|otp|pin|mfa|totp|jwt|dpop)",
    )
)
_NAMED: Final = re.compile(
    rf"(?P<name>(?:{_SECRET_NAMES})s?{_QUOTE}?\s*{_SEPARATOR}>?[\s+]*+)"
    rf"(?:(?P<open>{_QUOTE})(?P<quoted>.*?)(?P<close>(?<!\\)(?P=open)|\Z)"
    r"|(?!\[redacted:)(?P<nested>[\[{].*)"  # a list or an object of secrets: where it ends is anyone's guess
    r"|(?!\[redacted:)(?P<bare>(?![1-5][0-9]{2}(?![0-9A-Za-z]))[^\s\"'&<>]+))",  # 404 is a status, no code
    re.IGNORECASE | re.DOTALL,
)
_HEADER: Final = re.compile(
    rf"(?P<name>(?:authorization|cookie){_QUOTE}?\s*{_SEPARATOR}[ \t]*+)(?!\[redacted:)"
    rf"(?:(?P<open>{_QUOTE})(?P<quoted>.*?)(?P<close>(?<!\\)(?P=open)|\Z)|(?P<bare>[^\r\n]+))",
    re.IGNORECASE | re.DOTALL,
)
_SCHEME: Final = re.compile(
    r"(?P<scheme>(?<![a-zA-Z])(?:bearer|basic|dpop|negotiate)(?:[\s:=]|%20|\+)+)"
    # The words people write after these names; all else is a credential.
    r"(?!(?:tokens?|auth|authentication|authorization|credentials?|scheme|method|header|type|is|was|has|not|or|and|in|with|from|for"
    r"|required|missing|invalid|expired|failed|error|proof|nonce|key)(?:[\s.,;:)]|\Z))"
    r"(?!(?:realm|error|scope|algs)=)(?!\[redacted:)"
    r"(?P<value>[^\s\"'<>(){}\[\],;]+)",
    re.IGNORECASE,
)
_JWT: Final = re.compile(r"(?:eyJ|ewog|ewo[gN]|ew0K)[A-Za-z0-9_=-]{8,}(?:\.[A-Za-z0-9_=-]*)*")
_PREFIXED: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[opsur]_|github_pat_|glpat-|gloas-|xox[abeoprs]-|sk[-_](?:live|test|proj|ant|or)?[-_]?|[rp]k_(?:live|test)_|whsec_|npm_|pypi-"
    r"|dop_v1_|doo_v1_|dor_v1_|shp(?:at|ca|pa|ss)_|hv[bs]\.|SG\.|ya29\.|1//0|AIza|ory_(?:at|rt|ac)_|EAA[A-Z]|sl\.|lin_api_|figd_|atlasv1\.|v1\.M)"
    r"[A-Za-z0-9_.~+/=-]{12,}"
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|\Z)", re.DOTALL
)
_USERINFO: Final = re.compile(r"(?<=://)[^\s/?#@:\"']*:[^\s/?#@\"']+(?=@)")
_UUID_TEXT: Final = r"[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}"
_UUID: Final = re.compile(rf"(?<![0-9A-Za-z]){_UUID_TEXT}(?![0-9A-Za-z])")
_UUID_CODE: Final = re.compile(rf"{_UUID_TEXT}(?:\.{_UUID_TEXT}){{2}}")
"""Keycloak's authorization code: three UUIDs."""
OPAQUE_RUN: Final = re.compile(rf"[A-Za-z0-9_+/=~-]{{{_CODE_CHARS},}}")
"""What `is_opaque` judges."""
_HEX: Final = re.compile(r"[0-9a-fA-F-]{1,64}")
_FLIPS: Final = re.compile(r"(?<=[a-z])[A-Z]|(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]|(?<=[A-Za-z0-9])[_+=~-]")
_LONG_WORD: Final = re.compile(r"[A-Za-z0-9]{20,}")

_SECRET_HINTS: Final = tuple(
    "token secret pass pwd assertion response code key req session ticket credential sid otp pin mfa jwt dpop".split()  # noqa: SIM905  # words, not a list of quotes
)


class Shape(NamedTuple):
    """One kind of secret and how to mask it."""

    kind: str
    hints: tuple[str, ...]
    """The expression is tried only when one of these is in the text's lower case: most text has none of them."""
    expression: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]


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


def _mask_value(kind: str) -> Callable[[re.Match[str]], str]:
    """Return a replacement that keeps the name and the quotes and masks what is between."""

    def mask(match: re.Match[str]) -> str:
        return f"{match['name']}{match['open'] or ''}[redacted:{kind}]{match['close'] or ''}"

    return mask


SHAPES: Final[tuple[Shape, ...]] = (
    Shape("private_key", ("private key",), _PRIVATE_KEY, "[redacted:private_key]"),
    Shape("jwt", ("eyj", "ewo", "ew0"), _JWT, "[redacted:jwt]"),
    Shape("credential", ("authorization", "cookie"), _HEADER, _mask_value("credential")),
    Shape("secret", _SECRET_HINTS, _NAMED, _mask_value("secret")),
    Shape("credential", ("bearer", "basic", "dpop", "negotiate"), _SCHEME, r"\g<scheme>[redacted:credential]"),
    Shape("token", ("_", "-", ".", "1//0", "aiza", "eaa"), _PREFIXED, "[redacted:token]"),
    Shape("code", ("-",), _UUID_CODE, "[redacted:code]"),
    Shape("password", ("://",), _USERINFO, "[redacted:password]"),
)
