"""`tokentail grafana` on a real Grafana with a real InfluxDB: the promises of design section 10."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from ingestor.config.settings import ContactSettings, GrafanaSettings, Settings
from ingestor.errors import ConfigError, PermissionDeniedError, TokentailError, UnavailableError
from ingestor.provision import actual as finding
from ingestor.provision.apply import ConflictError, apply, remaining
from ingestor.provision.plan import Action, Plan
from ingestor.provision.resources import Kind
from ingestor.provision.session import open_grafana
from tests.provision.conftest import with_grafana
from tests.support.grafana_servers import GrafanaServer
from tests.support.scripted import Reply, ScriptedServer
from tests.support.servers import free_port, private_file

PAGE = ContactSettings("webhook", url="http://127.0.0.1:9/hook")
TICKET = ContactSettings("email", addresses=("team@example.org",))


def planned(settings: Settings) -> Plan:
    with open_grafana(settings) as session:
        return session.plan()


def applied(settings: Settings) -> Plan:
    with open_grafana(settings) as session:
        plan = session.plan()
        apply(session.grafana, plan)
        session.check_data_source()
    return plan


def destroyed(settings: Settings) -> list[str]:
    with open_grafana(settings) as session:
        apply(session.grafana, session.removal())
        return remaining(session.grafana)


def changes(plan: Plan) -> list[tuple[Action, Kind, str]]:
    return [(step.action, step.thing.kind, step.thing.uid) for step in plan.changes]


def told_of(plan: Plan) -> list[str]:
    return [f"{step.thing.uid}: {difference}" for step in plan.changes for difference in step.differences]


def snapshot(grafana: GrafanaServer) -> dict[str, Any]:
    """Return everything that anybody has in this Grafana."""
    return {
        path: grafana.ask("GET", path)
        for path in (
            "/api/folders",
            "/api/datasources",
            "/api/search?type=dash-db",
            "/api/v1/provisioning/alert-rules",
            "/api/v1/provisioning/contact-points",
            "/api/v1/provisioning/policies",
        )
    }


def test_apply_makes_everything_and_a_second_plan_is_empty(settings: Settings, grafana: GrafanaServer) -> None:
    policies = grafana.ask("GET", "/api/v1/provisioning/policies")
    settings = with_grafana(settings, page=PAGE, ticket=TICKET)
    first = applied(settings)
    assert {step.action for step in first.steps} == {Action.CREATE}
    assert {step.thing.kind for step in first.steps} == set(Kind) - {Kind.RULE}
    assert told_of(planned(settings)) == []
    assert planned(settings).is_empty
    assert applied(settings).is_empty
    assert grafana.ask("GET", "/api/v1/provisioning/policies") == policies
    for step in first.steps:
        if step.thing.kind is Kind.DASHBOARD:
            assert grafana.ask("GET", f"/api/dashboards/uid/{step.thing.uid}")["meta"]["folderUid"] == "tokentail"


def test_every_rule_names_its_contact_point(settings: Settings, grafana: GrafanaServer) -> None:
    applied(with_grafana(settings, page=PAGE, ticket=TICKET))
    rules = [r for r in grafana.ask("GET", "/api/v1/provisioning/alert-rules") if r["folderUID"] == "tokentail"]
    assert rules
    for rule in rules:
        assert rule["notification_settings"]["receiver"] == f"tokentail {rule['labels']['severity']}"


def test_what_is_changed_by_hand_is_shown_and_taken_back(settings: Settings, grafana: GrafanaServer) -> None:
    applied(settings)
    body = grafana.ask("GET", "/api/dashboards/uid/tokentail-overview")["dashboard"]
    panel = next(panel for panel in body["panels"] if panel["type"] == "stat")
    title, panel["title"] = panel["title"], "Changed by hand"
    body["panels"].append({"id": 4711, "type": "text", "title": "mine", "gridPos": {"x": 0, "y": 99, "w": 4, "h": 4}})
    grafana.ask("POST", "/api/dashboards/db", {"dashboard": body, "folderUid": "tokentail", "overwrite": True})
    (step,) = planned(settings).changes
    told = {(d.place, d.found, d.wanted) for d in step.differences}
    assert ('panels/"Changed by hand"/title', '"Changed by hand"', json.dumps(title)) in told or (
        f'panels/"{title}"/title',
        '"Changed by hand"',
        json.dumps(title),
    ) in told
    assert any(place == 'panels/"mine"' and wanted == "" for place, _, wanted in told)
    applied(settings)
    assert planned(settings).is_empty


def test_a_rule_changed_or_deleted_by_hand_is_shown_and_taken_back(settings: Settings, grafana: GrafanaServer) -> None:
    settings = with_grafana(settings, editable=True)
    applied(settings)
    first, second, *_ = [
        rule
        for rule in grafana.ask("GET", "/api/v1/provisioning/alert-rules")
        if (rule["folderUID"], rule["ruleGroup"]) == ("tokentail", "security")
    ]
    grafana.ask("DELETE", f"/api/v1/provisioning/alert-rules/{first['uid']}")
    changed = {**second, "for": "9m"}
    answer = grafana.request(
        "PUT", f"/api/v1/provisioning/alert-rules/{second['uid']}", changed, headers={"X-Disable-Provenance": "true"}
    )
    assert answer.status == 200, answer
    told = "\n".join(told_of(planned(settings)))
    assert first["title"] in told
    assert '"9m"' in told
    applied(settings)
    assert told_of(planned(settings)) == []


def test_destroy_leaves_nothing_of_ours_and_everything_else(settings: Settings, grafana: GrafanaServer) -> None:
    folder = grafana.new_folder()
    theirs = {"uid": f"{folder}-theirs", "title": "Theirs", "panels": [], "tags": ["tokentail"]}
    grafana.ask("POST", "/api/dashboards/db", {"dashboard": theirs, "folderUid": folder, "overwrite": True})
    before = snapshot(grafana)
    settings = with_grafana(settings, page=PAGE, ticket=TICKET)
    applied(settings)
    assert snapshot(grafana) != before
    assert destroyed(settings) == []
    assert snapshot(grafana) == before
    grafana.ask("DELETE", f"/api/folders/{folder}")


def test_a_dashboard_of_others_in_our_folder_stays_and_so_does_the_folder(
    settings: Settings, grafana: GrafanaServer
) -> None:
    applied(settings)
    theirs = {"uid": "theirs-in-ours", "title": "Theirs", "panels": [], "tags": []}
    grafana.ask("POST", "/api/dashboards/db", {"dashboard": theirs, "folderUid": "tokentail", "overwrite": True})
    assert planned(settings).is_empty
    assert destroyed(settings) == ["Theirs"]
    assert grafana.ask("GET", "/api/dashboards/uid/theirs-in-ours")["meta"]["folderUid"] == "tokentail"
    grafana.ask("DELETE", "/api/dashboards/uid/theirs-in-ours")


def test_what_others_own_is_in_the_way_and_nothing_is_changed(settings: Settings, grafana: GrafanaServer) -> None:
    folder = grafana.new_folder()
    mine = {"uid": "tokentail-overview", "title": "Not yours", "panels": [], "tags": []}
    grafana.ask("POST", "/api/dashboards/db", {"dashboard": mine, "folderUid": folder, "overwrite": True})
    grafana.new_data_source(settings.store, "tokentail")
    point = {"name": "tokentail page", "type": "webhook", "settings": {"url": "http://127.0.0.1:9"}}
    made = grafana.ask("POST", "/api/v1/provisioning/contact-points", point)
    before = snapshot(grafana)
    with pytest.raises(ConflictError) as caught:
        applied(with_grafana(settings, page=PAGE, folder=folder))
    told = str(caught.value)
    assert "Nothing was changed" in told
    assert "dashboard Token overview: a dashboard with the uid tokentail-overview lacks the tag" in told
    assert "data source tokentail: a data source with the uid tokentail was made by somebody else" in told
    assert "contact point tokentail page: a contact point of that name is there already" in told
    assert f"folder {folder}: a folder of that title is there already" in told
    assert snapshot(grafana) == before
    assert destroyed(settings) == []
    assert snapshot(grafana) == before
    for path in (
        "/api/dashboards/uid/tokentail-overview",
        "/api/datasources/uid/tokentail",
        f"/api/v1/provisioning/contact-points/{made['uid']}",
        f"/api/folders/{folder}",
    ):
        grafana.ask("DELETE", path)


def test_an_apply_that_broke_off_is_finished_by_the_next(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(*_: Any, **__: Any) -> None:
        raise UnavailableError("Grafana cannot be reached: no connection")

    for broken in ("save_data_source", "save_dashboard", "save_group"):
        with open_grafana(settings) as session:
            plan = session.plan()
            monkeypatch.setattr(session.grafana, broken, cut_off)
            with pytest.raises(
                UnavailableError, match=rf"of {len(plan.changes)} changes are made; `tokentail grafana apply` again"
            ):
                apply(session.grafana, plan)
    applied(settings)
    assert planned(settings).is_empty


def test_locked_and_editable(settings: Settings, grafana: GrafanaServer) -> None:
    def provenances() -> set[str]:
        rules = grafana.ask("GET", "/api/v1/provisioning/alert-rules")
        ours = [rule for rule in rules if rule["folderUID"] == "tokentail"]
        return {entry.get("provenance") or "" for entry in ours}

    settings = with_grafana(settings, page=PAGE)
    applied(settings)
    assert provenances() == {"api"}
    assert not grafana.ask("GET", "/api/dashboards/uid/tokentail-overview")["dashboard"]["editable"]
    editable = with_grafana(settings, editable=True)
    applied(editable)
    assert provenances() == {""}
    assert grafana.ask("GET", "/api/dashboards/uid/tokentail-overview")["dashboard"]["editable"]
    assert planned(editable).is_empty
    applied(settings)
    assert provenances() == {"api"}
    assert planned(settings).is_empty


def test_what_is_not_configured_any_more_goes(settings: Settings, grafana: GrafanaServer) -> None:
    applied(with_grafana(settings, page=PAGE))
    assert (Action.DELETE, Kind.CONTACT_POINT, "tokentail-page") in changes(planned(settings))
    applied(settings)
    assert planned(settings).is_empty
    names = {point["name"] for point in grafana.ask("GET", "/api/v1/provisioning/contact-points")}
    assert "tokentail page" not in names


def test_a_secret_is_in_no_plan_and_in_no_answer(settings: Settings, grafana: GrafanaServer, tmp_path: Path) -> None:
    secret = "canary-secret-of-a-webhook"
    page = dataclasses.replace(PAGE, secret_file=private_file(tmp_path / "secret", secret))
    settings = with_grafana(settings, page=page)
    plan = applied(settings)
    assert secret not in repr([step._replace(thing=step.thing._replace(secrets={})) for step in plan.steps])
    assert planned(settings).is_empty
    (point,) = [p for p in grafana.ask("GET", "/api/v1/provisioning/contact-points") if p["uid"] == "tokentail-page"]
    assert secret not in json.dumps(point)


def test_a_contact_point_that_exists_is_used_and_one_that_does_not_is_told(
    settings: Settings, grafana: GrafanaServer
) -> None:
    with pytest.raises(ConfigError, match="Grafana has no contact point 'nobody'") as caught:
        planned(with_grafana(settings, ticket=ContactSettings("existing", name="nobody")))
    assert "grafana.ticket.name" in str(caught.value)
    theirs = {"name": "theirs", "type": "webhook", "settings": {"url": "http://127.0.0.1:9"}}
    made = grafana.ask("POST", "/api/v1/provisioning/contact-points", theirs)
    settings = with_grafana(settings, ticket=ContactSettings("existing", name="theirs"))
    applied(settings)
    assert planned(settings).is_empty
    assert destroyed(settings) == []
    points = grafana.ask("GET", "/api/v1/provisioning/contact-points")
    assert "theirs" in {point["name"] for point in points}
    grafana.ask("DELETE", f"/api/v1/provisioning/contact-points/{made['uid']}")


# What others did in what is ours


def rule_of(grafana: GrafanaServer, uid: str) -> dict[str, Any]:
    rule: dict[str, Any] = grafana.ask("GET", f"/api/v1/provisioning/alert-rules/{uid}")
    return rule


def change_rule(grafana: GrafanaServer, uid: str, **changes: str) -> None:
    path = f"/api/v1/provisioning/alert-rules/{uid}"
    body = {**rule_of(grafana, uid), **changes}
    answer = grafana.request("PUT", path, body, headers={"X-Disable-Provenance": "true"})
    assert answer.status == 200, answer


def test_the_folder_stays_while_a_folder_or_a_library_panel_of_others_is_in_it(
    settings: Settings, grafana: GrafanaServer
) -> None:
    applied(settings)
    grafana.ask("POST", "/api/folders", {"uid": "theirs-within", "title": "Within", "parentUid": "tokentail"})
    panel = {
        "uid": "their-panel",
        "name": "Their panel",
        "kind": 1,
        "model": {"type": "text"},
        "folderUid": "tokentail",
    }
    grafana.ask("POST", "/api/library-elements", panel)
    assert destroyed(settings) == ["Their panel", "Within"]
    assert grafana.ask("GET", "/api/folders/theirs-within")["title"] == "Within"
    grafana.ask("DELETE", "/api/library-elements/their-panel")
    grafana.ask("DELETE", "/api/folders/theirs-within")
    assert destroyed(settings) == []
    assert grafana.request("GET", "/api/folders/tokentail").status == 404


@pytest.mark.parametrize("where", [{"ruleGroup": "elsewhere"}, {"folderUID": "their-folder"}])
def test_a_rule_of_ours_that_was_moved_comes_back_or_goes(
    settings: Settings, grafana: GrafanaServer, where: dict[str, str]
) -> None:
    grafana.new_folder("their-folder")
    settings = with_grafana(settings, editable=True)
    applied(settings)
    for uid in ("tokentail-lag", "tokentail-failure-rate"):  # one of many in its group, and the only one
        change_rule(grafana, uid, **where)
    assert not planned(settings).is_empty
    applied(settings)
    assert told_of(planned(settings)) == []
    assert rule_of(grafana, "tokentail-lag")["ruleGroup"] == "pipeline"
    change_rule(grafana, "tokentail-lag", **where)
    assert destroyed(settings) == []
    assert grafana.request("GET", "/api/v1/provisioning/alert-rules/tokentail-lag").status == 404
    grafana.ask("DELETE", "/api/folders/their-folder")


def test_a_rule_of_others_in_our_group_is_in_the_way_and_elsewhere_is_left_alone(
    settings: Settings, grafana: GrafanaServer
) -> None:
    settings = with_grafana(settings, editable=True)
    applied(settings)
    copy = {**rule_of(grafana, "tokentail-lag"), "uid": "a-copy", "title": "A copy"}
    copy.pop("id")
    grafana.ask("POST", "/api/v1/provisioning/alert-rules", copy)
    with pytest.raises(ConflictError, match="the rule 'A copy' in it is somebody else's: move it to another group"):
        applied(settings)
    assert rule_of(grafana, "a-copy")["title"] == "A copy"
    grafana.ask("DELETE", "/api/v1/provisioning/alert-rules/a-copy")
    grafana.ask("POST", "/api/v1/provisioning/alert-rules", {**copy, "ruleGroup": "theirs"})
    applied(settings)
    assert planned(settings).is_empty
    assert destroyed(settings) == ["A copy"]
    assert rule_of(grafana, "a-copy")["title"] == "A copy"
    grafana.ask("DELETE", "/api/v1/provisioning/alert-rules/a-copy")


def test_a_contact_point_that_others_use_stays_and_is_told(settings: Settings, grafana: GrafanaServer) -> None:
    with_page = with_grafana(settings, page=PAGE)
    applied(with_page)
    policies = grafana.ask("GET", "/api/v1/provisioning/policies")
    theirs = {**policies, "routes": [{"receiver": "tokentail page", "object_matchers": [["team", "=", "x"]]}]}
    grafana.ask("PUT", "/api/v1/provisioning/policies", theirs)
    try:
        applied(with_grafana(with_page, editable=True))
        assert planned(with_grafana(with_page, editable=True)).is_empty
        plan = applied(settings)
        assert [(kept.thing.uid, kept.why) for kept in plan.kept] == [
            ("tokentail-page", "the notification policies send to it")
        ]
        assert planned(settings).is_empty
        assert destroyed(settings) == []
        points = grafana.ask("GET", "/api/v1/provisioning/contact-points")
        assert "tokentail-page" in {point["uid"] for point in points}
    finally:
        grafana.ask("PUT", "/api/v1/provisioning/policies", policies)
    assert destroyed(settings) == []
    points = grafana.ask("GET", "/api/v1/provisioning/contact-points")
    assert "tokentail-page" not in {point["uid"] for point in points}


def test_our_own_contact_point_is_not_taken_for_an_existing_one(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="That contact point is one that `apply` makes"):
        planned(with_grafana(settings, page=ContactSettings("existing", name="tokentail ticket")))


def test_a_dashboard_of_others_under_a_name_like_ours_is_left_alone(settings: Settings, grafana: GrafanaServer) -> None:
    folder = grafana.new_folder()
    theirs = {"uid": "tokentail-mine", "title": "Mine", "panels": [], "tags": ["tokentail"]}
    grafana.ask("POST", "/api/dashboards/db", {"dashboard": theirs, "folderUid": folder, "overwrite": True})
    applied(settings)
    assert destroyed(settings) == []
    assert grafana.ask("GET", "/api/dashboards/uid/tokentail-mine")["dashboard"]["title"] == "Mine"
    grafana.ask("DELETE", f"/api/folders/{folder}")


def test_a_secret_that_is_not_configured_any_more_goes(settings: Settings, tmp_path: Path) -> None:
    token = private_file(tmp_path / "influxdb-token", "canary-token")
    more = with_grafana(settings, influxdb_token_file=token)
    with open_grafana(more) as session:
        apply(session.grafana, session.plan())
        assert session.plan().is_empty
    if settings.store.token_file is None:
        applied(settings)
        assert told_of(planned(settings)) == []


# Faults


def test_a_grafana_that_cannot_reach_influxdb_is_told(settings: Settings) -> None:
    settings = with_grafana(settings, influxdb_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match="Grafana cannot ask InfluxDB") as caught:
        applied(settings)
    assert "grafana.influxdb_url" in str(caught.value)
    assert planned(settings).is_empty, "all the rest is made"


def test_a_token_that_grafana_does_not_know(settings: Settings, tmp_path: Path) -> None:
    wrong = private_file(tmp_path / "wrong", "glsa_notoken_0000")
    with pytest.raises(PermissionDeniedError, match="Grafana does not know the token") as caught:
        planned(with_grafana(settings, token_file=wrong))
    assert "grafana.token_file" in str(caught.value)


@pytest.mark.parametrize("role", ["Viewer", "Editor"])
def test_a_token_without_the_rights(settings: Settings, grafana: GrafanaServer, tmp_path: Path, role: str) -> None:
    before = snapshot(grafana)
    token = private_file(tmp_path / "weak", grafana.new_token(role))
    with pytest.raises(PermissionDeniedError, match=r"The token may not") as caught:
        applied(with_grafana(settings, token_file=token))
    assert "role Admin" in str(caught.value)
    assert snapshot(grafana) == before


def test_no_token_no_grafana(settings: Settings) -> None:
    with pytest.raises(PermissionDeniedError, match="There is no token for Grafana"):
        planned(with_grafana(settings, token_file=None))
    with pytest.raises(ConfigError, match="No Grafana is configured"):
        planned(with_grafana(settings, url=""))
    with pytest.raises(UnavailableError, match="no connection"):
        planned(with_grafana(settings, url=f"http://127.0.0.1:{free_port()}"))


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (
            Reply(200, b'{"version":"10.4.2","database":"ok"}', {"Content-Type": "application/json"}),
            "Grafana 10.4.2 is too old",
        ),
        (Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}), "This is no Grafana"),
        (Reply(200, b'{"status":"fine"}', {"Content-Type": "application/json"}), "This is no Grafana"),
        (Reply(200, b"[1]", {"Content-Type": "application/json"}), "This is no Grafana"),
        (Reply(404, b"not found"), "This is no Grafana"),
        (Reply(401, b"<html>Sign in</html>", {"Content-Type": "text/html"}), "something else answers"),
        (Reply(403, b"Forbidden by the proxy", {"Content-Type": "text/plain"}), "something else answers"),
        (Reply(301, b"", {"Location": "https://grafana.example/"}), "redirect to https://grafana.example/"),
        (Reply(302, b"", {"Location": "/login"}), "redirect to /login, perhaps a page to sign in"),
        (Reply(503, b"busy"), "Grafana cannot tell its version now"),
        (Reply(502, b"<html>bad gateway</html>"), "Grafana cannot tell its version now"),
        (Reply(200, b"", hang=True), "no answer in time"),
    ],
)
def test_something_else_at_the_address(reply: Reply, told: str, tmp_path: Path) -> None:
    server = ScriptedServer()
    server.otherwise = reply
    token = private_file(tmp_path / "token", "glsa_x")
    grafana = GrafanaSettings(url=server.store.url, token_file=token, timeout_seconds=1.0)
    try:
        with pytest.raises(TokentailError, match=told) as caught, open_grafana(Settings(grafana=grafana)):
            pass
    finally:
        server.close()
    assert server.store.url in str(caught.value)
    assert caught.value.advice


def test_no_proxy_of_the_environment_gets_the_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As with InfluxDB: an address in the settings is where the request goes."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    server = ScriptedServer()
    server.otherwise = Reply(200, b'{"version":"12.0.0","database":"ok"}', {"Content-Type": "application/json"})
    grafana = GrafanaSettings(url=server.store.url, token_file=private_file(tmp_path / "token", "glsa_x"))
    try:
        with open_grafana(Settings(grafana=grafana)) as session:
            assert session.version == "12.0.0"
    finally:
        server.close()


def test_the_look_at_grafana_changes_nothing(settings: Settings, grafana: GrafanaServer) -> None:
    before = snapshot(grafana)
    with open_grafana(settings) as session:
        session.plan()
        assert finding.read_actual(session.grafana, []) == []
    assert snapshot(grafana) == before
