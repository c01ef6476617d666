"""Lists in the documentation are complete, and no longer than what they are about."""

import re
import sqlite3
import tomllib
from pathlib import Path
from typing import Any, Final

import click
import pytest

import parsers
from ingestor.config.credentials import SECRET_VARIABLES
from ingestor.config.options import VARIABLES
from ingestor.config.settings import AlertSettings
from ingestor.detectors.registry import detectors
from ingestor.errors import ExitCode
from ingestor.jobs.condition import Condition
from ingestor.jobs.store_status import StoreStatus
from ingestor.model import schema
from ingestor.provision.rule_files import Rule, rule_files
from ingestor.provision.rules import thresholds
from ingestor.state import upgrades
from ingestor.state.state import State
from parsers.contract import OUTCOMES, Reason
from tests.docs import reference
from tests.docs.markdown import PAGES, ROOT, blocks, flat, headings, names, part, prose, rows
from tests.support.world import World

COMMANDS: Final = dict(reference.commands())
DESIGNED: Final = {
    *("run", "backfill", "demo", "explain", "validate", "verify", "status", "stats", "activity", "events"),
    "findings",
    "baseline",
    *("top clients", "top users", "peak", "analytics", "rejected list", "rejected replay"),
    *("config sample", "config show", "mapping new", "mapping show", "store init", "rollup rebuild", "state backup"),
    *("grafana plan", "grafana apply", "grafana export", "grafana destroy"),
    *("service install", "service uninstall", "service status"),
}
RULES: Final = {rule.uid: (file.name, rule) for file in rule_files() for rule in file.rules}


def page(name: str) -> str:
    return PAGES[name].read_text("utf-8")


# README


def test_readme_is_two_screens() -> None:
    assert len(page("README.md").splitlines()) <= 125


# The commands


def test_the_commands_are_the_designed_ones() -> None:
    assert {path.removeprefix("tokentail ") for path in COMMANDS} == DESIGNED


@pytest.mark.parametrize("made", reference.REFERENCES, ids=lambda made: f"{made.page.name}: {made.mark}")
def test_a_reference_is_fresh(made: reference.Reference) -> None:
    text = made.page.read_text("utf-8")
    assert made.begin in text
    assert made.replace_in(text) == text, "run `python -m tests.docs.reference`"


@pytest.mark.parametrize("dashboard", reference.DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_knows_every_pattern(dashboard: Path) -> None:
    text = dashboard.read_text("utf-8")
    assert all(kind.title in text for kind in detectors().values())
    assert reference.with_patterns(text) == text, "run `python -m tests.docs.reference`"


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_and_option_is_explained(path: str) -> None:
    command, text = COMMANDS[path], page("docs/commands.md")
    assert command.help, f"{path} has no docstring"
    assert f"`{path}" in text
    for option in (parameter for parameter in command.params if isinstance(parameter, click.Option)):
        assert option.help, f"{path} {option.name} has no help"
        assert all(f"`{name}" in text for name in option.opts)


def test_every_command_is_in_the_overview() -> None:
    listed = {name for row in rows(part(page("docs/commands.md"), "overview")) for name in names(row[0])}
    assert listed == set(COMMANDS)


def test_whatever_prints_data_prints_json() -> None:
    silent = {"tokentail run", "tokentail config sample", "tokentail service install", "tokentail service uninstall"}
    silent |= {"tokentail mapping new", "tokentail mapping show"}
    for path, command in COMMANDS.items():
        names_of_it = {name for parameter in command.params for name in parameter.opts}
        assert ("--json" in names_of_it) != (path in silent), path


def test_the_exit_codes_are_all_listed() -> None:
    listed = [int(row[0]) for row in rows(part(page("docs/troubleshooting.md"), "exit-codes"))]
    assert listed == sorted(code.value for code in ExitCode)
    checks = [row[0] for row in rows(part(page("docs/operate.md"), "watch-the-daemon"))]
    assert checks == [f"{condition.value} {condition.name.lower()}" for condition in sorted(Condition)]


def test_the_keys_about_the_comparison_are_explained() -> None:
    explained = {key for row in rows(part(page("docs/guarantees.md"), "check-it-yourself")) for key in names(row[0])}
    assert explained == set(StoreStatus(None, "").as_json())


def test_the_messages_are_those_of_the_program() -> None:
    files = [file.read_text("utf-8") for folder in ("ingestor", "parsers") for file in (ROOT / folder).rglob("*.py")]
    code = re.sub(r'"\s*\n\s*f?"', "", "".join(files)).lower()  # one text, however many lines it takes
    shown = [
        text
        for row in rows(part(page("docs/troubleshooting.md"), "messages"))
        for text in re.findall(r"\*([^*]+)\*", row[0])
    ]
    assert len(shown) > 10
    assert [text for text in shown for piece in text.split("...") if piece.strip().lower() not in code] == []


# The configuration


def test_every_option_and_variable_is_listed() -> None:
    sample = tomllib.loads(reference.SAMPLE.read_text("utf-8"))
    assert {(entry.section, entry.key) for entry in reference.entries()} == set(_options(sample))
    assert {entry.variable for entry in reference.entries() if entry.variable} == set(VARIABLES)
    text = page("docs/configuration.md")
    assert all(variable in text for variable in (*VARIABLES, *SECRET_VARIABLES))


def _options(table: dict[str, Any], section: str = "") -> list[tuple[str, str]]:
    found = []
    for key, value in table.items():
        inner = value[0] if key == "logs" else value
        name = f"{section}.{key}".removeprefix(".")
        found += _options(inner, name) if isinstance(inner, dict) else [(section, key)]
    return found


def test_every_section_of_the_configuration_is_explained() -> None:
    sections = {name for row in rows(part(page("docs/configuration.md"), "sections")) for name in names(" ".join(row))}
    written = re.findall(r"^\[+([\w.]+)\]+", reference.SAMPLE.read_text("utf-8"), re.MULTILINE)
    top = [entry.key for entry in reference.entries() if not entry.section]
    assert sections >= {f"[[{name}]]" if name == "logs" else f"[{name}]" for name in written} | set(top)


# Events and stored data


def test_every_reason_and_action_is_explained() -> None:
    reasons = {
        name for row in rows(part(page("docs/troubleshooting.md"), "reasons-for-a-rejection")) for name in names(row[0])
    }
    assert reasons == {reason.value for reason in Reason}
    outcomes = {
        action: row[1] for row in rows(part(page("docs/native-format.md"), "actions")) for action in names(row[0])
    }
    assert outcomes.pop("token.issued.<grant>") == "success"
    assert outcomes == {
        action: outcome for action, outcome in OUTCOMES.items() if not action.startswith("token.issued.")
    }


def test_every_measurement_is_explained() -> None:
    listed = [name for row in rows(part(page("docs/influxdb.md"), "what-is-stored")) for name in names(row[0])]
    assert listed == [measurement.name for measurement in schema.MEASUREMENTS]


# Alerts


@pytest.mark.parametrize("uid", RULES)
def test_every_alert_is_explained(uid: str) -> None:
    wrong = wrong_alert(page("docs/alerts.md"), *RULES[uid])
    assert wrong == ""


def wrong_alert(document: str, group: str, rule: Rule) -> str:
    """Return what is wrong with the section of a rule; empty when nothing is."""
    subject = part(document, group)
    if rule.title not in headings(subject):
        return f"{rule.title} is not under {group}"
    text = part(subject, rule.title.lower().replace(" ", "-").replace(",", ""))
    queries = " ".join([rule.condition, *rule.math.values(), *(query.query for query in rule.queries.values())])
    used = {f"alerts.{name}" for name in thresholds(AlertSettings()) if f"@{{{name}}}" in queries}
    used |= {"alerts.silent_minutes"} if "@{beating}" in queries and rule.uid == "tokentail-heartbeat" else set()
    told = {name for name in names(text) if name.startswith("alerts.")}
    if told != used:
        return f"thresholds: {told ^ used}"
    if f"`{rule.uid}`, severity `{rule.severity}`" not in text:
        return "uid or severity"
    meaning, _, first = text.partition("**First step.**")
    if len(meaning.strip().split("\n\n")) < 2 or not first.strip():
        return "meaning or first step"
    commands = set(re.findall(r"`(tokentail [a-z]+)", rule.description)) - set(
        re.findall(r"`(tokentail [a-z]+)", first)
    )
    return f"the rule names {commands} first" if commands else ""


def test_no_alert_is_explained_that_is_not_there() -> None:
    known = {rule.title for _, rule in RULES.values()} | {group.capitalize() for group, _ in RULES.values()}
    assert headings(page("docs/alerts.md"))[1:] == [
        title for title in headings(page("docs/alerts.md"))[1:] if title in known
    ]


def test_a_wrong_alert_is_noticed() -> None:
    group, rule = RULES["tokentail-lag"]
    text = page("docs/alerts.md")
    assert wrong_alert(text.replace("### tokentail lags behind", "### tokentail lags"), group, rule)
    assert wrong_alert(text.replace("`alerts.lag_seconds`", "`alerts.pkce_failed_count`"), group, rule)
    assert wrong_alert(
        text.replace("`tokentail-lag`, severity `ticket`", "`tokentail-lag`, severity `page`"), group, rule
    )
    assert wrong_alert(text.replace("On that host: `tokentail status`. Does", "Does"), group, rule)


# The state


def test_the_schema_of_the_state_is_listed() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    upgrades.upgrade(connection)
    text = page("docs/state-schema.md")
    assert schema_differences(text, connection) == set()
    connection.execute("ALTER TABLE gaps ADD COLUMN another TEXT")
    connection.execute("CREATE TABLE another(a)")
    assert schema_differences(text, connection) == {("gaps", "another"), ("another", "a")}
    assert f"holds the number of the schema: {upgrades.SCHEMA_VERSION}." in flat(text)


def schema_differences(document: str, connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return the columns that the page lacks, or has and should not."""
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    real = {(name, column[1]) for name in tables for column in connection.execute(f"PRAGMA table_info({name})")}
    listed = {(names(row[0])[0], column) for row in rows(document) if len(row) == 3 for column in _columns(row[2])}
    return real ^ (listed | {("meta", "key"), ("meta", "value")})


def _columns(cell: str) -> list[str]:
    return names(re.sub(r"\([^)]*\)", "", cell))


def test_the_small_facts_of_the_state_are_listed(world: World) -> None:
    told = [name for row in rows(part(page("docs/state-schema.md"), "small-facts")) for name in names(row[0])]
    patterns = [re.compile(re.sub("<.*>", ".*", name)) for name in told]
    written = [
        name
        for file in (ROOT / "ingestor").rglob("*.py")
        for name in re.findall(
            r'^[A-Z_]+: Final = "(\w+):?"\n"""Key of ``meta``', file.read_text("utf-8"), re.MULTILINE
        )
    ]
    assert len(written) > 5
    assert [name for name in written if not any(name == one.partition(":")[0] for one in told)] == []
    world.log.write(world.log.lines(3) + b"{no line\n" + b'{"half')
    world.once()
    keys = world.ask(State.meta)
    assert {"host", "heartbeat", "rejected_mark", f"followed:{world.log.path}"} <= keys.keys()
    assert [key for key in keys if not any(pattern.fullmatch(key) for pattern in patterns)] == []


# The architecture


def test_the_layers_are_those_that_are_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert layers(page("docs/architecture.md")) == [
        layer.replace("ingestor.", "")
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["name"].startswith("each layer")
        for layer in contract["layers"]
    ]


def layers(document: str) -> list[str]:
    """Return the layers of the picture, from top to bottom."""
    (picture,) = blocks(part(document, "layers"), "text")
    return re.findall(r"^  (\S+(?: \| \S+)*)  ", picture.text, re.MULTILINE)


def test_every_folder_is_in_the_picture() -> None:
    told = {name for layer in layers(page("docs/architecture.md")) for name in layer.split(" | ")}
    folders = {path.parent.name for path in (ROOT / "ingestor").glob("*/__init__.py")}
    assert told - {"errors"} == folders


def test_every_folder_is_on_a_way() -> None:
    named = names(prose(page("docs/architecture.md")))
    for package in [*(ROOT / "ingestor").rglob("__init__.py"), *(ROOT / "parsers").rglob("__init__.py")]:
        folder = str(package.parent.relative_to(ROOT))
        provider = folder.removeprefix("parsers/") in parsers.names()  # each is on the same way
        assert any(name.startswith(f"{folder}/") for name in named) or provider or folder.startswith("ingestor/demo"), (
            folder
        )


def test_every_word_has_one_meaning() -> None:
    words = [word for row in rows(page("docs/glossary.md")) for word in row[0].split(", ")]
    assert sorted(words) == sorted(set(words))


# The repository


def test_the_repository_has_what_newcomers_look_for() -> None:
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} <= set(PAGES)
    assert Path(ROOT, "LICENSE").exists()
