"""Carrying out a plan. A plan is carried out in any state of half-finished work: the next plan has the rest."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from ingestor.errors import TokentailError
from ingestor.provision.client import Grafana
from ingestor.provision.data_source import SECRETS, as_sent
from ingestor.provision.plan import Action, Plan, Step
from ingestor.provision.resources import FOLDER_UID, Kind, Resource, rules_of

_Told = Callable[[Step], None]


class ConflictError(TokentailError):
    """Something of somebody else stands where ours should."""


def _refuse_conflicts(plan: Plan) -> None:
    """Raise ConflictError when something of somebody else is in the way, before anything is changed."""
    if plan.conflicts:
        told = "\n".join(
            f"  {conflict.thing.kind} {conflict.thing.title}: {conflict.why}" for conflict in plan.conflicts
        )
        raise ConflictError(
            f"What somebody else made is in the way:\n{told}",
            advice="Nothing was changed. Rename or remove it, then apply again.",
        )


def apply(grafana: Grafana, plan: Plan, told: _Told = lambda _step: None, *, again: str = "apply") -> None:
    """Make Grafana as planned; ``told`` hears of each change once it is made, ``again`` is what to do after a failure.

    Secrets cannot be read back and compared, so they are sent each time. Raises TokentailError, which says how far it came.
    """
    _refuse_conflicts(plan)
    done = 0
    try:
        for step in plan.steps:
            _carry_out(grafana, step)
            if step.action is not Action.KEEP:
                done += 1
                told(step)
    except TokentailError as error:
        error.advice = "\n  ".join(
            filter(
                None,
                [
                    error.advice,
                    f"{done} of {len(plan.changes)} changes are made; `tokentail grafana {again}` again makes the rest.",
                ],
            )
        )
        raise


def _carry_out(grafana: Grafana, step: Step) -> None:
    if step.action is Action.DELETE:
        _delete(grafana, step.thing)
        return
    if step.action is not Action.KEEP or step.thing.secrets:
        _WRITE[step.thing.kind](grafana, step)


def _write_folder(grafana: Grafana, step: Step) -> None:
    grafana.save_folder(step.thing.uid, step.thing.title, exists=step.exists)


def _write_data_source(grafana: Grafana, step: Step) -> None:
    # Grafana keeps a secret that is not sent; an empty one ends it.
    secrets = {**dict.fromkeys(SECRETS, ""), **step.thing.secrets}
    grafana.save_data_source({**as_sent(step.thing), "secureJsonData": secrets}, exists=step.exists)


def _write_contact_point(grafana: Grafana, step: Step) -> None:
    thing = step.thing
    body: dict[str, Any] = {"uid": thing.uid, **thing.body, "settings": {**thing.body["settings"], **thing.secrets}}
    grafana.save_contact_point(body, exists=step.exists, locked=thing.locked)


def _write_dashboard(grafana: Grafana, step: Step) -> None:
    grafana.save_dashboard(step.thing.body, FOLDER_UID)


def _write_rule_group(grafana: Grafana, step: Step) -> None:
    thing = step.thing
    there = {rule["uid"]: (rule["folderUID"], rule["ruleGroup"]) for rule in grafana.rules()}
    for rule in rules_of(thing):
        if there.get(rule["uid"]) != (FOLDER_UID, thing.uid):  # not there, or moved by somebody
            grafana.save_rule(rule, exists=rule["uid"] in there, locked=thing.locked)
    grafana.save_group(
        FOLDER_UID, thing.uid, {"title": thing.uid, "folderUid": FOLDER_UID, **thing.body}, locked=thing.locked
    )


_WRITE: Final[dict[Kind, Callable[[Grafana, Step], None]]] = {
    Kind.FOLDER: _write_folder,
    Kind.DATA_SOURCE: _write_data_source,
    Kind.CONTACT_POINT: _write_contact_point,
    Kind.DASHBOARD: _write_dashboard,
    Kind.RULE_GROUP: _write_rule_group,
}


def _delete(grafana: Grafana, thing: Resource) -> None:
    if thing.kind is Kind.RULE:
        grafana.delete_rule(thing.uid)
    elif thing.kind is Kind.DASHBOARD:
        grafana.delete_dashboard(thing.uid)
    elif thing.kind is Kind.CONTACT_POINT:
        grafana.delete_contact_point(thing.uid)
    elif thing.kind is Kind.DATA_SOURCE:
        grafana.delete_data_source(thing.uid)
    elif not remaining(grafana):
        grafana.delete_folder(thing.uid)


def remaining(grafana: Grafana) -> list[str]:
    """Return the titles of what is in our folder, whoever made it: deleting the folder would delete it, too."""
    if grafana.folder(FOLDER_UID) is None:
        return []
    inside: Iterable[dict[str, Any]] = (
        *grafana.dashboards_in(FOLDER_UID),
        *grafana.folders_in(FOLDER_UID),
        *(rule for rule in grafana.rules() if rule["folderUID"] == FOLDER_UID),
    )
    panels = (str(element["name"]) for element in grafana.library_panels() if element.get("folderUid") == FOLDER_UID)
    return sorted({*(str(entry["title"]) for entry in inside), *panels})
