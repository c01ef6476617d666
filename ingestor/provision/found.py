"""What is in a Grafana, in the form in which it is compared with what should be there."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ingestor.provision.contact_points import REDACTED, SEVERITIES
from ingestor.provision.dashboards import SERVER_KEYS
from ingestor.provision.grafana import Grafana
from ingestor.provision.things import (
    DATA_SOURCE_UID,
    FOLDER_UID,
    MANAGED_BY,
    PREFIX,
    TAG,
    Found,
    Kind,
    Thing,
)

_DATA_SOURCE_KEYS: Final = ("name", "type", "access", "url", "user", "jsonData")
_RULE_SERVER_KEYS: Final = frozenset({"id", "orgID", "updated", "provenance"})
_CONTACT_KEYS: Final = ("name", "type", "settings", "disableResolveMessage")


def find(grafana: Grafana, wanted: Iterable[Thing]) -> list[Found]:
    """Return what carries our mark, and what stands where ours should. Raises TokentailError."""
    wanted = list(wanted)
    return [
        *_folder(grafana, wanted),
        *_data_source(grafana),
        *_contact_points(grafana),
        *_dashboards(grafana, wanted),
        *_rule_groups(grafana, wanted),
    ]


def _folder(grafana: Grafana, wanted: list[Thing]) -> Iterator[Found]:
    folder = grafana.folder(FOLDER_UID)
    if folder is not None:
        yield Found(Thing(Kind.FOLDER, FOLDER_UID, folder["title"], {"title": folder["title"]}))
        return
    titles = {entry["title"]: entry["uid"] for entry in grafana.folders()}
    for thing in wanted:
        if thing.kind is Kind.FOLDER and thing.title in titles:
            why = f"a folder of that title is there already (uid {titles[thing.title]}): set another grafana.folder"
            yield Found(thing, others=why)


def _data_source(grafana: Grafana) -> Iterator[Found]:
    source = grafana.data_source(DATA_SOURCE_UID)
    if source is None:
        named = [entry for entry in grafana.data_sources() if entry["name"] == TAG]
        thing = Thing(Kind.DATA_SOURCE, DATA_SOURCE_UID, TAG, {})
        yield from (
            Found(thing, others=f"a data source of that name is there already (uid {one['uid']})") for one in named
        )
        return
    secrets = sorted(name for name, there in (source.get("secureJsonFields") or {}).items() if there)
    body = {key: source.get(key) for key in _DATA_SOURCE_KEYS} | {"secrets": secrets}
    options = source.get("jsonData") or {}
    others = (
        ""
        if options.get(MANAGED_BY) == TAG
        else f"a data source with the uid {DATA_SOURCE_UID} was made by somebody else"
    )
    yield Found(Thing(Kind.DATA_SOURCE, DATA_SOURCE_UID, source["name"], body), others)


def _contact_points(grafana: Grafana) -> Iterator[Found]:
    ours = {f"{PREFIX}{severity}": f"tokentail {severity}" for severity in SEVERITIES}
    for entry in grafana.contact_points():
        uid, name = entry.get("uid", ""), entry["name"]
        body = {key: entry.get(key) for key in _CONTACT_KEYS}
        # It writes that there are secrets also where there is none.
        body["settings"] = {key: value for key, value in entry["settings"].items() if value != REDACTED}
        if uid in ours:
            yield Found(Thing(Kind.CONTACT_POINT, uid, name, body, locked=bool(entry.get("provenance"))))
        elif name in ours.values():
            thing = Thing(Kind.CONTACT_POINT, name.replace("tokentail ", PREFIX), name, body)
            yield Found(thing, others=f"a contact point of that name is there already (uid {uid})")


def _dashboards(grafana: Grafana, wanted: list[Thing]) -> Iterator[Found]:
    tagged = {entry["uid"] for entry in grafana.dashboards(TAG) if entry["uid"].startswith(PREFIX)}
    for uid in sorted(tagged | {thing.uid for thing in wanted if thing.kind is Kind.DASHBOARD}):
        whole = grafana.dashboard(uid)
        if whole is None:
            continue
        body = {key: value for key, value in whole["dashboard"].items() if key not in SERVER_KEYS}
        folder = whole["meta"].get("folderUid") or ""
        if folder != FOLDER_UID:
            body["folder"] = folder  # somebody moved it; wanted dashboards say nothing of a folder
        others = (
            "" if TAG in body.get("tags", []) else f"a dashboard with the uid {uid} lacks the tag {TAG}: it is not ours"
        )
        yield Found(Thing(Kind.DASHBOARD, uid, str(body.get("title", uid)), body), others)


def _rule_groups(grafana: Grafana, wanted: list[Thing]) -> Iterator[Found]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    elsewhere: dict[str, str] = {}
    for rule in grafana.rules():
        if rule["folderUID"] == FOLDER_UID:
            groups[rule["ruleGroup"]].append(rule)
        else:
            elsewhere[rule["uid"]] = rule["folderUID"]
    names = {thing.uid for thing in wanted if thing.kind is Kind.RULE_GROUP}
    for name, rules in sorted(groups.items()):
        if name in names or any(_is_ours(rule) for rule in rules):
            yield _group(grafana, name, rules)
    for thing in wanted:
        if thing.kind is Kind.RULE_GROUP:
            taken = [rule["uid"] for rule in thing.body["rules"] if rule["uid"] in elsewhere]
            if taken:
                why = f"a rule with the uid {taken[0]} is in the folder with the uid {elsewhere[taken[0]]}"
                yield Found(thing, others=why)


def _group(grafana: Grafana, name: str, rules: list[dict[str, Any]]) -> Found:
    whole = grafana.group(FOLDER_UID, name) or {}
    locked = any(rule.get("provenance") for rule in rules)
    plain = [
        {key: value for key, value in rule.items() if key not in _RULE_SERVER_KEYS}
        for rule in whole.get("rules", rules)
    ]
    body = {"interval": whole.get("interval"), "rules": plain}
    others = (
        ""
        if any(_is_ours(rule) for rule in rules)
        else f"a rule group of that name has rules of somebody else ({rules[0]['title']!r})"
    )
    return Found(Thing(Kind.RULE_GROUP, name, name, body, locked=locked), others)


def _is_ours(rule: dict[str, Any]) -> bool:
    return bool((rule.get("labels") or {}).get(MANAGED_BY) == TAG)
