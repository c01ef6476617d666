"""Secrets in the paths of URLs: behind the name of one, and in links that are mailed."""

import re
from typing import Final

from parsers.redaction.expression import Expression
from parsers.redaction.key_names import MASKED, SLASH, WORDS, atomic
from parsers.redaction.sentences import NUMBER, ORDINARY
from parsers.redaction.verdicts import LETTERS

_OBJECT: Final = r"(?:e?mail|account|user|password|passwd|invit(?:e|ation))"
_DEED: Final = r"(?:accept|invit(?:e|ation)s?|activat(?:e|ion)|confirm(?:ation)?|verif(?:y|ication)|unlock|reset|recover(?:y)?|forgot|set|change)"
_DEEDS: Final = (
    rf"(?:(?:{_OBJECT}[_-])?(?:invit(?:e|ation)s?|activat(?:e|ion)|confirm(?:ation)?|verif(?:y|ication)|unlock|reset|recover(?:y)?)"
    rf"|{_DEED}[_-]{_OBJECT})"
)
"""What such a link is for: ``email-verification``, ``accept-invitation``."""
_SEGMENTS: Final = atomic("segments", rf"(?:[a-z_-]{{1,20}}{SLASH}){{0,2}}")
IN_PATH: Final = Expression(
    rf"(?P<name>(?:{WORDS})(?:s|[_-][a-z]{{1,12}})?{SLASH}{_SEGMENTS})"
    rf"(?!{ORDINARY}|(?:{LETTERS}|{NUMBER})[/?#])(?P<open>)(?P<value>[^\s\"'`&<>/?#]{{4,}})(?P<close>)",
    re.IGNORECASE,
)
IN_QUERY: Final = Expression(
    rf"(?P<name>{SLASH}{_DEEDS}/?\?(?:key|k|hash|h|t|v|c|link)=)(?!{MASKED})(?P<open>)(?P<value>[^\s\"'`&<>#]{{4,}})(?P<close>)",
    re.IGNORECASE,
)
"""The same, with the secret behind a name that says nothing."""
BEFORE_PATH: Final = Expression(r"(?:/|%(?:25)*2f|\\u002f|\\x2f)[a-z_-]{0,20}\Z", re.IGNORECASE)
"""What stands before the name in a path."""
IN_LINK: Final = Expression(
    rf"(?P<name>{SLASH}(?:magic(?:[_-]?(?:link|login))?|passwordless|{_DEEDS}|unsubscribe|one[_-]?time|(?:auth|sso|oauth2?|oidc|login){SLASH}callback)"
    rf"{SLASH})"
    r"(?=[^\s\"'`&<>/?#]{0,64}(?:[0-9]|(?-i:[a-z][A-Z])))"
    rf"(?!{ORDINARY}|(?:{LETTERS}|{NUMBER})[/?#])(?P<open>)(?P<value>[^\s\"'`&<>/?#]{{4,}})(?P<close>)",
    re.IGNORECASE,
)
"""Links that are mailed: who has one is let in."""
