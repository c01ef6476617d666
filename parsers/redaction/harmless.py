"""What stands behind a name and a sign, and is no secret: ``code: 'ECONNREFUSED'``, ``token: "expired"``, ``tokens: 15``.

Error texts are full of codes and counts, and are worthless without them. Only what is known is let through, the whole value:
words of OAuth, of systems and of databases, and verdicts. All else stays a secret.
"""

import re
from typing import Final

from parsers.redaction.expression import Expression
from parsers.redaction.key_names import GREATER, QUOTE, SEPARATOR
from parsers.redaction.verdicts import STATES, STOP

_SIGN: Final = rf"{QUOTE}?\s{{0,4}}{SEPARATOR}{{1,2}}>?\s{{0,4}}"
_SIGNED: Final = Expression(rf"(?:dpop[\s_-])?\w{{2,24}}(?:{_SIGN}|{GREATER})", re.IGNORECASE)
_END: Final = rf"(?(open)(?P=open)|{STOP})"
_OPEN: Final = rf"(?P<open>{QUOTE})?"
_ERRNO: Final = (
    "E(?:CONN(?:REFUSED|RESET|ABORTED)|(?:SOCKET)?TIMEDOUT|NOTFOUND|AI_[A-Z]{3,10}|PIPE|HOST(?:UNREACH|DOWN)|NET(?:UNREACH|DOWN|RESET)"
    "|ADDR(?:INUSE|NOTAVAIL)|ACCES|PERM|NOENT|EXIST|[MN]FILE|AGAIN|INVAL|IO|NOMEM|NOSPC|PROTO|BUSY|CANCELED|AUTH|NODATA|BADF|INTR|ROFS"
    "|ISDIR|NOTDIR|NOTCONN|NOBUFS|ALREADY|INPROGRESS|WOULDBLOCK|REFUSED|SERVFAIL|MESSAGE|ENVELOPE|DNS|TLS|SYS|PARSE|JSONPARSE)"
)
_SQLSTATE: Final = (
    "0[128]00[0-9]|08P01|21000|22(?:00[0-9]|P0[0-9]|012|023)|23(?:000|001|50[235]|514)|25(?:006|P0[0-9])|28(?:000|P01)|3D000|3F000"
    "|40(?:001|002|003|P01)|42(?:000|501|601|70[1-4]|710|80[34]|83[0-9]|883|P[0-9]{2}|S[0-9]{2})|53[1-4]00|54000|55(?:000|006|P0[0-9])"
    "|57(?:014|P0[0-9])|58(?:000|030|P01)|HY[0-9T]0[0-9]|XX00[0-2]"
)
_SYSTEM: Final = (
    f"{_ERRNO}"
    "|ERR_[A-Z0-9_]{2,48}"
    "|[A-Z]{2,20}(?:_[A-Z]{2,20}){1,6}"
    "|UNAUTHORI[SZ]ED|UNAUTHENTICATED|UNAVAILABLE|FORBIDDEN|UNKNOWN|INTERNAL|ABORTED|CANCELL?ED|UNIMPLEMENTED|TIMEOUT|THROTTLED"
    "|OK|Cancell?ed|Unknown|AlreadyExists|PermissionDenied|FailedPrecondition|DeadlineExceeded|Aborted|OutOfRange|Unimplemented|Internal"
    "|Unavailable|DataLoss|Unauthenticated"
    "|(?:Invalid|Access|Expired|Not|Missing|Unsupported|Bad|Unauthori[sz]ed|Forbidden|Resource|Request|Service|Permission|Too)"
    "(?:[A-Z][a-z]{1,15}){1,5}"
    "|(?:[A-Z][a-z]{1,15}){1,5}(?:Exception|Error|Denied|Expired|Failed|Required|Exceeded)"
    "|E0[0-9]{6}|AADSTS[0-9]{4,7}|ORA-[0-9]{5}|IDX[0-9]{5}"
)
"""Codes of errors as systems write them: of Node, gRPC, AWS, Okta, Azure AD, Oracle. Their case tells."""
_OAUTH: Final = (
    "(?:invalid|unsupported|unauthori[sz]ed|expired|missing|insufficient|unknown|bad|duplicate|too|use)(?:[_-][a-z]{2,20}){1,4}"
    "|(?:[a-z]{2,20}[_-]){1,4}(?:required|denied|error|failed|failure|expired|found|exists|exceeded|limited|missing|unavailable|invalid"
    "|mismatch|disabled|allowed|supported|blocked|locked|revoked|pending|timeout|unauthorized|forbidden|down)"
    "|unauthori[sz]ed|unauthenticated|forbidden|unavailable|timeout|aborted|cancell?ed"
    f"|{STATES}"
)
"""Codes of errors in words, as OAuth has them."""
_CODE: Final = Expression(
    rf"code(?:{_SIGN}{_OPEN}|{GREATER})"
    rf"(?:-?[0-9]{{1,3}}|{_OAUTH}|(?-i:{_SYSTEM})|(?P<near>(?-i:{_SQLSTATE}|[EP][0-9]{{4,8}}))){_END}",
    re.IGNORECASE,
)
_NEAR: Final = Expression(r"err(?:or|no)|desc|status|severity|sqlstate|syscall|constraint", re.IGNORECASE)
"""What makes codes of databases of five characters that could be typed in."""
_NEAR_CHARS: Final = 80
_MORE: Final = (
    "be|by|of|to|for|from|with|and|or|an?|in|yet|yes|this|value|field|parameter|header|string|number|characters?|digits?|longer|shorter|short|long"
    "|weak|least|most|than|match|matching|provided|supplied|given|allowed|supported|correct|future|exist|[0-9]{1,3}"
)
_CLAIMS: Final = (
    "signature|kid|key|aud|audience|iss|issuer|exp|nbf|iat|jti|sub|subject|azp|alg|algorithm|typ|header|payload|claims?|clock|nonce"
    "|scopes?|lifetime|format|at_hash|c_hash"
)
"""The parts of a token that verdicts are about."""
_ABOUT_CLAIMS: Final = f"{STATES}|claims?|skew|verification|validation|check|value|format|length"
_OTHERS: Final = Expression(
    "|".join(
        (
            # A whole quoted value of verdicts: "required", ["is too short"].
            rf"\w{{2,24}}{_SIGN}(?P<list>\[\s?)?(?P<open>{QUOTE})(?:{STATES})(?:\s(?:{STATES}|{_MORE})){{0,8}}[.!]?(?P=open)(?(list)\s?\])",
            rf"(?:tokens?|jwt|assertion|dpop(?:[\s_-]proof)?|credentials?){_SIGN}(?<=\s)(?:{_CLAIMS})\s(?:{_ABOUT_CLAIMS})(?![\w-])",
            rf"(?:tokens|sessions|tickets){_SIGN}[0-9]{{1,10}}{STOP}",
            rf"(?:session|credentials|secrets){_SIGN}[0-9]{{1,5}}{STOP}",
            rf"(?:codes|passwords|pins|otps){_SIGN}[0-9]{{1,3}}{STOP}",
            rf"pass(?:ed)?{_SIGN}[0-9]{{1,6}}[,;/|\s]{{1,3}}{QUOTE}?(?:fail|skip|error|warn)[a-z]{{0,4}}{_SIGN}[0-9]",
            rf"\w{{2,24}}{_SIGN}(?:\{{\s?\}}|\[\s?\])(?=[\s,;)\]}}]|\Z)",
            rf"\w{{2,24}}{_SIGN}{QUOTE}?(?:[HREP]S(?:256|384|512)|EdDSA|client_secret_(?:basic|post|jwt)|private_key_jwt){QUOTE}?{STOP}",
            rf"sid{_SIGN}S-1-[0-9-]{{3,60}}{STOP}",  # of a user of Windows
            rf"(?<=unexpected\s)token{_SIGN}(?:punc|operator|keyword|name|num|string|eof|regexp)\s\(",  # of a parser of JavaScript
        )
    ),
    re.IGNORECASE,
)


def is_harmless(text: str, start: int) -> bool:
    """Whether the name that begins there has a value that is known to be no secret."""
    if not _SIGNED.match(text, start):  # as most names in sentences
        return False
    match = _CODE.match(text, start)
    if match is None:
        return _OTHERS.match(text, start) is not None
    return match["near"] is None or any(
        _NEAR.search(text, begin, end)
        for begin, end in ((max(0, start - _NEAR_CHARS), start), (match.end(), match.end() + _NEAR_CHARS))
    )
