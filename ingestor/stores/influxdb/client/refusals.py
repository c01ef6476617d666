"""What InfluxDB's refusals mean, and which setting mends them."""

import re
from typing import Final

from ingestor.config.credentials import token_of
from ingestor.config.settings import StoreSettings
from ingestor.errors import PermissionDeniedError, TokentailError, UnavailableError

_LACKS: Final = re.compile(r"(read|write):\S+ is unauthorized")
"""InfluxDB 2.x answers 401 to a good token that lacks a permission, too, and names the permission."""
_REQUIRES: Final = re.compile(r"requires [^']+$")
"""The end of what InfluxDB 1.x says; it repeats the whole statement before."""
_NO_ADMINISTRATOR: Final = "create admin user first"

TOKEN_ADVICE: Final = "Put an API token into the file of store.token_file (mode 0600), or into TOKENTAIL_STORE_TOKEN."  # noqa: S105
_USER_SETTINGS: Final = "store.username, and store.password_file or TOKENTAIL_STORE_PASSWORD"
USER_ADVICE: Final = f"Set {_USER_SETTINGS}."
_DAEMON_ADVICE: Final = {
    1: 'An administrator grants it: GRANT ALL ON "{database}" TO "{user}"',
    2: "It takes a token that may read and write the buckets {database}/raw, .../rollup, .../findings and .../own.",
}
_ADMINISTRATOR_ADVICE: Final = {
    1: "It takes an administrator: run this once with TOKENTAIL_STORE_USERNAME and TOKENTAIL_STORE_PASSWORD set to one's.",
    2: "It takes a token that may read and write all buckets of the organization: run this once with TOKENTAIL_STORE_TOKEN "
    "set to one.",
}


def refusal(
    major: int, status: int, words: str, store: StoreSettings, *, doing: str, administrator: bool = False
) -> TokentailError:
    """Return what to raise for an answer that is no success.

    ``doing``: what was asked for ("make the bucket x"). ``administrator``: whether it takes more rights than the daemon needs.
    """
    if status == 401 and not _LACKS.search(words):
        return _unknown_caller(major, store)
    if status in {401, 403}:
        if _NO_ADMINISTRATOR in words:
            advice = "Make one: CREATE USER ... WITH PASSWORD '...' WITH ALL PRIVILEGES. Then set store.username."
            return PermissionDeniedError(
                "InfluxDB has authentication on, and no user yet", where=store.url, advice=advice
            )
        advice = _ADMINISTRATOR_ADVICE[major] if administrator else daemon_advice(major, store)
        who = f"the user {store.username!r}" if major == 1 else "the token"
        needs = _REQUIRES.search(words)
        reason = f" ({needs[0] if needs else words})" if words else ""
        return PermissionDeniedError(f"InfluxDB does not let {who} {doing}{reason}", where=store.url, advice=advice)
    kind = UnavailableError if status >= 500 or status == 429 else TokentailError
    return kind(f"InfluxDB did not {doing}: {words or 'no reason given'} (status {status})", where=store.url)


def daemon_advice(major: int, store: StoreSettings) -> str:
    """Say which rights the daemon needs, and how it gets them."""
    return _DAEMON_ADVICE[major].format(database=store.database, user=store.username)


def _unknown_caller(major: int, store: StoreSettings) -> TokentailError:
    """Say of an answer 401 which setting is missing or wrong."""
    token = token_of(store).place()
    if major == 2 and not token:
        return no_token(store)
    if major == 2:
        return PermissionDeniedError(
            "InfluxDB does not know the token",
            where=str(token),
            advice=f"Is it active, and of this server? {TOKEN_ADVICE}",
        )
    if token:
        return PermissionDeniedError(
            "InfluxDB 1.x knows no tokens, and one is configured",
            where=store.url,
            advice=f"Take store.token_file and TOKENTAIL_STORE_TOKEN away. {USER_ADVICE}",
        )
    if store.username:
        return PermissionDeniedError(
            f"InfluxDB does not accept the user {store.username!r} with this password",
            where=store.url,
            advice=f"Check {_USER_SETTINGS}.",
        )
    return PermissionDeniedError("InfluxDB wants a user: it has authentication on", where=store.url, advice=USER_ADVICE)


def no_token(store: StoreSettings) -> TokentailError:
    """Return what to raise when InfluxDB 2.x is to be asked without a token."""
    return PermissionDeniedError("InfluxDB 2.x wants a token, and there is none", where=store.url, advice=TOKEN_ADVICE)
