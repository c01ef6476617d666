"""Every dashboard, before any server is asked: names that exist, texts that help, variables that nobody can break out of."""

import itertools
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from ingestor.model import schema
from ingestor.model.schema import Measurement
from ingestor.stores.influxdb.setup.plan import FINDINGS, OWN, RAW, ROLLUP
from tests.grafana.panels import OURS, VARIABLE, Target, dashboards, panels, targets

DASHBOARDS: Final = dashboards()
TARGETS: Final = [target for name, dashboard in DASHBOARDS.items() for target in targets(name, dashboard)]
PANELS: Final = [(name, panel) for name, dashboard in DASHBOARDS.items() for panel in panels(dashboard)]

STORED: Final = {
    (RAW, schema.EVENTS.name): schema.EVENTS,
    (ROLLUP, schema.HOURLY.name): schema.HOURLY,
    (ROLLUP, schema.TOTALS.name): schema.TOTALS,
    (ROLLUP, schema.CLIENTS.name): schema.CLIENTS,
    (RAW, schema.USERS.name): schema.USERS,
    (ROLLUP, schema.ACTIVE.name): schema.ACTIVE,
    (FINDINGS, schema.FINDINGS.name): schema.FINDINGS,
    (FINDINGS, schema.RAISED.name): schema.RAISED,
    (OWN, schema.OWN.name): schema.OWN,
}
ABSENT: Final = {
    schema.EVENTS.name: {"no_such_tag"},
    schema.HOURLY.name: {"no_such_tag", "user_id"},
    schema.TOTALS.name: {"client_id", "user_id"},
    schema.CLIENTS.name: {"no_such_tag", "grant_type", "user_id"},
    schema.USERS.name: {"no_such_tag", "client_id", "grant_type", "realm"},
    schema.ACTIVE.name: {"client_id", "grant_type", "realm", "user_id"},
    schema.FINDINGS.name: {"no_such_tag"},
}
"""Compared though they are never there: an absent tag is empty, so that a counter which does not know what was chosen
answers nothing, and `no_such_tag` is true exactly while nothing was written."""

UIDS: Final = {
    "overview": "tokentail-overview",
    "security": "tokentail-security",
    "client": "tokentail-client",
    "user": "tokentail-user",
    "trends": "tokentail-trends",
    "pipeline": "tokentail-pipeline",
    "runbooks": "tokentail-runbooks",
}
FIXED_PANELS: Final = {"overview": {20}, "security": set(range(1, 14)), "pipeline": set(range(1, 11))}
"""Ids that rules and links name."""
OWN_PANELS: Final = frozenset(
    [
        "barchart",
        "bargauge",
        "gauge",
        "heatmap",
        "histogram",
        "logs",
        "news",
        "piechart",
        "row",
        "stat",
        "state-timeline",
        "status-history",
        "table",
        "text",
        "timeseries",
        "trend",
        "xychart",
        "alertlist",
        "annolist",
        "dashlist",
        "candlestick",
        "canvas",
        "geomap",
        "nodeGraph",
    ]
)
WORDLESS: Final = frozenset({"text", "row", "alertlist", "dashlist", "annolist"})
"""Panels that show no number of ours."""
FROM: Final = re.compile(r'FROM\s+(?!\()("[^"]*"\."[^"]*"|\S+)')
TOKEN: Final = re.compile(
    r"""/\*.*?\*/|(?P<regex>(?<=~\s)/(?:\\.|[^/\\])*/)|'(?:\\.|[^'\\])*'|"(?P<name>[^"]*)"|(?P<word>[A-Za-z_]\w*)""",
    re.DOTALL,
)
WORDS: Final = frozenset(
    [
        "select",
        "from",
        "where",
        "and",
        "or",
        "group",
        "by",
        "as",
        "fill",
        "time",
        "tz",
        "order",
        "desc",
        "asc",
        "limit",
        "slimit",
        "show",
        "tag",
        "values",
        "with",
        "key",
        "in",
        "none",
        "null",
        "previous",
        "linear",
        "now",
        "sum",
        "count",
        "mean",
        "min",
        "max",
        "distinct",
        "first",
        "last",
        "top",
        "bottom",
        "round",
        "abs",
        "derivative",
        "non_negative_derivative",
        "non_negative_difference",
        "difference",
        "percentile",
        "elapsed",
        "spread",
        "median",
        "into",
        "offset",
        "ms",
        "s",
        "m",
        "h",
        "d",
        "w",
        "u",
        "ns",
    ]
)


def columns(text: str) -> tuple[set[str], set[str], set[str]]:
    """Return the quoted names of a query that are no measurement, those that it makes with AS, and its bare words."""
    text = FROM.sub("FROM ", text)
    made = set(re.findall(r'\bAS\s+"([^"]*)"', text))
    names, words = set(), set()
    for found in TOKEN.finditer(VARIABLE.sub("1", text)):
        if found["name"] is not None:
            names.add(found["name"])
        elif found["word"]:
            words.add(found["word"].lower())
    return names, made, words


def sources(text: str) -> list[tuple[str, ...]]:
    return [tuple(re.findall(r'"([^"]*)"', source)) for source in FROM.findall(text)]


def known(measurement: Measurement) -> set[str]:
    return {tag.name for tag in measurement.tags} | {field.name for field in measurement.fields}


def variable_queries() -> Iterator[tuple[str, str]]:
    for name, dashboard in DASHBOARDS.items():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{name}, variable {variable['name']}", variable["query"]


def annotation_queries() -> Iterator[tuple[str, str]]:
    for name, dashboard in DASHBOARDS.items():
        for annotation in dashboard["annotations"]["list"]:
            yield f"{name}, annotation {annotation['name']}", annotation["target"]["query"]


ANNOTATIONS: Final = list(annotation_queries())
QUERIES: Final = [(target.name, target.text) for target in TARGETS] + list(variable_queries()) + ANNOTATIONS


@pytest.mark.parametrize("text", [text for _, text in QUERIES], ids=[where for where, _ in QUERIES])
def test_every_name_in_a_query_is_stored(text: str) -> None:
    found = sources(text)
    assert found, "reads nothing"
    allowed: set[str] = set()
    for source in found:
        assert source in STORED, f"{source} is not policy and measurement of the schema"
        allowed |= known(STORED[source]) | ABSENT.get(source[1], set())
    names, made, words = columns(text)
    assert names <= allowed | made, names - allowed - made
    assert words <= WORDS, f"write names in quotes: {words - WORDS}"


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_query_is_bounded_in_time_and_raw(target: Target) -> None:
    query = next(t for t in target.panel["targets"] if t["refId"] == target.ref)
    assert query["rawQuery"] is True
    assert query["datasource"] == target.panel["datasource"] == {"type": "influxdb", "uid": "${datasource}"}
    assert target.text.count("time >") >= len(sources(target.text)), "each source needs its own bound"
    assert "$timeFilter" not in target.text, "its end is inclusive: a card would not equal `tokentail stats`"


@pytest.mark.parametrize("text", [text for _, text in ANNOTATIONS], ids=[where for where, _ in ANNOTATIONS])
def test_an_annotation_is_bounded_in_time_and_shows_no_text_of_a_log(text: str) -> None:
    """Grafana shows the text of an annotation as HTML, and leaves out rows that lack a value."""
    assert "time >" in text
    always = {"pattern", *(field.name for field in schema.FINDINGS.fields if field.name in {"severity", "last_seen"})}
    assert set(re.findall(r'"(\w+)"', text.partition("FROM")[0])) <= always


@pytest.mark.parametrize("text", [text for _, text in QUERIES], ids=[where for where, _ in QUERIES])
def test_what_people_choose_is_only_written_as_a_regular_expression(text: str) -> None:
    anchored = re.compile(r"[=!]~ /\^\$\{\w+:regex\}\$/")
    for found in VARIABLE.finditer(anchored.sub("", text)):
        name = found[1] or found[2] or found[4]
        assert name in OURS, f"{found[0]} can be broken out of: write =~ /^${{{name}:regex}}$/"


@pytest.mark.parametrize(("name", "dashboard"), DASHBOARDS.items(), ids=list(DASHBOARDS))
def test_variables_that_are_used_are_there(name: str, dashboard: dict[str, Any]) -> None:
    defined = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = {
        found[1] or found[2] or found[4]
        for text in itertools.chain(
            (target.text for target in targets(name, dashboard)),
            (panel.get("description", "") for panel in panels(dashboard)),
        )
        for found in VARIABLE.finditer(text)
    }
    assert {variable for variable in used if not variable.startswith("__")} <= defined
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            assert variable["multi"], variable["name"]
            assert variable["includeAll"], variable["name"]
            assert variable["allValue"] == ".*", "All must meet absent tags, too"
            assert isinstance(variable["query"], str), "Grafana 11.0 reads a text"


@pytest.mark.parametrize(("name", "dashboard"), DASHBOARDS.items(), ids=list(DASHBOARDS))
def test_a_dashboard_says_what_it_is(name: str, dashboard: dict[str, Any]) -> None:
    assert dashboard["uid"] == UIDS[name]
    assert "tokentail" in dashboard["tags"]
    assert dashboard["schemaVersion"] == 39
    assert dashboard["description"]
    assert "id" not in dashboard, "the number is Grafana's own"
    ids = [panel["id"] for panel in panels(dashboard)]
    assert len(ids) == len(set(ids))
    assert FIXED_PANELS.get(name, set()) <= set(ids)


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=list(DASHBOARDS))
def test_links_keep_time_and_variables(dashboard: dict[str, Any]) -> None:
    for link in dashboard["links"]:
        assert link["includeVars"], link
        assert link["keepTime"] or "from=" in link["url"], link
    for panel in panels(dashboard):
        for link in _links(panel):
            url = link["url"]
            if url.startswith("/d/tokentail-"):
                assert "${__url_time_range}" in url or ("&from=${" in url and "&to=${" in url), url
                assert url.removeprefix("/d/").partition("?")[0] in UIDS.values(), url
            for value in re.findall(r"\$\{(__value[^}]*|__field[^}]*|__data[^}]*)\}", url):
                assert value.endswith(":percentencode"), f"{url}: a name may contain & and #"


def _links(panel: dict[str, Any]) -> Iterator[dict[str, Any]]:
    config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    yield from panel.get("links", ())
    yield from config["defaults"].get("links", ())
    for override in config["overrides"]:
        for entry in override["properties"]:
            if entry["id"] == "links":
                yield from entry["value"]


@pytest.mark.parametrize(
    "panel", [panel for _, panel in PANELS], ids=[f"{name}-{panel['id']}" for name, panel in PANELS]
)
def test_a_panel_explains_itself(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["type"] in OWN_PANELS, "Grafana 11.0.0 does not bring it"
    if panel["type"] in WORDLESS:
        return
    assert len(panel["description"]) > 20, "say what it counts, from what, and its limits"
    assert panel["fieldConfig"]["defaults"].get("unit"), "no unit"
    assert "noValue" in panel["fieldConfig"]["defaults"], "no text for when there is nothing"


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=list(DASHBOARDS))
def test_panels_lie_side_by_side(dashboard: dict[str, Any]) -> None:
    taken: dict[tuple[int, int], int] = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24, panel["id"]
        for cell in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        ):
            assert taken.setdefault(cell, panel["id"]) == panel["id"], f"{panel['id']} lies over {taken[cell]}"


def _overrides(panel: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield what a panel's overrides match, and what they set."""
    for override in panel["fieldConfig"]["overrides"]:
        for entry in override["properties"]:
            yield override["matcher"]["options"], entry["id"], entry["value"]


OF_EVENTS: Final = [
    pytest.param(panel, id=f"{name}-{panel['id']}")
    for name, panel in PANELS
    if any('"client_id"' in target.get("query", "") for target in panel.get("targets", ()))
    and "token_findings" not in str(panel["targets"])
]


@pytest.mark.parametrize("panel", OF_EVENTS)
def test_what_names_no_client_is_told(panel: dict[str, Any]) -> None:
    """In a column of clients by what stands for an empty text or none; in a legend, where the name begins with a blank then."""
    texts = str(panel)
    names = [panel["fieldConfig"]["defaults"].get("displayName", ""), *(t.get("alias", "") for t in panel["targets"])]
    if any(name.startswith(("$tag_client_id ", "${__field.labels.client_id} ")) for name in names):
        shown = [value for matched, what, value in _overrides(panel) if (matched, what) == ("/^ /", "displayName")]
        assert [text.removesuffix(" ${__field.labels.realm}") for text in shown] == ["no client"]
    elif re.search(r"'indexByName': {[^}]*'client_id': ", texts):
        mapped = [value for matched, what, value in _overrides(panel) if (matched, what) in CLIENT_COLUMNS]
        assert [
            [(each["options"]["match"], each["options"]["result"]["text"]) for each in value] for value in mapped
        ] == [[("empty", "no client"), ("null", "no client")]]
    else:
        assert "labels.client_id" not in texts
        assert "tag_client_id" not in texts


CLIENT_COLUMNS: Final = {("Client", "mappings"), ("client_id", "mappings")}
