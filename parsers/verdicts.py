"""What people write about a secret, in the languages that most of them speak: words, verdicts, whose it is.

Pieces of regular expressions that ignore case, as those of ``parsers.naming``; ``parsers.prose`` puts them together.
"""

# ruff: noqa: RUF001  # other scripts, on purpose

from typing import Final

from parsers.naming import END, atomic

_BEYOND: Final = r"\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u2c00-\u2dff\u3005-\u3007\u3040-\ud7ff\uf900-\ufdff\ufe70-\ufefc"
"""Letters that are not ASCII, and the marks and signs within their blocks. Fullwidth and mathematical ones are disguises."""
SMALL: Final = rf"[a-z{_BEYOND}]"
CAPITAL: Final = "[A-Z]"
STOP: Final = rf"[.,;:!?)\]}}\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]*{END}"
LETTERS: Final = (
    # Eight consonants in capitals are a code to type in (RFC 8628 section 6.1), not a shouted word.
    rf"(?-i:(?![B-DF-HJ-NP-TV-XZ]{{6}})(?:{CAPITAL}{{1,20}}(?:_{CAPITAL}{{1,20}}){{0,5}}s?"
    rf"|[A-Z]?{SMALL}{{1,20}}(?:['\u2019_./-][A-Z]?{SMALL}{{1,20}}){{0,5}}))"
)
"""An ordinary word: letters of one case, the first may be a capital. Only ASCII's have a case here."""
_WORD: Final = rf"[a-zA-Z{_BEYOND}'\u2019-]{{1,24}}"

_FOREIGN: Final = (
    # Spanish, Portuguese, Italian, French
    r"incorrec?t[ao]s?|incorrectes?|invalides?|inv[aá]lid[ao]s?|errad[ao]s?|errat[ao]|err[oó]ne[ao]s?|[eé]rron[eé]e?s?"
    r"|caducad[ao]s?|expirad[ao]s?|expir(?:ee|ée?)s?|vencid[ao]s?|revocad[ao]s?|revogad[ao]s?|r[eé]voqu[eé]e?s?|scadut[ao]|valid[ao]|v[aá]lid[ao]"
    r"|utilis(?:ee|ée?)s?|usad[ao]s?|utilizad[ao]s?|inconnue?s?|desconocid[ao]s?|desconhecid[ao]s?|obrigat[oó]ri[ao]|obligatori[ao]|obligatoire"
    # German, Dutch, Swedish, Danish
    r"|falsch|ung[uü]ltig|ungueltig|abgelaufen|unbekannt|onjuist|ongeldig|verlopen|felaktig|forkert"
    # Russian, Indonesian, Turkish, Vietnamese, Polish
    r"|невер(?:ен|на|но|ный)|истёк|истек|недействител(?:ен|ьна|ьно|ьный)|обязател(?:ен|ьно|ьное)"
    r"|salah|kadaluarsa|kedaluwarsa|yanl[ıi][sş]|hatal[ıi]|ge[cç]ersiz|sai|nieprawid[lł]ow[eya]|b[lł][eę]dn[eya]"
)
"""Verdicts of languages other than English."""
VERDICT: Final = (
    r"(?:is|was|were|are|has|have|had|been|be|not|no|already|does|do|did|could|can|cannot|found|known|unknown|invalid|valid"
    r"|wrong|incorrect|bad|expired|revoked|used|redeemed|consumed|mismatch|mismatched|match|malformed|rejected|denied"
    r"|refused|reused?|replay(?:ed)?|detected|duplicate|stolen|recogni[sz]ed|accepted|provided|received|presented|supplied|given|sent|exist|exists|(?:with |has )?value|expected|got|equals|or|and|(?:changed|set|reset) to"
    rf"|non|n[aã]o|es|est|ist|lautet|é|è|d[eé]j[aà]|tidak|{_FOREIGN})(?![a-z])"
)
VERDICTS: Final = atomic("verdicts", rf"(?:[\s(:,]{{1,4}}{VERDICT}){{1,5}}")
STATES: Final = (
    "expired|invalid|missing|required|revoked|unknown|none|null|nil|undefined|true|false|yes|no|not|ok|okay|valid|wrong|incorrect|bad"
    "|denied|rejected|malformed|empty|absent|present|disabled|enabled|unsupported|mismatch|mismatched|failed|failure|error|already"
    "|must|cannot|is|was|has|have|the|unauthorized|unauthorised|forbidden|inactive|active|used|reused|consumed|locked|unrecognized|closed|open|opened|ended|started|established|idle|created|pending|timeout"
    "|blank|n/a|unavailable|does|do|could|should|may|too|please|at|in|on|unset|found|exists|detected"
    f"|{_FOREIGN}"
)
"""What people write behind a name and a colon, and is a verdict: ``token: expired``."""
OTHER_CODE: Final = (
    r"\s(?:de\s|do\s|da\s|du\s|d['\u2019])?(?:l['\u2019])?(?:error|erro|erreur|estado|statut|status|postal|pa[ií]s|pays|retour|retorno|respuesta|resposta"
    r"|ошибк|статус|состояни|ответ|стран|возврат|завершени|kesalahan|negara|pos\b)"
)
"""Behind the word for a code: one of something else."""
FOREIGN_VERDICT: Final = (
    rf"(?!{OTHER_CODE})(?=(?-i:[^\n:=\u0080-\uffff]{{0,48}}+[{_BEYOND}]))"  # the case of a letter beyond may be ASCII: the long s
    + atomic("foreign", rf"(?:[\s(,]{{0,3}}{_WORD}){{1,6}}")
    # `token inválido para el cliente: web-2` names a client.
    + "".join(
        rf"(?<!{who})"
        for who in ["client", "cliente", "usuario", "usuário", "nutzer", "utilisateur", "клиента", "пользователя"]
    )
    + r"\)?"
)
"""Words between a name and a colon that are no English: ``Token inválido: x``. There are too many languages to list verdicts."""
