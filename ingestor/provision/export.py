"""The files that Grafana's own provisioning reads, for people who set up Grafana by files.

Grafana replaces `$NAME` by its environment in most of these texts, but not in annotations and queries of rules, and not in
dashboards; so a dollar sign is doubled in the former and left alone in the latter (seen in Grafana 11.0.0).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import yaml

from ingestor.errors import TokentailError
from ingestor.provision.data_source import as_sent
from ingestor.provision.resources import Kind, Resource, rules_of

PROVISIONING: Final = Path("/etc/grafana/provisioning")
_NOTE: Final = "# Written by `tokentail grafana export`; the next one overwrites it.\n"


class Written(NamedTuple):
    """What was written."""

    files: tuple[Path, ...]
    variables: tuple[str, ...]
    """Environment variables that Grafana's process must have: the secrets."""


def write(things: Iterable[Resource], directory: Path, grafana_directory: Path = PROVISIONING) -> Written:
    """Write the files below a directory; ``grafana_directory`` is where they will lie at Grafana's.

    The things' secrets are references to variables (``credentials.reference``). Raises TokentailError.
    """
    things = list(things)
    files = {
        "datasources/tokentail.yaml": _yaml({"datasources": [_data_source(t) for t in _of(things, Kind.DATA_SOURCE)]}),
        "dashboards/tokentail.yaml": _yaml({"providers": [_provider(things, grafana_directory)]}),
        "alerting/tokentail.yaml": _yaml(
            {
                "contactPoints": [_contact_point(thing) for thing in _of(things, Kind.CONTACT_POINT)],
                "groups": [_group(thing, _folder(things)) for thing in _of(things, Kind.RULE_GROUP)],
            }
        ),
    }
    for thing in _of(things, Kind.DASHBOARD):
        files[f"dashboards/tokentail/{thing.uid}.json"] = orjson.dumps(thing.body, option=orjson.OPT_INDENT_2) + b"\n"
    paths = []
    for name, content in files.items():
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise TokentailError(f"The file cannot be written: {error.strerror}", where=str(path)) from error
        paths.append(path)
    variables = {secret.rpartition("$")[2] for thing in things for secret in thing.secrets.values() if "$" in secret}
    return Written(tuple(paths), tuple(sorted(variables)))


def _yaml(document: dict[str, Any]) -> bytes:
    text = yaml.safe_dump({"apiVersion": 1, **document}, sort_keys=False, allow_unicode=True, width=120)
    return (_NOTE + text).encode()


def _of(things: list[Resource], kind: Kind) -> list[Resource]:
    return [thing for thing in things if thing.kind is kind]


def _folder(things: list[Resource]) -> str:
    return _of(things, Kind.FOLDER)[0].title


def _data_source(thing: Resource) -> dict[str, Any]:
    return {**_escaped(as_sent(thing)), "secureJsonData": thing.secrets, "editable": not thing.locked}


def _provider(things: list[Resource], grafana_directory: Path) -> dict[str, Any]:
    # No folderUid: rules find their folder by its title alone, and are read first.
    return {
        "name": "tokentail",
        "folder": _escaped(_folder(things)),
        "type": "file",
        "allowUiUpdates": any(thing.body["editable"] for thing in _of(things, Kind.DASHBOARD)),
        "options": {"path": str(grafana_directory / "dashboards/tokentail")},
    }


def _contact_point(thing: Resource) -> dict[str, Any]:
    settings = {**_escaped(thing.body["settings"]), **thing.secrets}
    receiver = {"uid": thing.uid, "type": thing.body["type"], "settings": settings}
    return {"name": thing.title, "receivers": [receiver]}


def _group(thing: Resource, folder: str) -> dict[str, Any]:
    rules = [_rule(rule) for rule in rules_of(thing)]
    return {"name": thing.uid, "folder": _escaped(folder), "interval": f"{thing.body['interval']}s", "rules": rules}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    api_only = {"ruleGroup", "folderUID", "orgID"}
    verbatim = {"data", "annotations"}
    annotations = rule["annotations"]
    return {
        **{key: value if key in verbatim else _escaped(value) for key, value in rule.items() if key not in api_only},
        "dashboardUid": annotations["__dashboardUid__"],
        "panelId": int(annotations["__panelId__"]),
    }


def _escaped(value: Any) -> Any:
    """Double the dollar signs of all texts."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _escaped(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_escaped(member) for member in value]
    return value
