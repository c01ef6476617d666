"""What is in a Grafana, in the form in which it is compared with what should be there."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ingestor.provision.client import Grafana
from ingestor.provision.contact_points import OWN, REDACTED
from ingestor.provision.dashboards import SERVER_KEYS, dashboard_uids
from ingestor.provision.resources import (
    DATA_SOURCE_UID,
    FOLDER_UID,
    MANAGED_BY,
    PREFIX,
    TAG,
    Existing,
    Kind,
    Resource,
    by_uid,
    rules_of,
)

_DATA_SOURCE_KEYS: Final = ("name", "type", "access", "url", "user", "jsonData")
_BY_FILE: Final = "Grafana provisions it from a file, which alone can change it: see `tokentail grafana export`"
_CONTACT_KEYS: Final = ("name", "type", "settings", "disableResolveMessage")


def read_actual(grafana: Grafana, wanted: Iterable[Resource]) -> list[Existing]:
    """Return what carries our mark, and what stands where ours should. Raises TokentailError."""
    wanted, rules = list(wanted), grafana.rules()
    return [
        *_folder(grafana, wanted),
        *_data_source(grafana),
        *_contact_points(grafana, rules),
        *_dashboards(grafana),
        *_rules(grafana, wanted, rules),
    ]


def _folder(grafana: Grafana, wanted: list[Resource]) -> Iterator[Existing]:
    folder = grafana.folder(FOLDER_UID)
    if folder is not None:
        yield Existing(Resource(Kind.FOLDER, FOLDER_UID, folder["title"], {"title": folder["title"]}))
        return
    titles = {entry["title"]: entry["uid"] for entry in grafana.folders()}
    for thing in wanted:
        if thing.kind is Kind.FOLDER and thing.title in titles:
            why = f"a folder of that title is there already (uid {titles[thing.title]}): set another grafana.folder"
            yield Existing(thing, others=why)


def _data_source(grafana: Grafana) -> Iterator[Existing]:
    source = grafana.data_source(DATA_SOURCE_UID)
    if source is None:
        named = [entry for entry in grafana.data_sources() if entry["name"] == TAG]
        thing = Resource(Kind.DATA_SOURCE, DATA_SOURCE_UID, TAG, {})
        yield from (
            Existing(thing, others=f"a data source of that name is there already (uid {one['uid']})") for one in named
        )
        return
    secrets = sorted(name for name, there in (source.get("secureJsonFields") or {}).items() if there)
    body = {key: source.get(key) for key in _DATA_SOURCE_KEYS} | {"secrets": secrets}
    others = ""
    if (source.get("jsonData") or {}).get(MANAGED_BY) != TAG:
        others = f"a data source with the uid {DATA_SOURCE_UID} was made by somebody else"
    elif source.get("readOnly"):
        others = _BY_FILE
    yield Existing(Resource(Kind.DATA_SOURCE, DATA_SOURCE_UID, source["name"], body), others)


def _contact_points(grafana: Grafana, rules: list[dict[str, Any]]) -> Iterator[Existing]:
    uids = {name: uid for uid, name in OWN.items()}
    entries = [entry for entry in grafana.contact_points() if entry.get("uid") in OWN or entry["name"] in uids]
    used = dict(_users(grafana, rules)) if entries else {}
    for entry in entries:
        uid, name = entry.get("uid", ""), entry["name"]
        body = {key: entry.get(key) for key in _CONTACT_KEYS}
        # It writes that there are secrets also where there is none.
        body["settings"] = {key: value for key, value in entry["settings"].items() if value != REDACTED}
        if uid in OWN:
            others = _BY_FILE if entry.get("provenance") == "file" else ""
            yield Existing(Resource(Kind.CONTACT_POINT, uid, name, body), others, in_use=used.get(name, ""))
        else:
            thing = Resource(Kind.CONTACT_POINT, uids[name], name, body)
            yield Existing(thing, others=f"a contact point of that name is there already (uid {uid})")


def _users(grafana: Grafana, rules: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield each contact point that somebody else uses, and how."""
    for rule in rules:
        if not is_ours(rule) and (receiver := (rule.get("notification_settings") or {}).get("receiver")):
            yield receiver, f"the alert rule {rule['title']!r} of somebody else sends to it"
    policies = [grafana.policies()]
    while policies:
        policy = policies.pop()
        policies += policy.get("routes") or []
        if receiver := policy.get("receiver"):
            yield receiver, "the notification policies send to it"


def _dashboards(grafana: Grafana) -> Iterator[Existing]:
    inside = {entry["uid"] for entry in grafana.dashboards(TAG) if entry.get("folderUid") == FOLDER_UID}
    for uid in sorted({*dashboard_uids(), *(uid for uid in inside if uid.startswith(PREFIX))}):
        whole = grafana.dashboard(uid)
        if whole is None:
            continue
        body = {key: value for key, value in whole["dashboard"].items() if key not in SERVER_KEYS}
        if (folder := whole["meta"].get("folderUid") or "General") != FOLDER_UID:
            body["moved to folder"] = folder  # wanted dashboards say nothing of a folder
        others = ""
        if TAG not in body.get("tags", []):
            others = f"a dashboard with the uid {uid} lacks the tag {TAG}: it is not ours"
        elif whole["meta"].get("provisioned"):
            others = _BY_FILE
        yield Existing(Resource(Kind.DASHBOARD, uid, str(body.get("title", uid)), body), others)


def _rules(grafana: Grafana, wanted: list[Resource], rules: list[dict[str, Any]]) -> Iterator[Existing]:
    """Yield the wanted groups as far as they are there, and our rules that are wanted in none."""
    groups = [thing for thing in wanted if thing.kind is Kind.RULE_GROUP]
    uids = {rule["uid"] for group in groups for rule in rules_of(group)}
    there = {rule["uid"]: rule for rule in rules}
    for group in groups:
        members = [r for r in rules if (r["folderUID"], r["ruleGroup"]) == (FOLDER_UID, group.uid)]
        present = [rule for rule in members if rule["uid"] in uids and is_ours(rule)]
        why = [
            *(
                f"the rule {rule['title']!r} in it is somebody else's: move it to another group"
                for rule in members
                if not is_ours(rule)
            ),
            *(
                f"a rule with the uid {rule['uid']} lacks the label {MANAGED_BY}: it is not ours"
                for rule in rules_of(group)
                if rule["uid"] in there and not is_ours(there[rule["uid"]])
            ),
            *([_BY_FILE] if any(rule.get("provenance") == "file" for rule in present) else []),
        ]
        if present or why:
            whole = grafana.group(FOLDER_UID, group.uid) or {}
            body = {"interval": whole.get("interval"), "rules": by_uid(present)}
            locked = any(rule.get("provenance") for rule in present)
            yield Existing(Resource(Kind.RULE_GROUP, group.uid, group.title, body, locked=locked), "; ".join(why))
    for rule in rules:
        if is_ours(rule) and rule["uid"] not in uids:
            others = _BY_FILE if rule.get("provenance") == "file" else ""
            yield Existing(Resource(Kind.RULE, rule["uid"], rule["title"], rule), others)


def is_ours(rule: dict[str, Any]) -> bool:
    """Whether a rule carries our mark. A copy of ours has our label, and another uid."""
    return str(rule["uid"]).startswith(PREFIX) and (rule.get("labels") or {}).get(MANAGED_BY) == TAG
