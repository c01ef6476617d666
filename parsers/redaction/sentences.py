r"""Secrets in sentences: a name, and behind it, without a colon or an equals sign, a value.

``Invalid client secret hunter2`` leaks, ``Invalid client secret for bob`` does not, and only the word behind the name
tells. So what follows is masked

- when it is quoted: ``Code "x" is invalid``, also behind a verdict: ``code not found: "x"``;
- when it is no ordinary word: ``invalid password hunter2``, ``password was hunter2``. Ordinary is what people write: letters
  of one case (the first may be a capital), such words joined by a hyphen, dot, slash or underscore, a number of up to five
  digits, a version, a date, an address, a name of something else (``user=``), an exception's name;
- behind a verdict and a colon also when it is an ordinary word, if the sentence ends there: ``code not found: hunter``, but
  not ``token expired: please log in``;
- behind a verdict alone when it has eight characters with letters and digits among them: ``token not found 5f7c8ec7``.

A password that is an ordinary word in an ordinary sentence (``invalid password hunter``) is what cannot be found.
"""

# ruff: noqa: RUF001  # verdicts in other scripts, on purpose

import re
from typing import Final

from parsers.redaction.expression import Expression
from parsers.redaction.key_names import MASKED, QUOTE, SEPARATOR, WORDS, atomic
from parsers.redaction.verdicts import FOREIGN_VERDICT, LETTERS, OTHER_CODE, STATES, STOP, VERDICTS

_CHAR: Final = r"[^\s\"'`&<>]"
NUMBER: Final = r"v?[0-9]{1,5}(?:[a-z]{1,2}|%|(?:\.[0-9]{1,5}){1,4}(?:[:/][0-9]{1,5})?)?"
ORDINARY: Final = "|".join(
    (
        rf"[(\[{{#/]{{0,4}}(?:{LETTERS}|{NUMBER})(?:{STOP}|[.,;:!?)]?\\{{1,8}}[nrt](?=[\s\\]|\Z))",
        r"[(\[{]{0,4}[a-z_.-]{1,32}(?::|=(?!=*(?:\s|\Z)))",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])",
        r"[a-z][a-z+.-]{1,15}://|/",
        rf"[^\s@]{{1,64}}@[a-z0-9.-]{{1,64}}\.[a-z]{{2,12}}{STOP}",
        r"[a-z.]{1,40}(?:Error|Exception)\b",
        rf"(?:OAuth|OpenID|RFC|SHA|S|[HRPE]S|UTF|HTTP)[-/ ]?[0-9]{{0,4}}(?:\.[0-9])?{STOP}",
        r"[\w./-]{1,40}\.(?:js|ts|py|rb|go|rs|php|java|cs|html|json)(?![a-z0-9])",
        MASKED,
    )
)
_VALUE: Final = rf"(?!{ORDINARY})(?=[^\s0-9a-z]{{0,8}}[0-9a-z]){_CHAR}{{4,}}+"
_MIXED: Final = rf"(?=[^\s0-9]{{0,64}}[0-9])(?=[^\sa-z]{{0,64}}[a-z]){_CHAR}{{8,}}+"
_NAME: Final = rf"(?:{WORDS})(?<!unexpected[\s_-]token)"
_KINDS: Final = (
    "parameter|param|field|header|value|string|input|provided|supplied|presented|sent|given|entered|submitted|received|used"
    "|attempted|in|the|request|body|form|grant|query"
)
_KIND: Final = atomic("kind", rf"(?:\s(?:{_KINDS})(?![\w-])){{1,6}}")
"""What may stand between a name and a verdict or a sign: ``The 'code' parameter in the request is not valid``."""
_ABOUT: Final = atomic(
    "about",
    rf"(?:\s(?:{_KINDS}|for|of|from|by|an?|this|that|confidential|public|client|user|account"
    r"|tempora(?:l|ire|ry|ria|nea|neo)|provis[oó]ri[ao]|inicial|initial|iniziale|actuel|attuale|de|del|do|da|du|des|el|la|le|cliente?|usu[aá]rio)(?![\w-])){0,8}",
)
"""Before a verdict alone: ``The secret supplied for a confidential client is invalid``."""
_OWNER: Final = (
    r"\s(?:for|of)\s(?:(?:user|client|account|the)\s){0,2}['\"`]?(?!(?:user|client|account|realm|tenant|the)\b)[^\s:'\"`]{1,64}"
    rf"['\"`]?\s?:\s(?=\S)(?!(?:{STATES}){STOP})"
)
"""``Password for bob: x``, but not ``Invalid password for user: bob``."""
_FOREIGN_OWNER: Final = (
    rf"(?!{OTHER_CODE})\s(?:para|pour|f[uü]r|von|de|do|da|di|per|для|untuk)\s(?!cliente?\b|usu[aá]rio|benutzer|utilisateur|клиента|пользователя)"
    rf"['\"`]?[^\s:'\"`]{{1,64}}['\"`]?\s?:\s{{0,4}}(?={QUOTE}|{_VALUE})"
)
_WRITTEN: Final = (
    r"\s?,?\s?[(\[]?(?:plain(?:[\s-]?text)?|clear(?:[\s-]?text)?|raw|hash(?:ed)?|old|new|current|hex|base64|encoded|decoded"
    rf"|as\s(?:entered|typed|given|sent|received|submitted))[)\]]?\s?{SEPARATOR}\s{{0,4}}(?=\S)(?!{MASKED}|{NUMBER}{STOP}|(?:{STATES}){STOP})"
)
"""How it is written: ``password (plain): x``. What follows is a value, whatever it looks like."""
_BRACKETED: Final = (
    r"\](?:"
    + "|".join(rf"(?<=\[{name}\])" for name in ("password", "passwd", "passphrase", "pwd", "secret", "otp", "pin"))
    + rf")\s{{1,4}}(?={_VALUE})"
)
"""``[password] x``. In ``[token] request7 done`` the name is a program's part."""
_GLUED: Final = (
    # Where words are not parted by blanks, a value is not either.
    rf"(?<=[\u3040-\ud7a3])(?:错误|錯誤|不正确|不正確|无效|無效|無効|为|為|是|は|が|이|가|는|은)?[\s:：]{{0,3}}"
    rf"(?=(?:{QUOTE}|(?!{NUMBER}(?![!-~]))(?=[!-9;<>-~][!-~]{{3}}){_VALUE}))"
)
_ARGUMENTS: Final = rf"{QUOTE}[^()\r\n]{{0,64}}?,\s?{QUOTE}"
"""Of a call: ``verifyPassword('bob', 'x')``. Which one is the secret is anyone's guess."""
IN_PROSE: Final = Expression(
    rf"(?P<name>{_NAME}{QUOTE}?"
    rf"(?:(?!\[[0-9]{{0,3}}\])(?:\s{{1,4}}(?:is|was|are|were|to|as|es|est|ist|lautet|é|è|=>))?[\s(\[]{{1,4}}(?=(?:{QUOTE}|{_VALUE}))"
    # A hyphen between two words makes one of them: `token-endpoint[812]:` is a program.
    rf"|(?:\s-{{1,2}}|-(?=\s)|\s?-{{0,2}}[,;|>\u2013\u2014\u2192]{{1,2}})\s?(?=(?!{ORDINARY}){_MIXED})"
    rf"|(?:\s-{{1,2}}>\s|\s?[\u2192\u21d2]\s?)(?={_VALUE})"
    rf"|{_OWNER}|{_FOREIGN_OWNER}"
    rf"|{FOREIGN_VERDICT}\s?{SEPARATOR}\s{{0,4}}(?=(?:{QUOTE}|{_VALUE}|(?!{MASKED}|{NUMBER}{STOP}|(?:{STATES}){STOP})[!-~]{{4,64}}\s*\Z))"
    rf"|{_GLUED}|{_WRITTEN}|{_BRACKETED}|\\{{1,8}}[nrt](?=(?!(?:{LETTERS}|{NUMBER})\\){_VALUE})"
    rf"|\((?={_ARGUMENTS})"
    rf"|(?:{_ABOUT}{VERDICTS}|{_KIND}(?=\s?{SEPARATOR}|\s['\"`]))"
    rf"(?:\s?{SEPARATOR}\s{{0,4}}(?=(?:{QUOTE}|{_VALUE}|(?!{MASKED}|{NUMBER}{STOP}|(?:{STATES}){STOP}){_CHAR}{{1,64}}\s*\Z))"
    rf"|\s{{1,4}}(?=(?:{QUOTE}|(?!{ORDINARY}){_MIXED}))|(?:(?<=got)|(?<=expected)|(?<=set to)|(?<=changed to)|(?<=value)|(?<=\ses)|(?<=\s[ei]st)|(?<=\s[éè])|(?<=lautet))\s(?={_VALUE}))))"
    rf"(?:(?<=\S\()(?={_ARGUMENTS})(?P<arguments>[^()\r\n]{{0,256}}+)|(?P<open>{QUOTE})(?P<quoted>[^\r\n]*?)(?P<close>(?<!\\)(?P=open)|\Z|(?=[\r\n]))|(?!{QUOTE})(?P<bare>{_CHAR}+))",
    re.IGNORECASE,
)
