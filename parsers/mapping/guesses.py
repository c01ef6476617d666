"""Guesses about a log that nobody described yet: which path has the time, the client, what happened. For people to check."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from parsers.address import client_address
from parsers.mapping import times
from parsers.mapping.survey import Found, Survey
from parsers.redaction.showable import plain_name

_NAMES: Final = {
    "client_id": "clientid oauthclientid oidcclientid client.id appid azp client app application applicationid clientname consumer",
    "user_id": "userid user.id subjectid sub subject useridentifier user username actor.id uid login principal account",
    "ip": "ip ipaddress clientip clientipaddress remoteip remoteaddr remoteaddress sourceip sourceipaddress callingipaddress peer",
    "user_agent": "useragent httpuseragent rawuseragent agent",
    "scopes": "scopes scope grantedscopes requestedscopes",
    "grant_type": "granttype grant.type grant oauthgranttype",
    "error": "error errorcode err oautherror errorname failurereason reason",
    "error_detail": "errordescription errormessage errordetail errordetails reason description message msg",
    "expires_in": "expiresin accesstokenlifetime lifetime ttl",
    "event_id": "eventid logid uuid uniquerequestid id requestid",
    "realm": "realm realmname tenant tenantname tenantid realmid organization org",
}
"""What the fields of an event are called in logs, without punctuation, the likeliest first. ``client.id``: ``id`` within ``client``."""
_TIMES: Final = (
    "timestamp time ts date datetime eventtime createdat created createddatetime published instant asctime logged"
)
_HAPPENED: Final = "action event eventtype type eventname operation op name activity kind category msg message"
_RESULTS: Final = "result outcome status success eventresult"
_FORMATS: Final = (
    *(times.RFC3339, "%Y-%m-%d %H:%M:%S,%f", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"),
    *("%d/%b/%Y:%H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %z", "%Y/%m/%d %H:%M:%S", "%m/%d/%Y %H:%M:%S"),
)
_UNITS: Final = ((10**11, "epoch_s"), (10**14, "epoch_ms"), (10**17, "epoch_us"), (10**20, "epoch_ns"))
"""Up to which number a time since the epoch is of which unit: seconds until the year 5138."""
_MOST_KINDS: Final = 60
"""What happened is one of so many words."""
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_ABOUT_TOKENS: Final = re.compile(
    r"token|grant|oauth|oidc|refresh|credential|introspect|revo[ck]|user_?info|device|pkce|code_to|exchange|client_login"
)
_SUCCEEDED: Final = frozenset(
    {"success", "succeeded", "successful", "ok", "true", "allow", "allowed", "granted", "completed"}
)
_FAILED: Final = frozenset({"failure", "failed", "fail", "error", "false", "deny", "denied", "rejected", "refused"})
_FAILURES: Final = (
    (r"reus|replay", "token.reuse_detected"),
    (r"pkce|verifier", "token.pkce_failed"),
    (r"rate_?limit|throttl|too_many|limit_exceeded", "token.rate_limited"),
    (r"pending|slow_down", "token.authorization_pending"),
    (r"expired", "token.expired"),
)
_OPERATIONS: Final = (
    (r"introspect", "token.introspected"),
    (r"revo[ck]", "token.revoked"),
    (r"user_?info", "token.userinfo_accessed"),
    (r"refresh", "token.refreshed"),
    (r"client_(credential|login)", "token.issued.client_credentials"),
    (r"device", "token.issued.device_code"),
    (r"token_exchange|exchange_token", "token.issued.token_exchange"),
    (r"jwt", "token.issued.jwt_bearer"),
    (r"password|ropc", "token.issued.password"),
    (r"ciba|backchannel", "token.issued.ciba"),
    (r"code", "token.issued.authorization_code"),
    (r"issu|creat|grant|generat|mint|success|token", "token.issued.{grant}"),
)
_IS_FAILURE: Final = re.compile(r"fail|error|invalid|den[iy]|reject|refus|unauthori[sz]ed|bad_|wrong|unsuccess")


class GuessedTime(NamedTuple):
    """The path of the time, its format, and the zone that a layout without an offset needs."""

    path: str
    format: str
    zone: str


class Results(NamedTuple):
    """The path that says whether it went well, and its values for yes and no."""

    path: str
    succeeded: list[Any]
    failed: list[Any]


def guess_time(survey: Survey) -> GuessedTime | None:
    """Guess where the time stands."""
    for found in _by_name(survey, _TIMES):
        guessed = _format(list(found.values)) if found.values else None
        if guessed is not None:
            return GuessedTime(found.path, *guessed)
    return None


def guess_fields(survey: Survey) -> dict[str, str]:
    """Guess the paths of the other fields."""
    fields: dict[str, str] = {}
    for name, names in _NAMES.items():
        fits = _CHECKS.get(name, _is_anything)
        found = next(
            (found for found in _by_name(survey, names) if fits(found) and found.path not in fields.values()), None
        )
        if found is not None:
            fields[name] = found.path.removesuffix("[0]") if name == "scopes" else found.path
    if "ip" not in fields and (address := next(filter(_are_addresses, survey.found.values()), None)):
        fields["ip"] = address.path
    return fields


def guess_happened(survey: Survey) -> Found | None:
    """Guess which path says what happened: it has few values, and some of them are about tokens."""
    best, most = None, 0
    for found in _by_name(survey, _HAPPENED):
        texts = [value for value in found.values if isinstance(value, str)]
        if found.is_full or not texts or len(texts) > _MOST_KINDS:
            continue
        about = sum(guess_action(text) is not None for text in texts)
        if about > most:
            best, most = found, about
    return best


def guess_results(survey: Survey) -> Results | None:
    """Guess which path says whether it went well."""
    for found in _by_name(survey, _RESULTS):
        succeeded = [value for value in found.values if str(value).lower() in _SUCCEEDED]
        failed = [value for value in found.values if str(value).lower() in _FAILED]
        if not found.is_full and (succeeded or failed):
            return Results(found.path, succeeded, failed)
    return None


def guess_action(word: str) -> str | None:
    """Guess the action that a provider's word means; None for one that is about no token."""
    plain = "_".join(_WORD.findall(word)).lower()
    if not _ABOUT_TOKENS.search(plain):
        return None
    failure = next((action for expression, action in _FAILURES if re.search(expression, plain)), None)
    if failure is not None:
        return failure
    if _IS_FAILURE.search(plain):
        return "token.validation_failed"
    return next((action for expression, action in _OPERATIONS if re.search(expression, plain)), None)


def _by_name(survey: Survey, names: str) -> list[Found]:
    """Return what stands at paths with one of these names, the likeliest first, then what is in more lines."""
    ranks = {name: rank for rank, name in enumerate(names.split())}

    def rank(found: Found) -> int:
        plain = [plain_name(word) for key in found.keys for word in key.split(".")][-2:]
        return min(ranks.get(".".join(plain), len(ranks)), ranks.get(plain[-1], len(ranks)))

    fitting = [(rank(found), -found.lines, index, found) for index, found in enumerate(survey.found.values())]
    return [found for its_rank, *_, found in sorted(fitting, key=lambda each: each[:3]) if its_rank < len(ranks)]


def _format(values: Sequence[Any]) -> tuple[str, str] | None:
    """Return the format of all these times, and the zone that it needs."""
    numbers = [float(value) for value in values if _is_number(value)]
    if len(numbers) == len(values):
        unit = next((unit for limit, unit in _UNITS if max(numbers) < limit), None)
        return (unit, "") if unit and min(numbers) > 0 else None
    for written in _FORMATS:
        zone = "UTC" if "%" in written and "%z" not in written else ""
        read = times.reader(written, zone)
        if all(read(value) is not None for value in values):
            return written, zone
    return None


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and re.fullmatch(r"[0-9]{9,19}(\.[0-9]{1,9})?", str(value)) is not None


def _is_anything(_: Found) -> bool:
    return True


def _are(found: Found, fits: Callable[[Any], bool]) -> bool:
    values: Iterable[Any] = found.values
    return bool(found.values) and all(map(fits, values))


def _are_addresses(found: Found) -> bool:
    return _are(found, lambda value: isinstance(value, str) and client_address(value) is not None)


_CHECKS: Final[dict[str, Callable[[Found], bool]]] = {
    "ip": _are_addresses,
    "expires_in": lambda found: _are(found, lambda value: str(value).isdigit()),
}
"""What the values of a field must be, where that can be told."""
