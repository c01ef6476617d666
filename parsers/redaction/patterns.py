r"""What secrets look like in text: the expressions behind ``parsers.redaction.redact``.

Credentials are found as themselves (a JWT, a vendor's prefix), by the name before them (``code=``, ``"client_secret":``,
``<password>``, however quoted, escaped or percent-encoded; ``parsers.redaction.key_names``), by the command, path or sentence that they
are in (``parsers.redaction.commands``, ``parsers.redaction.sentences``) or by being too random to have been written by a person (``parsers.redaction.opaque``).

Every expression must be linear in the text, because the text is hostile: no quantifier without a bound is followed by
something that also matches what it repeats, and what a match has consumed is never looked at again. Those that begin with
a name cost most. They are tried at the places alone where a name begins, and at no more of these than a text of people has.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from parsers.redaction.commands import COMMANDS
from parsers.redaction.expression import Expression
from parsers.redaction.fields import REVERSED, has_secret_name
from parsers.redaction.key_names import (
    BLANKS,
    BRACKET,
    END,
    GREATER,
    LESS,
    MASKED,
    NAMES,
    QUOTE,
    SEPARATOR,
    SLASH,
    atomic,
)
from parsers.redaction.opaque import UUID_TEXT
from parsers.redaction.paths import BEFORE_PATH, IN_LINK, IN_PATH, IN_QUERY
from parsers.redaction.sentences import IN_PROSE, ORDINARY
from parsers.redaction.verdicts import LETTERS, STATES

_STATUS: Final = rf"[1-5][0-9]{{2}}(?:[,;|)\]}}]|[.:!?]*{END})"
_VERDICT: Final = rf"(?:{STATES})[.,;:!?)\]}}]*{END}"
_SEPARATORS: Final = atomic("separators", f"{SEPARATOR}{{1,3}}")
_BLANKS: Final = atomic("blanks", BLANKS)
_OPERATIONS: Final = (
    "read|write|create|update|delete|manage|admin|list|view|edit|revoke|introspect|issue|exchange|refresh|all|full|rotate|reset"
    "|change|use|execute|own|self|any|grant|generate|sign|verify|validate|readonly|read_only|query|get|post|put|patch"
)


def _named(word: str) -> Expression:
    """Return the expression of a name, a sign and a value. ``word``: what directly behind a colon is no secret."""
    return Expression(
        rf"(?P<name>{NAMES}(?:s|[_-]?(?:confirm(?:ation)?|hash|new|old|again|is|was|[0-9]))?(?:{BRACKET}|{QUOTE}){{0,3}}"
        rf"(?:[\s,;]*+{QUOTE}?(?:value|val|v|content){QUOTE}?)?"  # a form's field: name="code" value="...", and in JSON
        rf"(?:{BLANKS}{_SEPARATORS}>?{_BLANKS}|(?<=[\"'])(?:(?:\r?\n){{2}}|\s?>))"
        # Two line ends: a part of a multipart form; a bracket: an element's, whose attribute has the name.
        r"(?:(?:[bur]{1,2}|[a-z_.]{1,16}\()(?=[\"']))?)"  # b"..." and Some("...")
        rf"(?:(?P<open>{QUOTE})(?P<quoted>.*?)(?P<close>(?<!\\)(?P=open)|\Z)|(?<=\)=)(?P<row>\([^)]*\)?)"
        r"|(?!\[redacted:)(?P<nested>[\[{].*)"  # a list or an object of secrets: where it ends is anyone's guess
        rf"|(?!{MASKED}|(?<=[a-z]:){word})(?!(?<=[\s:=])(?:{_VERDICT}|(?:bearer|basic|dpop|negotiate|ssws)\s+\[redacted:))"
        rf"(?P<bare>(?!{_STATUS}){LESS}?[^\s\"'&<>]+))",  # 404 is a status, no code
        re.IGNORECASE | re.DOTALL,
    )


_NAMED_IN_TEXT: Final = _named(rf"(?:{_OPERATIONS})(?:[.:_-][a-z]{{1,20}}){{0,3}}[.,;!?)\]}}]*{END}")
"""``token:read`` is a scope, in an error message about one, too."""
_NAMED_IN_NAMES: Final = _named(
    rf"(?:[a-z]{{1,20}}(?:[._-][a-z]{{1,20}}){{0,3}}|v[0-9]{{1,2}}|\*)(?::[\w.*-]{{1,64}}){{0,3}}{END}"
)
"""In a scope or an identifier a word behind a colon is a part of it: ``token:exchange-service``."""
_ELEMENT: Final = Expression(
    rf"(?P<name>(?P<tag>{NAMES}s?)(?:\s[^<>]{{0,128}}?)?(?<!/){GREATER})"
    # "Bearer <token> expected" is a form to fill in, unless an element ends behind it.
    rf"(?!(?:[\s\"'`.,;:)\]/]|\Z)(?![^<&%\\]{{0,256}}{LESS}{SLASH}))"
    rf"(?P<open>)(?P<value>.*?)(?P<close>{LESS}{SLASH}[\w.:-]{{0,16}}?(?P=tag)|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_BEFORE_ELEMENT: Final = Expression(rf"{LESS}[\w.:-]{{0,16}}\Z", re.IGNORECASE)
_FORM: Final = Expression(
    r"(?P<name>(?:(?<=[?&])|(?<=%26)|(?<=%3f))(?:state|request|wresult|wctx)(?:=|%(?:25)*3d))(?P<open>)"
    r"(?!\[redacted:)(?P<value>[^\s\"'`&<>%]{4,})(?P<close>)",
    re.IGNORECASE,
)
"""Fields of an authorization request that are secrets (RFC 6749 section 10.12) or hold some, and ordinary words elsewhere."""
_REQUEST_URI: Final = Expression(
    r"(?P<name>oauth(?::|%3a)request_uri(?::|%3a))(?P<open>)(?P<value>[^\s\"'`&<>]+)(?P<close>)", re.IGNORECASE
)
_HEADER: Final = Expression(
    rf"(?P<name>(?:authorization|cookies?){QUOTE}?\s*{SEPARATOR}[ \t]*+)(?!\[redacted:[a-z_]+\](?:[\r\n]|\Z))"
    rf"(?:(?P<open>{QUOTE})(?P<quoted>.*?)(?P<close>(?<!\\)(?P=open)|\Z)|(?P<bare>[^\r\n]+))",
    re.IGNORECASE | re.DOTALL,
)
_SCHEME_END: Final = atomic("end", r"(?:[\s:=+]++|%20)+[\"'`]?")
_SCHEME: Final = Expression(
    rf"(?P<name>(?<![a-zA-Z])(?:bearer|basic|dpop|negotiate|ssws){_SCHEME_END})"
    # The words people write after these names; all else is a credential.
    r"(?!(?:tokens?|auth|authentication|authorization|credentials?|scheme|method|header|type|is|was|has|not|or|and|in|with|from|for"
    r"|required|missing|invalid|expired|failed|error|proof|nonce|key)(?:[\s.,;:)\"'`]|\Z))"
    rf"(?![a-z_]{{1,32}}=(?![=\s]|\Z))(?!\[redacted:)(?!(?<=basic[\s]){LETTERS}[.,;:!?)]*{END})"
    r"(?P<open>)(?P<value>[^\s\"'<>(){}\[\],;]+)(?P<close>)",
    re.IGNORECASE,
)
_JWT: Final = Expression(r"(?:eyJ|ewog|ewo[gN]|ew0K)[A-Za-z0-9_=-]{8,}(?:\.[A-Za-z0-9_=-]*)*")
_PREFIXED: Final = Expression(
    r"(?<![A-Za-z0-9])(?:(?:gh[opsur]_|github_pat_|gl(?:pat|oas|soat|dt|rt|cbt|ptt|ft|agent|imt)-|xox[abeoprs]-|xapp-"
    r"|sk[-_](?:live|test|proj|ant|or)?[-_]?|[rp]k_(?:live|test)_|whsec_|npm_|pypi-|dop_v1_|doo_v1_|dor_v1_|shp(?:at|ca|pa|ss)_"
    r"|hv[bsr]\.|SG\.|ya29\.|1//0|4/0A|GOCSPX-|AIza|ory_(?:at|rt|ac)_|EAA[A-Z]|sl\.|lin_api_|figd_|atlasv1\.|ATATT3|v1\.M"
    r"|hf_|sbp_|PMAK-|NRAK-|sntry[su]_|dckr_pat_|dp\.[a-z]{2}\.)[A-Za-z0-9_.~+/=-]{12,}|A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9]))"
)
_PRIVATE_KEY: Final = Expression(
    r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|\Z)", re.DOTALL
)
_AUTH: Final = Expression(
    # Behind a colon and before more words it is a sentence: `auth: pam(bob,10.0.0.1): unknown user`.
    rf"(?P<name>(?<![a-z])auth{QUOTE}?\s?(?:=\s?|{SEPARATOR}\s?(?={QUOTE}|[^\s\"'`&<>(){{}}\[\],;]{{4,256}}(?:[\"'`,;&}}\]]|\s*\Z))))"
    rf"(?P<open>{QUOTE}?)(?!{ORDINARY}|(?:x?oauth2?|(?:cram|digest|scram)-[a-z0-9-]{{3,16}}|ntlm(?:v2)?|sha-?[0-9]{{1,3}}|md5|x509|saml2?)(?![\w-])|(?:server|client)auth|[\w.]{{1,64}}[(\[])"
    r"(?P<value>[^\s\"'`&<>(){}\[\],;]{4,})(?P<close>)",
    re.IGNORECASE,
)
"""``REDIS_AUTH=x``: a word that is mostly none of a secret's, so its value must be no word."""
_USERINFO: Final = Expression(
    r"(?<=://)[^\s/?#@:\"']*:[^\s/?#\"']+(?=@)"
    # A token alone: https://x@github.com. Of other schemes it is a user.
    rf"|(?<=https://)(?!{LETTERS}@|\[)[^\s/?#@:\"'<>]{{6,256}}(?=@)"
    r"|(?<=%3a%2f%2f)[^\s/?#@:%\"']*(?::|%3a)(?:(?!%2f)[^\s/?#\"'&]){1,256}?(?=%40|@)",
    re.IGNORECASE,
)
_UUID_CODE: Final = Expression(rf"{UUID_TEXT}(?:\.{UUID_TEXT}){{2}}")
"""Keycloak's authorization code: three UUIDs."""


class Rule(NamedTuple):
    """An expression, and what takes the place of what it matches: what is kept of it, and the mask."""

    expression: Expression
    replacement: str | Callable[[re.Match[str]], str]


class SecretPattern(NamedTuple):
    """What some secrets look like."""

    hints: tuple[str, ...]
    """The looks are tried only when one of these is in the text's lower case: most text has none of them."""
    looks: tuple[Rule, ...]


class NamedLook(NamedTuple):
    """What stands at a name."""

    hints: tuple[str, ...]
    """As those of a shape; none is always."""
    before: Expression | None
    """What must end where the name begins, within ``BEFORE_CHARS``."""
    expression: Expression
    replacement: Callable[[re.Match[str]], str]


class Kind(NamedTuple):
    """A kind of text, by what secrets look like in it."""

    certain: tuple[SecretPattern, ...]
    """Those that are known by themselves; asked first."""
    named: tuple[NamedLook, ...]
    """Those that have a name."""
    others: tuple[SecretPattern, ...]


BEFORE_CHARS: Final = 40


def _mask(kind: str) -> Callable[[re.Match[str]], str]:
    """Return a replacement that keeps the name and the quotes. A function, since a template costs more to begin with."""

    def mask(match: re.Match[str]) -> str:
        return f"{match['name']}{match['open'] or ''}[redacted:{kind}]{match['close'] or ''}"

    return mask


_SECRET: Final = _mask("secret")


def _secret_if_named(match: re.Match[str]) -> str:
    return _SECRET(match) if has_secret_name(match) else match[0]


CERTAIN: Final = (
    SecretPattern(("private key",), (Rule(_PRIVATE_KEY, "[redacted:private_key]"),)),
    SecretPattern(("eyj", "ewo", "ew0"), (Rule(_JWT, "[redacted:jwt]"),)),
    SecretPattern(("authorization", "cookie"), (Rule(_HEADER, _mask("credential")),)),
    SecretPattern(("bearer", "basic", "dpop", "negotiate", "ssws"), (Rule(_SCHEME, _mask("credential")),)),
    SecretPattern(("_", "-", ".", "/0", "aiza", "eaa", "akia", "asia"), (Rule(_PREFIXED, "[redacted:token]"),)),
)
_OTHERS: Final = (
    SecretPattern(("-",), (Rule(_UUID_CODE, "[redacted:code]"),)),
    SecretPattern(("://", "%3a%2f%2f"), (Rule(_USERINFO, "[redacted:password]"),)),
    SecretPattern(("state", "request", "wresult", "wctx"), (Rule(_FORM, _SECRET), Rule(_REQUEST_URI, _SECRET))),
    SecretPattern(("val",), (Rule(REVERSED, _secret_if_named),)),
    SecretPattern(
        (
            "magic",
            "passwordless",
            "invit",
            "activat",
            "confirm",
            "verif",
            "unsubscribe",
            "reset",
            "recover",
            "time",
            "unlock",
            "callback",
            "password",
        ),
        (Rule(IN_LINK, _SECRET), Rule(IN_QUERY, _SECRET)),
    ),
)
_ELEMENTS: Final = NamedLook(("<", "lt;", "3c", "60;"), _BEFORE_ELEMENT, _ELEMENT, _SECRET)
_PATHS: Final = NamedLook(("/", "2f"), BEFORE_PATH, IN_PATH, _SECRET)
TEXT: Final = Kind(
    CERTAIN,
    (
        _ELEMENTS,
        NamedLook((), None, _NAMED_IN_TEXT, _SECRET),
        _PATHS,
        NamedLook((), None, IN_PROSE, _SECRET),
        NamedLook(("auth",), None, _AUTH, _SECRET),
    ),
    (*_OTHERS, *(SecretPattern(hints, (Rule(expression, _SECRET),)) for hints, expression in COMMANDS)),
)
"""Free text has sentences and commands, too."""
SCOPES: Final = Kind(
    CERTAIN,
    (_ELEMENTS, NamedLook((), None, _NAMED_IN_NAMES, _SECRET), _PATHS, NamedLook((), None, IN_PROSE, _SECRET)),
    _OTHERS,
)
IDENTIFIER: Final = Kind(CERTAIN, (_ELEMENTS, NamedLook((), None, _NAMED_IN_NAMES, _SECRET), _PATHS), _OTHERS)
"""An identifier has no sentences: "Token App2" is a client's name."""
