r"""Secrets in sentences and in the paths of URLs: a name, and behind it, without a colon or an equals sign, a value.

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

import re
from typing import Final

from parsers.naming import END, FIRST, MASKED, QUOTE, SEPARATOR, SLASH, WORDS, atomic

_CHAR: Final = r"[^\s\"'`&<>]"
_STOP: Final = rf"[.,;:!?)\]}}]*{END}"
_LETTERS: Final = (
    # Eight consonants in capitals are a code to type in (RFC 8628 section 6.1), not a shouted word.
    r"(?-i:(?![B-DF-HJ-NP-TV-XZ]{6})(?:[A-Z]{1,20}(?:_[A-Z]{1,20}){0,5}s?|[A-Z]?[a-z]{1,20}(?:['\u2019_./-][A-Z]?[a-z]{1,20}){0,5}))"
)
_NUMBER: Final = r"v?[0-9]{1,5}(?:[a-z]{1,2}|%|(?:\.[0-9]{1,5}){1,4}(?:[:/][0-9]{1,5})?)?"
_ORDINARY: Final = "|".join(
    (
        rf"[(\[{{#/]{{0,4}}(?:{_LETTERS}|{_NUMBER}){_STOP}",
        r"[(\[{]{0,4}[a-z_.-]{1,32}(?::|=(?!=*(?:\s|\Z)))",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])",
        r"[a-z][a-z+.-]{1,15}://|/",
        rf"[^\s@]{{1,64}}@[a-z0-9.-]{{1,64}}\.[a-z]{{2,12}}{_STOP}",
        r"[a-z.]{1,40}(?:Error|Exception)\b",
        rf"(?:OAuth|OpenID|RFC|SHA|S|[HRPE]S|UTF|HTTP)[-/ ]?[0-9]{{0,4}}(?:\.[0-9])?{_STOP}",
        r"[\w./-]{1,40}\.(?:js|ts|py|rb|go|rs|php|java|cs|html|json)(?![a-z0-9])",
        MASKED,
    )
)
_VALUE: Final = rf"(?!{_ORDINARY})(?=[^\s0-9a-z]{{0,8}}[0-9a-z]){_CHAR}{{4,}}+"
_MIXED: Final = rf"(?=[^\s0-9]{{0,64}}[0-9])(?=[^\sa-z]{{0,64}}[a-z]){_CHAR}{{8,}}+"
_VERDICT: Final = (
    r"(?:is|was|were|are|has|have|had|been|be|not|no|already|does|do|did|could|can|cannot|found|known|unknown|invalid|valid"
    r"|wrong|incorrect|bad|expired|revoked|used|reused|redeemed|consumed|mismatch|mismatched|match|malformed|rejected|denied"
    r"|refused|recogni[sz]ed|accepted|provided|received|presented|supplied|given|sent|exist|exists|(?:with |has )?value|expected|got|equals)(?![a-z])"
)
_VERDICTS: Final = atomic("verdicts", rf"(?:[\s(:,]{{1,4}}{_VERDICT}){{1,5}}")
_NAME: Final = (
    rf"{FIRST}(?:{WORDS})"
    r"(?<!error[\s_-]code)(?<!status[\s_-]code)(?<!exit[\s_-]code)(?<!response[\s_-]code)(?<!reason[\s_-]code)"
    r"(?<!return[\s_-]code)(?<!country[\s_-]code)(?<!language[\s_-]code)(?<!unexpected[\s_-]token)"
)
IN_PROSE: Final = re.compile(
    rf"(?P<name>{_NAME}{QUOTE}?"
    rf"(?:(?:\s{{1,4}}(?:is|was))?[\s(\[]{{1,4}}(?=(?:{QUOTE}|{_VALUE}))"
    rf"|\s?[-,;|>\u2013\u2192]{{1,2}}\s?(?=(?!{_ORDINARY}){_MIXED})"
    rf"|{_VERDICTS}"
    rf"(?:\s?{SEPARATOR}\s{{0,4}}(?=(?:{QUOTE}|{_VALUE}|(?!{MASKED}|{_NUMBER}{_STOP}){_CHAR}{{1,64}}\s*\Z))"
    rf"|\s{{1,4}}(?=(?:{QUOTE}|(?!{_ORDINARY}){_MIXED})))))"
    rf"(?:(?P<open>{QUOTE})(?P<quoted>[^\r\n]*?)(?P<close>(?<!\\)(?P=open)|\Z|(?=[\r\n]))|(?!{QUOTE})(?P<bare>{_CHAR}+))",
    re.IGNORECASE,
)
_SEGMENTS: Final = atomic("segments", rf"(?:[a-z_-]{{1,20}}{SLASH}){{0,2}}")
IN_PATH: Final = re.compile(
    rf"(?P<name>[/%\\](?:(?<=/)|(?<=%)(?:25)*2f|(?<=\\)u002f)[a-z_-]{{0,20}}?{FIRST}(?:{WORDS})(?:s|[_-][a-z]{{1,12}})?{SLASH}{_SEGMENTS})"
    rf"(?!{_ORDINARY}|(?:{_LETTERS}|{_NUMBER})[/?#])(?P<open>)(?P<value>[^\s\"'`&<>/?#]{{4,}})(?P<close>)",
    re.IGNORECASE,
)
