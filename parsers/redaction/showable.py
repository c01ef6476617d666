"""What of an unknown line may be shown: which names of keys tell that a value is harmless, which that it is secret.

Three rules, in this order. A name that means a secret hides whatever it holds. A name that means something harmless shows
it, with the shapes of secrets redacted all the same. Any other name shows what cannot be a secret: a number, a time, an
address, a word of OAuth's own. All else is masked, because a secret need not look like one.
"""

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from parsers.contract import ERRORS, GRANT_TYPES, OUTCOMES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAME: Final = re.compile(r"[\w.@:/-]{1,64}", re.ASCII)
"""Anything else is no name, but a text that stands where a name should."""
_ENDS_IN_ID: Final = re.compile(
    r"(?:^|[_.:-])(?:id|uuid|guid)s?$|(?<=[a-z0-9])(?:Id|ID|Uuid|UUID)s?$"
    r"|^(?:client|user|realm|request|trace|span|event|log|tenant|correlation|transaction|process|thread|account|device)id$"
)
_NO_LETTER: Final = re.compile(r"[^a-z0-9]+")
_SECRET: Final = re.compile(
    r"token|secret|passw|passwd|passphrase|passcode|pwd|^pass$|credential|kennwort|contrasena|motdepasse|senha|parola|haslo"
    r"|assertion|saml|verifier|challenge|cookie|authorization|session|^sid$|ticket|nonce|^state$|otp$|^pin$|csrf|xsrf"
    r"|(?:api|access|private|signing|encryption|account|shared|master|client)key|jwt|^jwks?$|bearer|dpop|sig$|signature|hash|salt"
    r"|^mfa$|^2fa$|^totp|^key$|^private|^jti$|(?<!error)(?<!status)(?<!response)(?<!exit)(?<!country)(?<!language)(?<!reason)(?<!result)"
    r"(?<!return)(?<!http)(?<!event)(?<!type)code$|^codeid$|authsession"
)
"""Of a name without its punctuation, in lower case."""
_HARMLESS_SECRET: Final = _words(
    "tokentype tokentypehint tokenendpoint tokenexpires tokenexpiresin accesstokenlifespan tokenendpointauthmethod"
    " clientauthmethod codechallengemethod refreshtokentype sessionidletimeout passwordconnector requestedtokentype"
    " subjecttokentype issuedtokentype"
)
"""Names with such a word in them that mean a kind or a length."""
_IDENTIFIERS: Final = _words(
    "sub subject user username userid uid login email preferredusername account accountname client clientname clientid azp"
    " realm realmname tenant organization org issuer iss audience aud identityprovider idp connector actor principal owner"
    " uuid guid requestedsubject impersonator displayname alternateid appdisplayname userprincipalname userdisplayname"
)
_TEXTS: Final = _words(
    # time and place in the log
    " time timestamp ts date datetime createdat created published eventtime asctime servertime recordedat level severity"
    " loglevel levelname loglevelname logger loggername logname loggerclassname name source facility thread threadname"
    " host hostname server servername service servicename serviceversion version app application appname program process"
    " processname pid environment region stream container containername pod podname namespace caller module file line"
    " function ecsversion dataset job instance node component"
    # what happened
    " msg message log text textpayload shortmessage fullmessage event eventtype eventname eventsource events action"
    " operation operationtype op type category kind outcome result status statustext statuscode error errors err"
    " errorcode errordescription errordetail errordetails errormessage errortype reason reasoncode description detail"
    " details cause summary title resourcetype resourcename resourcepath resource endpoint granttype granttypes"
    " responsetype responsemode scope scopes scoped display authmethod authtype authtypes amr acr prompt"
    " clientauthmethod tokentype tokentypehint refreshtokentype requestedtokentype subjecttokentype issuedtokentype"
    " codechallengemethod tokenendpointauthmethod flow protocol policy exception exceptiontype stack stacktrace"
    # a request
    " ip ipaddress clientip remoteip remoteaddr remoteaddress remotehost xforwardedfor xrealip forwardedfor forwarded"
    " sourceip sourceipaddress srcip address clientipaddress peer peeraddress method httpmethod verb requestmethod path"
    " uri url route requesturi requesturl requestpath query redirecturi referer referrer useragent httpuseragent"
    " browser os device country city scheme httpversion proto contenttype contentlength accept charset cachecontrol pragma"
    " duration latency elapsed took size bytes expires expiresin expiresat lifetime validuntil"
)
CONTAINERS: Final = _words(
    "details data req request res response oidc err error actor client target outcome authdetails httprequest headers mdc"
    " properties log attributes resource event payload body record fields context http url user params query jsonpayload"
    " kubernetes agent host process service extra representation"
)
"""Names of objects that a line which is no JSON may open."""
_WORDS: Final = (
    frozenset(OUTCOMES)
    | ERRORS
    | GRANT_TYPES
    | _words(
        "trace debug info notice warn warning error err fatal critical panic severe fine stdout stderr"
        " get post put patch delete head options true false null none unknown anonymous ok success failure failed"
        " openid profile email offline_access address phone bearer dpop"
    )
)
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,18})?)?)?(?: ?(?:Z|UTC|[+-]\d\d:?(?:\d\d)?))?(?:\[[A-Za-z_/]{1,32}\])?"
    r"|1\d{9}(?:\d{3}){0,3}"  # of Unix, in seconds down to nanoseconds
    r"|\d\d/[A-Z][a-z]{2}/\d{4}[: ]\d\d:\d\d:\d\d(?: [+-]\d{4})?",
    re.ASCII,
)
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")
_ADDRESS_CHARS: Final = re.compile(r"[0-9A-Fa-f.:\[\]]{2,51}")


@lru_cache(4096)
def plain_name(key: str) -> str:
    """Return a name as all its spellings have it: ``client_id``, ``clientId`` and ``Client-ID`` are ``clientid``."""
    return _NO_LETTER.sub("", key.lower())


@lru_cache(4096)
def means_secret(key: str) -> bool:
    """Whether a value under this name is hidden whatever it is."""
    name = plain_name(key)
    return _SECRET.search(name) is not None and name not in _HARMLESS_SECRET


@lru_cache(4096)
def means_identifier(key: str) -> bool:
    """Whether a value under this name is an identifier, which may be shown."""
    if means_secret(key) or not _NAME.fullmatch(key):
        return False
    names = {plain_name(key), plain_name(key.rpartition(".")[2])}
    return not names.isdisjoint(_IDENTIFIERS) or _ENDS_IN_ID.search(key) is not None


@lru_cache(4096)
def means_text(key: str) -> bool:
    """Whether a value under this name may be shown: a text, a time, a word. ``log.level`` is a level."""
    if means_secret(key) or not _NAME.fullmatch(key):
        return False
    return plain_name(key) in _TEXTS or plain_name(key.rpartition(".")[2]) in _TEXTS


def is_status(key: str, value: object) -> bool:
    """Whether a value under a name such as ``code`` is that of an answer: 401, or OAuth's word for an error."""
    written = str(value)
    return plain_name(key).endswith("code") and (written in ERRORS or _STATUS.fullmatch(written) is not None)


def is_harmless(value: str) -> bool:
    """Whether a value cannot be a secret, whatever its name: a time, an address, a word of the field."""
    if value.lower() in _WORDS or not value:
        return True
    if len(value) > 64:
        return False
    return _TIME.fullmatch(value) is not None or _is_address(value)


def _is_address(value: str) -> bool:
    if not _ADDRESS_CHARS.fullmatch(value) or (":" not in value and value.count(".") != 3):
        return False
    bare = value.rpartition(":")[0] if value.count(":") == 1 else value.partition("]")[0].removeprefix("[")
    try:
        ip_address(bare)
    except ValueError:
        return False
    return True
