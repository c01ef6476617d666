"""One Grafana, through ``grafana-client``: whole answers, and faults as errors that a person reads. It decides nothing.

``grafana-client`` lets the exceptions of its HTTP library through, takes a sign-in page for an answer, and sends no
provenance header on some calls; so every call goes through ``_ask``.
"""

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaException

from ingestor.config.credentials import grafana_token_of
from ingestor.config.settings import GrafanaSettings
from ingestor.errors import ConfigError, PermissionDeniedError, TokentailError
from ingestor.provision.errors import TOKEN_ADVICE, is_absent, no_answer, not_grafana, refused

OLDEST: Final = (11, 0)
"""Rules name their contact point themselves from here on."""
MOST_DASHBOARDS: Final = 5000
"""As many as Grafana gives at a time."""
_NO_CACHE: Final = {"X-Grafana-NoCache": "true"}
"""Else it asks, for some seconds, the data source as it was before it was changed."""
_UNLOCKED: Final = {"X-Disable-Provenance": "true"}


class Grafana:
    """One organization of one Grafana: the token's."""

    def __init__(self, settings: GrafanaSettings) -> None:
        """Ask nothing yet. Raises ConfigError, PermissionDeniedError: no Grafana is configured, or its token cannot be read."""
        if not settings.url:
            raise ConfigError(
                "No Grafana is configured", where="grafana.url", advice="Write its address into [grafana]."
            )
        token = grafana_token_of(settings).read()
        if not token:
            raise PermissionDeniedError("There is no token for Grafana", where=settings.url, advice=TOKEN_ADVICE)
        if settings.ca_file and not settings.ca_file.is_file():
            raise ConfigError(
                "The certificates cannot be loaded", where=str(settings.ca_file), advice="Check grafana.ca_file."
            )
        parts = urlsplit(settings.url)
        self.url = settings.url
        self._api = GrafanaApi(
            auth=token,
            host=f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname,
            port=parts.port,
            url_path_prefix=f"{parts.path.strip('/')}/".lstrip("/"),
            protocol=parts.scheme,
            verify=str(settings.ca_file) if settings.ca_file else True,
            timeout=settings.timeout_seconds,
            user_agent="tokentail",
        )
        # As for InfluxDB: what the environment says of proxies, and .netrc of passwords, is for other programs.
        self._api.client.s.trust_env = False
        self._api.client.s.max_redirects = 0  # Grafana's API has none: it would be a page to sign in

    def close(self) -> None:
        """Close the connections."""
        self._api.client.s.close()

    def version(self) -> str:
        """Return its version. Raises TokentailError: out of reach, no Grafana, or one that is too old."""
        health = self._ask("tell its version", self._api.health.check)
        version = health.get("version") if isinstance(health, dict) else None
        numbers = re.match(r"(\d{1,4})\.(\d{1,4})", version) if isinstance(version, str) else None
        if numbers is None:
            raise not_grafana(self.url)
        if (int(numbers[1]), int(numbers[2])) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise ConfigError(
                f"Grafana {version} is too old",
                where=self.url,
                advice=f"It takes {oldest} or newer, whose rules name their contact point themselves.",
            )
        return str(version)

    def folder(self, uid: str) -> dict[str, Any] | None:
        """Return a folder, or None."""
        return self._find("read folders", lambda: self._api.folder.get_folder(uid))

    def folders(self) -> list[dict[str, Any]]:
        """Return the folders at the top."""
        return self._list("read folders", self._api.folder.get_all_folders)

    def folders_in(self, uid: str) -> list[dict[str, Any]]:
        """Return the folders in a folder."""
        return self._list("read folders", lambda: self._api.client.GET(f"/folders?parentUid={quote(uid)}"))

    def library_panels(self) -> list[dict[str, Any]]:
        """Return the library panels."""
        path = f"/library-elements?perPage={MOST_DASHBOARDS}"
        answer = self._ask("read library panels", lambda: self._api.client.GET(path))
        elements: list[dict[str, Any]] = answer["result"]["elements"]
        return elements

    def policies(self) -> dict[str, Any]:
        """Return the tree of notification policies, which is everybody's."""
        return (
            self._find("read notification policies", self._api.alertingprovisioning.get_notification_policy_tree) or {}
        )

    def save_folder(self, uid: str, title: str, *, exists: bool) -> None:
        """Make a folder, or give it another title."""
        doing = f"{'rename' if exists else 'make'} the folder {title!r}"
        if exists:
            self._ask(doing, lambda: self._api.folder.update_folder(uid, title, overwrite=True))
        else:
            self._ask(doing, lambda: self._api.folder.create_folder(title, uid))

    def delete_folder(self, uid: str) -> None:
        """Delete a folder with all that is in it."""
        self._gone("delete the folder", lambda: self._api.folder.delete_folder(uid))

    def data_sources(self) -> list[dict[str, Any]]:
        """Return all data sources, in short."""
        return self._list("read data sources", self._api.datasource.list_datasources)

    def data_source(self, uid: str) -> dict[str, Any] | None:
        """Return a data source, or None."""
        return self._find("read data sources", lambda: self._api.datasource.get_datasource_by_uid(uid))

    def save_data_source(self, body: dict[str, Any], *, exists: bool) -> None:
        """Make a data source, or overwrite it."""
        if exists:
            self._ask(
                "change the data source", lambda: self._api.datasource.update_datasource_by_uid(body["uid"], body)
            )
        else:
            self._ask("make the data source", lambda: self._api.datasource.create_datasource(body))

    def delete_data_source(self, uid: str) -> None:
        """Delete a data source."""
        self._gone("delete the data source", lambda: self._api.datasource.delete_datasource_by_uid(uid))

    def data_source_health(self, uid: str) -> str:
        """Have Grafana ask the data source; return what is wrong with it, an empty text when nothing is."""
        try:
            health = self._api.client.GET(f"/datasources/uid/{quote(uid)}/health", headers=_NO_CACHE)
        except GrafanaException as error:
            if error.status_code == 400 and isinstance(
                error.response, dict
            ):  # how it says that the source does not answer
                return str(error.response.get("message") or "it does not say why")
            raise refused(error, self.url, "ask the data source") from error
        except (requests.exceptions.RequestException, ValueError) as error:
            raise no_answer(error, self.url) from error
        return "" if health.get("status") == "OK" else str(health.get("message") or health)

    def dashboards(self, tag: str) -> list[dict[str, Any]]:
        """Return, in short, the dashboards with a tag."""
        return self._list(
            "search dashboards",
            lambda: self._api.search.search_dashboards(tag=tag, type_="dash-db", limit=MOST_DASHBOARDS),
        )

    def dashboards_in(self, folder: str) -> list[dict[str, Any]]:
        """Return, in short, the dashboards in a folder."""
        path = f"/search?type=dash-db&limit={MOST_DASHBOARDS}&folderUIDs={quote(folder)}"
        return self._list("search dashboards", lambda: self._api.client.GET(path))

    def dashboard(self, uid: str) -> dict[str, Any] | None:
        """Return a dashboard with its ``meta``, or None."""
        return self._find("read dashboards", lambda: self._api.dashboard.get_dashboard(uid))

    def save_dashboard(self, body: dict[str, Any], folder: str) -> None:
        """Make a dashboard, or overwrite it."""
        whole = {"dashboard": body, "folderUid": folder, "overwrite": True, "message": "tokentail grafana apply"}
        self._ask(f"save the dashboard {body['title']!r}", lambda: self._api.dashboard.update_dashboard(whole))

    def delete_dashboard(self, uid: str) -> None:
        """Delete a dashboard."""
        self._gone("delete a dashboard", lambda: self._api.dashboard.delete_dashboard(uid))

    def rules(self) -> list[dict[str, Any]]:
        """Return every alert rule of the organization."""
        return self._list("read alert rules", self._api.alertingprovisioning.get_alertrules_all)

    def group(self, folder: str, name: str) -> dict[str, Any] | None:
        """Return a rule group, or None."""
        return self._find(
            "read alert rules", lambda: self._api.alertingprovisioning.get_rule_group(folder, quote(name))
        )

    def save_rule(self, body: dict[str, Any], *, exists: bool, locked: bool) -> None:
        """Make an alert rule with a uid of ours, or overwrite it; ``ruleGroup`` and ``folderUID`` say where."""
        rules = self._api.alertingprovisioning
        if exists:
            doing = f"move the alert rule {body['title']!r}"
            self._ask(doing, lambda: rules.update_alertrule(body["uid"], body, disable_provenance=not locked))
        else:
            doing = f"make the alert rule {body['title']!r}"
            self._ask(doing, lambda: rules.create_alertrule(body, disable_provenance=not locked))

    def save_group(self, folder: str, name: str, body: dict[str, Any], *, locked: bool) -> None:
        """Overwrite a rule group. Grafana 11.0.0 knows no rule in it that ``save_rule`` has not made."""
        save = self._api.alertingprovisioning.update_rule_group
        doing = f"save the rule group {name!r}"
        self._ask(doing, lambda: save(folder, quote(name), body, disable_provenance=not locked))

    def delete_rule(self, uid: str) -> None:
        """Delete an alert rule."""
        self._gone("delete an alert rule", lambda: self._api.alertingprovisioning.delete_alertrule(uid))

    def contact_points(self) -> list[dict[str, Any]]:
        """Return every contact point; secrets are redacted."""
        return self._list("read contact points", self._api.alertingprovisioning.get_contactpoints)

    def save_contact_point(self, body: dict[str, Any], *, exists: bool, locked: bool) -> None:
        """Make a contact point, or overwrite it."""
        headers = {} if locked else _UNLOCKED
        path = "/v1/provisioning/contact-points"
        doing = f"save the contact point {body['name']!r}"
        if exists:
            self._ask(doing, lambda: self._api.client.PUT(f"{path}/{quote(body['uid'])}", json=body, headers=headers))
        else:
            self._ask(doing, lambda: self._api.client.POST(path, json=body, headers=headers))

    def delete_contact_point(self, uid: str) -> None:
        """Delete a contact point."""
        self._gone("delete a contact point", lambda: self._api.alertingprovisioning.delete_contactpoint(uid))

    def _ask(self, doing: str, call: Callable[[], Any]) -> Any:
        """Return the answer to a call. Raises TokentailError."""
        try:
            answer = call()
        except GrafanaException as error:
            raise refused(error, self.url, doing) from error
        except (requests.exceptions.RequestException, ValueError) as error:
            raise no_answer(error, self.url) from error
        if isinstance(answer, str):  # a page
            raise not_grafana(self.url)
        return answer

    def _find(self, doing: str, call: Callable[[], Any]) -> dict[str, Any] | None:
        try:
            answer = self._ask(doing, call)
        except TokentailError as error:
            if isinstance(error.__cause__, GrafanaException) and is_absent(error.__cause__):
                return None
            raise
        if not isinstance(answer, dict):
            raise not_grafana(self.url)
        return answer

    def _list(self, doing: str, call: Callable[[], Any]) -> list[dict[str, Any]]:
        answer = self._ask(doing, call)
        if not isinstance(answer, list):
            raise not_grafana(self.url)
        return answer

    def _gone(self, doing: str, call: Callable[[], Any]) -> None:
        try:
            self._ask(doing, call)
        except TokentailError as error:
            if not (isinstance(error.__cause__, GrafanaException) and is_absent(error.__cause__)):
                raise
