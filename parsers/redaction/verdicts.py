"""What people write about a secret, in the languages that most of them speak: words, verdicts, whose it is.

Pieces of regular expressions that ignore case, as those of ``parsers.redaction.key_names``; ``parsers.redaction.sentences`` puts them together.
"""

# ruff: noqa: RUF001  # other scripts, on purpose

from typing import Final

from parsers.redaction.key_names import END, atomic

_NO_LETTERS: Final = r"\x80-\xa9\xab-\xb9\xbb-\xbf\xd7\xf7\u2000-\u2bff\u2e00-\u3004\u3008-\u303f\ud800-\uf8ff\ufe00-\ufe6f\ufefd-\uffff\U00010000-\U0010ffff"
"""What is neither ASCII, nor a letter, nor a mark or sign within the blocks of letters. Fullwidth and mathematical letters
are disguises. The letters are said by what is none, since Python walks through each character of a set to compile it, and
there are four times as many letters."""
_BEYOND: Final = rf"[^\x00-\x7f{_NO_LETTERS}]"
"""A letter that is not ASCII."""
SMALL: Final = rf"[^\x00-\x60\x7b-\x7f{_NO_LETTERS}]"
"""A small letter, or one that is not ASCII."""
CAPITAL: Final = "[A-Z]"
STOP: Final = rf"[.,;:!?)\]}}\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]*{END}"
LETTERS: Final = (
    # Eight consonants in capitals are a code to type in (RFC 8628 section 6.1), not a shouted word.
    rf"(?-i:(?![B-DF-HJ-NP-TV-XZ]{{6}})(?:{CAPITAL}{{1,20}}(?:_{CAPITAL}{{1,20}}){{0,5}}s?"
    rf"|[A-Z]?{SMALL}{{1,20}}(?:['\u2019_./-][A-Z]?{SMALL}{{1,20}}){{0,5}}))"
)
"""An ordinary word: letters of one case, the first may be a capital. Only ASCII's have a case here."""
_WORD: Final = rf"(?:[a-z'\u2019-]|(?-i:{_BEYOND})){{1,24}}"

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
    rf"(?!{OTHER_CODE})(?=(?-i:[^\n:=\u0080-\uffff]{{0,48}}+{_BEYOND}))"  # the case of a letter beyond may be ASCII: the long s
    + atomic("foreign", rf"(?:[\s(,]{{0,3}}{_WORD}){{1,6}}")
    # `token inválido para el cliente: web-2` names a client.
    + "".join(
        rf"(?<!{who})"
        for who in ["client", "cliente", "usuario", "usuário", "nutzer", "utilisateur", "клиента", "пользователя"]
    )
    + r"\)?"
)
"""Words between a name and a colon that are no English: ``Token inválido: x``. There are too many languages to list verdicts."""
