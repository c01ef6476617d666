"""Nobody is told that all is well over a log that is not understood: every command, on logs of the wrong format."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestor.model.words import counted
from tests.cli.conftest import Tokentail, line

State = tuple[str, str]
ACTION = "token.issued.client_credentials"
GOOD = [line(f"2026-11-01T09:30:{n:02}.123Z", ACTION, ip_address="192.0.2.7", expires_in=600) for n in range(30)]
NATIVE = "\n".join(GOOD) + "\n"


def with_comma(text: str) -> str:
    """A line with a time as some libraries write it, which is no RFC 3339."""
    return text.replace(".123Z", ",123+0000")


def docker(text: str) -> str:
    return json.dumps({"log": f"{text}\n", "stream": "stdout", "time": "x"})


DOCKER = docker(with_comma(GOOD[0]))


def each(change: Callable[[str], str]) -> bytes:
    return "".join(f"{change(text)}\n" for text in GOOD).encode()


LOOK_ALIKES: dict[str, tuple[bytes, str]] = {
    "docker": (each(lambda text: docker(with_comma(text))), "Docker's json-file"),
    "cri": (
        each(lambda text: f"2026-11-01T09:30:00.123456789Z stdout F {with_comma(text)}"),
        "the CRI format of Kubernetes",
    ),
    "utf16": (NATIVE.encode("utf-16"), "UTF-16 text"),
    "text": (each(lambda text: text.replace("600", '"600"')), "a lifetime written as text"),
    "comma": (each(with_comma), "a comma in its times"),
    "upper": (each(lambda text: text.replace(ACTION, "TOKEN_ISSUED")), "actions in other words"),
    "pretty": (each(lambda text: json.dumps(json.loads(text), indent=2)), "pretty-printed JSON"),
    "gzip": (gzip.compress(NATIVE.encode()), "a gzip file under a plain name"),
    "array": (json.dumps([json.loads(text) for text in GOOD]).encode(), "a JSON array"),
    "plain": (each(lambda _: "a token was issued, so it is said"), "plain text"),
}
"""Content, and words of its name."""


@pytest.fixture(params=sorted(LOOK_ALIKES))
def look_alike(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    content, name = LOOK_ALIKES[request.param]
    path = tmp_path / "audit.log"
    path.write_bytes(content)
    return path, name


@pytest.fixture
def configured(tmp_path: Path, state: State) -> tuple[str, ...]:
    config = tmp_path / "tokentail.toml"
    config.write_text(f'[[logs]]\npath = "{tmp_path}/audit.log"\n')
    return "--config", str(config), *state


def words(text: str) -> str:
    """A text without the line ends and the margins of its table."""
    return " ".join(text.split())


def has_long_word(row: str, columns: int) -> bool:
    """Whether a row holds a path or a piece of a line for which the screen is too narrow: these are not broken."""
    margin = len(row) - len(row.lstrip())
    return margin + max(map(len, row.split())) > columns - len("Such as: ")


@pytest.mark.parametrize("columns", ["80", "120"])
def test_validate_explain_and_once_name_it(
    tokentail: Tokentail, look_alike: tuple[Path, str], configured: tuple[str, ...], columns: str
) -> None:
    path, name = look_alike
    env = {"COLUMNS": columns}
    validated = tokentail("validate", *configured, env=env)
    assert validated.exit_code == 1
    assert name in words(validated.stdout)
    assert "All is well" not in validated.stdout
    explained = tokentail("explain", path, *configured, env=env)
    assert explained.exit_code == 0
    assert name in words(explained.stdout)
    assert "what to do" in explained.stdout
    once = tokentail("run", "--once", *configured, env=env)
    assert once.exit_code == 0, once.stderr
    assert name in words(once.stderr)
    for text in (validated.stdout, once.stderr.partition("\n\n")[2]):
        assert all(len(row) <= int(columns) or has_long_word(row, int(columns)) for row in text.splitlines())


def test_what_was_read_is_told_by_all_who_are_asked(
    tokentail: Tokentail, look_alike: tuple[Path, str], configured: tuple[str, ...]
) -> None:
    path, name = look_alike
    path.write_bytes(path.read_bytes() + b"\n")
    backfilled = tokentail("backfill", path, *configured)
    assert backfilled.exit_code == 0, backfilled.stderr
    assert name in words(backfilled.stdout)
    status = tokentail("status", *configured)
    assert name in words(status.stdout)
    (found,) = json.loads(tokentail("status", "--json", *configured).stdout)["not_understood"]
    assert name in found["looks_like"]
    stats = tokentail("stats", *configured)
    assert name in words(stats.stdout)
    read = found["rejected"] + found["ignored"]
    were = "was" if found["rejected"] == 1 else "were"
    said = f"Of {counted(read, 'line')} read {found['rejected']} {were} rejected and {found['ignored']} ignored."
    assert said in words(stats.stdout)
    as_json = tokentail("stats", "--json", *configured)
    assert json.loads(as_json.stdout)["total_issued"] == 0
    assert name in words(as_json.stderr)
    verified = tokentail("verify", path, *configured)
    assert verified.exit_code == 1
    assert "bad" in verified.stdout
    assert name in words(verified.stdout)
    check = tokentail("status", "--check", *configured)
    assert check.exit_code == 2
    assert check.stdout.startswith("TOKENTAIL CRITICAL - ")


def test_a_log_that_is_understood_is_no_matter_for_words(
    tokentail: Tokentail, audit_log: Path, configured: tuple[str, ...]
) -> None:
    for command in (("validate",), ("explain", audit_log), ("run", "--once"), ("verify", audit_log), ("stats",)):
        result = tokentail(*command, *configured)
        assert result.exit_code == 0, result.output
        assert "looks like" not in result.output
    check = tokentail("status", "--check", *configured)
    assert (check.exit_code, check.stdout.partition(" |")[0]) == (0, "TOKENTAIL OK - 10 lines read, 8 stored")


def test_few_events_in_a_general_audit_log_are_a_remark(
    tokentail: Tokentail, configured: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "audit.log").write_text(
        line("2026-11-01T09:30:00Z", "user.login") + "\n" + "\n".join([line("2026-11-01T09:30:00Z", "user.login")] * 400)
        + "\n" + GOOD[0] + "\n"
    )  # fmt: skip
    validated = tokentail("validate", *configured)
    assert validated.exit_code == 0
    assert "Only 1 of its 402 newest lines is an event" in words(validated.stdout)
    assert "1 warning" in validated.stdout
    once = tokentail("run", "--once", "--strict", *configured)
    assert once.exit_code == 0
    assert "Hardly any event" in once.stderr
    assert tokentail("status", "--check", *configured).exit_code == 0


def test_a_log_that_is_understood_in_part_is_a_warning_everywhere(
    tokentail: Tokentail, configured: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "audit.log"
    path.write_text(f"{DOCKER}\n{DOCKER}\n{GOOD[0]}\n" * 20)
    validated = tokentail("validate", *configured)
    assert (validated.exit_code, "1 warning" in validated.stdout) == (0, True)
    assert tokentail("run", "--once", *configured).exit_code == 0
    told = [validated, *(tokentail(*command, *configured) for command in (("status",), ("stats",), ("verify", path)))]
    for result in told:
        assert result.exit_code == 0
        for said in ("40 of its 60 ", "(67% of what should be events)", "Docker", "`tokentail rejected list`"):
            assert said in words(result.stdout)
    check = tokentail("status", "--check", *configured)
    assert check.exit_code == 1
    assert check.stdout.startswith("TOKENTAIL WARNING - ")


@pytest.mark.long
def test_a_log_that_was_understood_is_told_everywhere(
    tokentail: Tokentail, configured: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "audit.log"
    path.write_text(f"{GOOD[0]}\n" * 300 + f"{DOCKER}\n" * 60)
    said = "None of its 60 last lines is an event"
    assert tokentail("validate", *configured).exit_code == 1
    assert said in words(tokentail("backfill", path, *configured).stdout)
    for command, code in (
        (("validate",), 1),
        (("verify", path), 1),
        (("explain", path), 0),
        (("status", "--check"), 2),
        (("stats",), 0),
    ):
        result = tokentail(*command, *configured)
        assert (result.exit_code, said in words(result.stdout)) == (code, True), command


@pytest.mark.parametrize("between", ["", "\r", "\0", " "])
def test_a_log_that_ends_no_line_is_told_everywhere(
    tokentail: Tokentail, configured: tuple[str, ...], tmp_path: Path, between: str
) -> None:
    path = tmp_path / "audit.log"
    for text in (between.join(GOOD[:1] * 60), between.join(GOOD[:1] * 2)):
        path.write_text(text)
        assert tokentail("validate", *configured).exit_code == 1
        assert tokentail("run", "--once", "--strict", *configured).exit_code == 1
        assert "Its only line is no event" in words(tokentail("verify", path, *configured).stdout)
        assert "Its only line is no event" in words(tokentail("backfill", path, *configured).stdout)
    path.write_text(GOOD[0][:50])
    assert tokentail("validate", *configured).exit_code == 0


def test_strict_is_about_all_that_is_no_event(
    tokentail: Tokentail, configured: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(LOOK_ALIKES["upper"][0])  # ignored, none rejected
    assert tokentail("explain", "--strict", path, *configured).exit_code == 1
    assert tokentail("run", "--once", "--strict", *configured).exit_code == 1
    assert tokentail("backfill", "--strict", path, *configured).exit_code == 1
    good = tmp_path / "good.log"
    good.write_text(NATIVE)
    assert tokentail("backfill", "--strict", good, *configured).exit_code == 0
    good.write_text(NATIVE + "nonsense\n")
    assert tokentail("backfill", "--strict", good, *configured).exit_code == 1


def test_backfill_says_what_became_of_the_lines_however_often(
    tokentail: Tokentail, audit_log: Path, configured: tuple[str, ...]
) -> None:
    wanted = {"lines": 10, "stored": 8, "rejected": 1, "ignored": 1, "expired": 0}
    for new in (10, 0):
        (file,) = json.loads(tokentail("backfill", "--json", audit_log, *configured).stdout)
        assert {name: file[name] for name in wanted} == wanted
        assert file["new"] == new
    table = tokentail("backfill", audit_log, *configured).stdout
    head, _, *rows = table.splitlines()
    # Of a long path, which is not broken, the figures stand below.
    figures = dict(zip(head.split()[1:], " ".join(rows).split()[1:], strict=False))
    assert figures == {"lines": "10", "new": "0", "stored": "8", "rejected": "1", "ignored": "1"}


def test_check_is_unknown_when_nothing_can_be_known(tokentail: Tokentail, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("nonsense = 1\n")
    for options in (("--state-dir", tmp_path / "nowhere"), ("--config", bad)):
        result = tokentail("status", "--check", *options)
        assert result.exit_code == 3
        assert result.stdout.startswith("TOKENTAIL UNKNOWN - ")
        assert len(result.stdout.splitlines()) == 1


def test_masks_are_explained_where_they_are_shown(
    tokentail: Tokentail, configured: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "audit.log"
    path.write_text('{"action":"token.nope","created_at":"2026-11-01T09:30:00Z","note":"hunter2"}\n')
    assert tokentail("run", "--once", *configured).exit_code == 0
    for command in (("explain", path), ("rejected", "list")):
        shown = tokentail(*command, *configured).stdout
        assert '"note":"[masked]"' in words(shown).replace(" ", "")
        assert "[masked] stands for a value that may be a secret" in words(shown)
    path.write_text('{"action":"token.nope","created_at":"2026-11-01T09:30:00Z"}\n')
    assert "stands for" not in tokentail("explain", path, *configured).stdout


def test_the_example_holds_no_secret(tokentail: Tokentail, configured: tuple[str, ...], tmp_path: Path) -> None:
    row: dict[str, Any] = {"type": "LOGIN", "password": "hunter2", "note": "hunter2", "clientId": "web"}
    (tmp_path / "audit.log").write_text((json.dumps(row) + "\n") * 30)
    for command in (("validate",), ("explain", tmp_path / "audit.log"), ("run", "--once"), ("status",), ("stats",)):
        result = tokentail(*command, *configured)
        assert "hunter2" not in result.output
        assert '"clientId":"web"' in words(result.output).replace(" ", "")


def test_csv_is_named_as_such(tokentail: Tokentail, configured: tuple[str, ...], tmp_path: Path) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([["time", "action", "client", "user"], *[["a", "b", "c", "d"]] * 30])
    (tmp_path / "audit.log").write_text(text.getvalue())
    assert "looks like CSV" in words(tokentail("validate", *configured).stdout)
