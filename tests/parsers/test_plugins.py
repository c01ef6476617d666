"""Other people's parsers, installed for real beside tokentail: one that works, and those that must harm nobody."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
LINE = b'{"created_at":"2026-11-01T09:30:00.123Z","action":"token.refreshed","resource_id":"web-app"}\n'
WORKING = """
from parsers.builder import EventBuilder
from parsers.contract import IGNORED
from parsers.records import each_line
from parsers.redaction.lines import AllowedKeys, redact_line

class Words:
    name, version, options = "words", "1", EventBuilder.OPTIONS

    def __init__(self, **options):
        self.events = EventBuilder(**options)
        self.counts = self.events.counts

    def parse(self, data, now_ms):
        return each_line(data, lambda line: self.read(line.decode(errors="replace"), now_ms))

    def redact(self, line):
        return redact_line(line, AllowedKeys(()))

    def read(self, line, now_ms):
        if line == "fail":
            raise LookupError("hunter2")
        word, _, client = line.partition(" ")
        if word == "{":
            word, client = "refreshed", "taken"
        return self.events.event(now_ms, time="2026-11-01T09:30:00.123Z", action="token." + word, client_id=client)

PARSER = Words
"""


class Machine:
    """Something to run tokentail on, with packages beside it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.site = directory / "site"
        self.site.mkdir()
        self.log = directory / "audit.log"
        self.config = directory / "tokentail.toml"

    def install(self, name: str, code: str, package: str = "") -> None:
        """Install a distribution as pip leaves it: a module, and the folder of its metadata."""
        package = package or f"{name}-tokens"
        module = package.replace("-", "_")
        (self.site / f"{module}.py").write_text(code)
        metadata = self.site / f"{module}-1.2.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        (metadata / "entry_points.txt").write_text(f"[tokentail.parsers]\n{name} = {module}:PARSER\n")

    def configure(self, path: str, parser: str) -> None:
        self.config.write_text(
            f'state_directory = "{self.directory}/state"\n[[logs]]\npath = "{path}"\nparser = "{parser}"\n'
        )

    def run(self, *words: str, expect: int = 0) -> tuple[str, str]:
        ran = subprocess.run(
            [sys.executable, "-m", "ingestor", *words, "--config", str(self.config)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=self.directory,
            env={"PYTHONPATH": f"{self.site}:{ROOT}", "COLUMNS": "300", "HOME": str(self.directory)},
        )
        assert ran.returncode == expect, ran.stdout + ran.stderr
        assert "hunter2" not in ran.stdout + ran.stderr
        return ran.stdout, ran.stderr

    def status(self) -> dict[str, object]:
        status: dict[str, object] = json.loads(self.run("status", "--json")[0])
        return status

    def clients(self) -> list[str]:
        events = self.run("events", "--since", "all", "--json")[0].splitlines()
        return [json.loads(line)["client_id"] for line in events]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_its_events_arrive_and_what_it_fails_with_is_rejected(machine: Machine) -> None:
    machine.install("words", WORKING)
    machine.configure(str(machine.log), "words")
    machine.log.write_bytes(b"refreshed web\nfail\nrevoked app\nfail\nmade_up x\n")
    _, told = machine.run("run", "--once")
    assert told.count("'words' fails: LookupError at site/words_tokens.py:") == 1
    assert sorted(machine.clients()) == ["app", "web"]
    assert machine.status()["rejected_by_reason"] == {"parser_failed": 2, "unknown_action": 1}
    shown, _ = machine.run("rejected", "list", "--reason", "parser_failed", "--json")
    assert len(shown.splitlines()) == 2
    assert "hunter2" not in (machine.directory / "state").joinpath("rejected.jsonl").read_text()


def test_a_line_with_which_it_failed_is_replayed_when_it_is_mended(machine: Machine) -> None:
    machine.install("words", WORKING)
    machine.configure(str(machine.log), "words")
    machine.log.write_bytes(b"refreshed web\nfail\n")
    machine.run("run", "--once")
    (machine.site / "words_tokens.py").write_text(
        WORKING.replace('line == "fail"', "False").replace('word == "{"', 'word == "fail"')
    )
    machine.run("rejected", "replay")
    assert sorted(machine.clients()) == ["taken", "web"]


BROKEN = {
    "missing": ("import no_such_module_of_anybody", "ModuleNotFoundError at .*no_such_module_of_anybody"),
    "raising": ("raise RuntimeError('hunter2')", "RuntimeError at "),
    "leaving": ("import sys; sys.exit('hunter2')", "SystemExit at "),
    "empty": ("NOTHING = 1", "AttributeError at "),
    "unmade": ("class PARSER:\n  options = ()\n  def __init__(self): raise OSError('hunter2')", "OSError at "),
    "partial": ("class PARSER:\n  options = ()\n  version = 1", "AttributeError at "),
    "mistyped": ("class PARSER:\n  options = counts = {}\n  version = 1\n  parse = redact = print", "TypeError at "),
}


def test_each_that_cannot_be_used_is_one_message_and_harms_no_other(machine: Machine) -> None:
    for name, (code, _) in BROKEN.items():
        machine.install(name, code)
    machine.install("words", WORKING)
    machine.configure(str(machine.log), "auto")
    machine.log.write_bytes(LINE + b"refreshed web\n")
    _, ran = machine.run("run", "--once")
    assert sorted(machine.clients()) == ["web", "web-app"]
    explained, told = machine.run("explain", str(machine.log), "--json")
    assert [json.loads(line)["result"] for line in explained.splitlines()] == ["event", "event"]
    findings = json.loads(machine.run("validate", "--json")[0])
    for name, (_, kind) in BROKEN.items():
        message = rf"The parser '{name}' cannot be used: {name}-tokens 1\.2, entry point {name} = {name}_tokens:PARSER: (?:{kind})"
        assert len(re.findall(message, ran)) == len(re.findall(message, told)) == 1
        (finding,) = [finding for finding in findings if re.search(message, finding["what"])]
        assert finding["level"] == "warning"


def test_a_log_that_is_configured_with_it_is_exit_code_78_and_words(machine: Machine) -> None:
    machine.install("broken", "raise RuntimeError('hunter2')")
    machine.configure(str(machine.log), "words")
    machine.install("words", WORKING)
    machine.log.write_bytes(b"refreshed web\n")
    machine.run("run", "--once")
    machine.configure(str(machine.log), "broken")
    for command in (["run", "--once"], ["explain", str(machine.log)], ["verify", str(machine.log)]):
        _, told = machine.run(*command, expect=78)
        assert "The parser 'broken' cannot be used: broken-tokens 1.2" in told
        assert "Mend or uninstall that package" in told
    findings = json.loads(machine.run("validate", "--json", expect=78)[0])
    (finding,) = [finding for finding in findings if "'broken'" in finding["what"]]
    assert (finding["level"], finding["exit_code"]) == ("error", 78)
    assert machine.clients() == ["web"]  # what needs no parser goes on
    machine.run("status")


def test_two_packages_that_bring_one_name_are_told_apart_from_none(machine: Machine) -> None:
    machine.install("words", WORKING)
    machine.install("words", WORKING, package="other-words")
    machine.configure(str(machine.log), "words")
    _, told = machine.run("run", "--once", expect=78)
    assert "several packages bring one of that name: other-words 1.2" in told


@pytest.mark.parametrize("path", ["audit*.log", "**/audit.log"])
def test_the_parser_of_a_glob_is_respected_when_another_is_installed(machine: Machine, path: str) -> None:
    machine.install("words", WORKING)
    machine.configure(f"{machine.directory}/{path}", "native")
    machine.log.write_bytes(LINE + b"refreshed web\n")
    machine.run("run", "--once")
    assert machine.clients() == ["web-app"]
    explained, _ = machine.run("explain", str(machine.log), "--json")
    assert [json.loads(line)["parser"] for line in explained.splitlines()] == ["native", "native"]
    machine.run("verify", str(machine.log))
