"""What Grafana's refusals mean, and which setting mends them."""

from typing import Any, Final

import requests
from grafana_client.client import GrafanaClientError, GrafanaException

from ingestor.errors import ConfigError, PermissionDeniedError, TokentailError, UnavailableError, one_line
from parsers.text import clean

TOKEN_ADVICE: Final = (
    "Make a service account with the role Admin in Grafana (Administration, Users and access), and put a token of it into "  # noqa: S105
    "the file of grafana.token_file (mode 0600), or into TOKENTAIL_GRAFANA_TOKEN."
)
_MOST_CHARS: Final = 300
_NO_GRAFANA: Final = "Name Grafana's own address in grafana.url, with the path below which it is served, if any."


def refused(error: GrafanaException, url: str, doing: str) -> TokentailError:
    """Return what to raise for an answer of 400 and above. ``doing``: what was asked for ("make the folder x")."""
    status = int(error.status_code)
    words = _words(error)
    if status in {401, 403} and not isinstance(error.response, dict):  # a proxy's page
        return not_grafana(url, f" (status {status})")
    if status == 401:
        return PermissionDeniedError("Grafana does not know the token", where=url, advice=TOKEN_ADVICE)
    if status == 403:
        advice = "Give its service account the role Admin: data sources and contact points take that."
        return PermissionDeniedError(f"The token may not {doing}: {words}", where=url, advice=advice)
    if status in {429, 502, 503, 504}:
        return UnavailableError(
            f"Grafana cannot {doing} now (status {status}): {words}", where=url, advice="Try again in a moment."
        )
    if status == 404 and not isinstance(error.response, dict):
        return ConfigError(f"This is no Grafana (status {status})", where=url, advice=_NO_GRAFANA)
    return TokentailError(f"Grafana did not {doing} (status {status}): {words}", where=url)


def no_answer(error: Exception, url: str) -> TokentailError:
    """Return what to raise when no answer came, or none of Grafana's."""
    if isinstance(error, requests.exceptions.SSLError):
        advice = (
            "A certificate of your own is named in grafana.ca_file; it must be made out to the host in grafana.url."
        )
        return UnavailableError("Grafana cannot be reached: TLS failed", where=url, advice=advice)
    if isinstance(error, requests.exceptions.Timeout):
        return UnavailableError("Grafana cannot be reached: no answer in time", where=url, advice="Is it running?")
    if isinstance(error, requests.exceptions.TooManyRedirects):
        response = error.response
        where = clean(response.headers.get("Location", "nowhere") if response is not None else "nowhere")[:_MOST_CHARS]
        what = f"Grafana answers with a redirect to {where}, perhaps a page to sign in"
        return ConfigError(what, where=url, advice=_NO_GRAFANA)
    if isinstance(error, requests.exceptions.ConnectionError):
        advice = "Is it running, and is grafana.url its address?"
        return UnavailableError("Grafana cannot be reached: no connection", where=url, advice=advice)
    return not_grafana(url)


def not_grafana(url: str, how: str = "") -> TokentailError:
    """Return what to raise for an answer that Grafana's API does not give."""
    return ConfigError(f"This is no Grafana: something else answers{how}", where=url, advice=_NO_GRAFANA)


def _words(error: GrafanaException) -> str:
    response: Any = error.response
    told = response.get("message") if isinstance(response, dict) else None
    return clean(one_line(told))[:_MOST_CHARS] if isinstance(told, str) and told else "it does not say why"


def is_absent(error: GrafanaException) -> bool:
    """Whether the thing asked for is not there, as opposed to Grafana not being there."""
    return isinstance(error, GrafanaClientError) and error.status_code == 404 and isinstance(error.response, dict)
