"""A form's field the other way round: ``"value":"x","name":"password"``.

What such a field is called is looked at behind the match, and only where a name of a secret may begin: an expression that
tries all names at each place behind each value costs more than all others together.
"""

import re
from typing import Final

from parsers.redaction.expression import Expression
from parsers.redaction.key_names import BLANKS, NAMES, QUOTE, SEPARATOR, beginnings

REVERSED: Final = Expression(
    rf"(?P<name>(?:value|val){QUOTE}?{BLANKS}{SEPARATOR}{BLANKS})(?P<open>{QUOTE})"
    # To the first such quote, at one go: the next ones may begin a field themselves.
    r"(?P<value>[^\"'\r\n%&\\]{0,512}+(?:(?!(?P=open))[%&\\][^\"'\r\n%&\\]{0,64}+){0,16})"
    rf"(?P<close>(?P=open)[\s,;]{{0,8}}{QUOTE}?(?:name|key|id|field|type){QUOTE}?{BLANKS}{SEPARATOR}{BLANKS}{QUOTE}?)",
    re.IGNORECASE,
)
_NAME: Final = Expression(NAMES, re.IGNORECASE)
_NAME_AFTER: Final = 24
"""What may stand before the name in a longer one."""
_NAME_BEFORE: Final = re.compile(r"[\w.:\[-]*")


def has_secret_name(match: re.Match[str]) -> bool:
    """Whether the name behind such a value is one of a secret's."""
    behind = match.string[match.end() : match.end() + 2 * _NAME_AFTER].lower()
    for begin in beginnings(behind):
        if begin > _NAME_AFTER or not _NAME_BEFORE.fullmatch(behind, 0, begin):
            return False
        if _NAME.match(behind, begin):
            return True
    return False
