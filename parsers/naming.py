r"""What secrets are called, and the signs around a name and its value: what ``parsers.shapes`` and ``parsers.prose`` are made of.

All of these are pieces of regular expressions that ignore case. A sign may stand in text bare, escaped by nested JSON (once
or more), as an entity of HTML, or percent-encoded (once or twice). Repetitions
are bounded where an expression may begin with them: it would be tried at each of a thousand backslashes.
"""

from typing import Final


def atomic(name: str, expression: str) -> str:
    """Return an expression that matches as this one does at first, and never gives back any of it.

    A possessive repeat of a group, ``(?:...)*+``, and an atomic group say the same, but not before CPython 3.11.5: there
    they lose matches, so secrets (gh-106052; Debian 12 has 3.11.2). A lookahead is never entered again either. It
    takes a group, whose name must be new. A possessive repeat of a single character or set is right everywhere.
    """
    return f"(?=(?P<{name}>{expression}))(?P={name})"


QUOTE: Final = r"""(?:\\{0,8}["'`]|\\{1,8}u002[27]|%(?:25)*2[27]|&(?:amp;)*(?:quot|apos|#0*3[49]|#x2[27]);)"""
SEPARATOR: Final = r"(?:[:=]|\\{1,8}u003[ad]|%(?:25)*3[ad]|&(?:amp;)*(?:colon|equals|#0*(?:58|61)|#x3[ad]);)"
LESS: Final = r"(?:<|\\{1,8}u003c|%(?:25)*3c|&(?:amp;)*(?:lt|#0*60|#x3c);)"
GREATER: Final = r"(?:>|\\{1,8}u003e|%(?:25)*3e|&(?:amp;)*(?:gt|#0*62|#x3e);)"
SLASH: Final = r"(?:\\{0,8}/|\\{1,8}u002f|%(?:25)*2f)"
BRACKET: Final = r"(?:\[[0-9]{0,3}\]|\]|%(?:25)*5d|(?:, ?[\w, ]{1,64}+)?\))"
"""What ends ``user[password]``, ``codes[0]`` and the columns of ``Key (code, client)=(x, web) already exists``."""
BLANKS: Final = r"[\s+]*+(?:%(?:25)*20[\s+]*+)*"
END: Final = r"(?:[\s\"'`&<>]|\Z)"
"""What a value without quotes ends at."""
MASKED: Final = rf"\[redacted:[a-z_]{{1,20}}(?::[0-9a-f]{{8}})?\](?=[,;)\]}}]|{END})"
"""A value that is a mask already, all of it: a mask with something behind it hides nothing of that."""

_ENCODED: Final = r"(?<=%[0-9a-f]{2})|(?<=25[0-9a-f]{2})|(?<=u00[23][0-9a-f])|(?<=\\[nrt])"
_EDGE: Final = rf"(?:(?<![a-z])|{_ENCODED})"
"""No letter before a short name; what is left of an encoded character is none."""
_ALONE: Final = rf"(?:(?<![a-z_-])|{_ENCODED})"
"""As before, and no longer name."""

# What stands before a name in a longer one (`refresh_token`, `clientSecret`) makes no difference, so it is not here.
WORDS: Final = (
    r"token(?:[\s_-]?(?:hint|value))?|secret(?:[\s_-]?(?:key|value|post|basic))?|pass[\s_-]?(?:wor[dt]|wd|phrase|code)|pwd"
    r"|assertion|saml[\s_-]?response|(?:api|access|private|secret|encryption|signing)[\s_-]?key|session(?:[\s_-]?(?:id|value))?"
    r"|(?:auth|authorization|device|user|verification|recovery|backup|access|security|activation|confirmation|reset|login|session"
    r"|sms|email|mfa|2fa|otp|one[\s_-]?time|pairing)[\s_-]?code|code[\s_-]?verifier"
    rf"|{_ALONE}code|{_EDGE}(?:otp|pin)"
)
"""Names that nothing else has. ``code`` is one only by itself: there are codes of errors, countries and exits, too."""
_MORE_WORDS: Final = (
    r"(?:ticket|credential)(?:[\s_-]?(?:id|value))?|auth[\s_-]?req[\s_-]?id|oauth[\s_-]?verifier"
    rf"|{_EDGE}(?:sid|(?:php)?sess(?:id)?|pass|pw|2fa|mfa|totp|jwt|dpop(?:[\s_-]proof)?|sig|amz-signature)"
)
FIRST: Final = "(?=(?-i:[2A-EJLMOPR-Va-ejlmopr-v][ACEFHIM-PR-UWacefhim-pr-uw]))(?<!\\[redacted:)"
"""The first two letters of a name: asked before anything else, they save trying all names at most of the characters. The
name in a mask is none."""
NAMES: Final = f"{FIRST}(?:{WORDS}|{_MORE_WORDS})"
"""Names that tell a secret with a sign (a colon, an equals sign) between them and it."""
HINTS: Final = tuple(
    "token secret pass assertion response code key req ticket credential sid sess otp pin pw 2fa mfa jwt dpop sig verifier".split()  # noqa: SIM905  # words, not a list of quotes
)
"""In the lower case of a text with a name in it there is one of these."""
