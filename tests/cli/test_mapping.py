"""``mapping new`` and ``mapping show``, and a mapping on its way through ``explain``, ``validate`` and ``run``."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingestor.cli import cli
from ingestor.errors import ExitCode
from parsers import mapping
from parsers.damage import CANARY, canaries
from parsers.mapping.proposal import propose
from tests.docs.markdown import ROOT
from tests.support.engine import no_engine

LINES = [
    '{"time":"2026-11-01T09:30:00.5Z","op":"token_issued","client_id":"web","sub":"al","ip":"192.0.2.1","grant_type":"password"}',
    '{"time":"2026-11-01T09:30:01.5Z","op":"token_issued","client_id":"tv","sub":"bo","ip":"192.0.2.2","grant_type":"password"}',
    '{"time":"2026-11-01T09:30:02.5Z","op":"token_refused","client_id":"web","ip":"192.0.2.1","error":"slow_down"}',
    '{"time":"2026-11-01T09:30:03.5Z","op":"login","sub":"al"}',
    "Server started",
]


def tokentail(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=stdin, prog_name="tokentail")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.log"
    path.write_text("\n".join(LINES) + "\n", "utf-8")
    return path


def test_what_is_proposed_is_a_mapping_that_makes_events(sample: Path, tmp_path: Path) -> None:
    proposed = tokentail("mapping", "new", sample)
    assert proposed.exit_code == 0, proposed.output
    assert tokentail("mapping", "new", "-", stdin=sample.read_text()).stdout == proposed.stdout
    file = tmp_path / "acme.toml"
    file.write_text(proposed.stdout, "utf-8")
    explained = tokentail("explain", "--json", "--parser", f"mapping:{file}", "--state-dir", tmp_path / "s", sample)
    found = [json.loads(line) for line in explained.stdout.splitlines()]
    assert [each["event"] and each["event"]["action"] for each in found] == [
        *("token.issued.password", "token.issued.password", "token.authorization_pending", None, None),
    ]
    assert [each["rule"] for each in found] == [
        *(f"rule 1 (line {_line_of(proposed.stdout, 1)})",) * 2,
        f"rule 2 (line {_line_of(proposed.stdout, 2)})",
        *(None, None),
    ]
    assert found[0]["event"]["user_id"] == "al"
    assert "1 ignored" not in explained.stdout


def _line_of(text: str, rule: int) -> int:
    return [number for number, line in enumerate(text.splitlines(), 1) if line == "[[rules]]"][rule - 1]


def test_nothing_secret_is_in_a_proposal() -> None:
    lines = [line.encode() for line in LINES[:4]]
    lines.append(
        b'{"apikey":"hunter2-%s","note":"the pass is hunter2","xyz":"kd93jf83hf","names":["a","b"]}' % CANARY.encode()
    )
    for planted in [*canaries(lines), *lines[-1:]]:
        text = propose([*lines[:3], planted])
        assert CANARY not in text
        assert "kd93jf83hf" not in text
        mapping.read_mapping(text)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b""],
        [b"no json"],
        [b"[1]", b"5", b"null"],
        [b'{"a":{}}', b'{"a":[]}', b'{"":1}', b'{"a b":{"c":1}}'],
        [b"{" + b",".join(b'"k%d":1' % n for n in range(2000)) + b"}"],
        [b'{"op":"token","x":' + b'{"a":' * 500 + b"1" + b"}" * 501],
        [b'{"token_granted":1e400,"\xc3\xa9\\u202e":"\\u0000"}', b"\xff" * 100],
    ],
)
def test_a_proposal_can_be_made_of_any_lines(lines: list[bytes]) -> None:
    text = propose(lines)
    assert text.isprintable() or text.replace("\n", "").isprintable()
    with pytest.raises(mapping.MappingError) as caught:
        mapping.read_mapping(text)
    assert all("no rule" in what or "needs a time" in what for _, what in caught.value.problems)


def test_keys_that_need_quotes_have_them() -> None:
    text = propose(
        [b'{"@timestamp":"2026-11-01T09:30:00Z","oauth.client id":{"clientId":"web"},"event.action":"token_issued"}']
    )
    assert mapping.read_mapping(text).fields["client_id"].path.ways == (("oauth.client id", "clientId"),)


def test_those_that_ship_are_printed() -> None:
    for name in mapping.shipped():
        assert tokentail("mapping", "show", name).stdout == mapping.shipped_text(name)
    refused = tokentail("mapping", "show", "../../etc/passwd")
    assert refused.exit_code == ExitCode.USAGE
    assert "there are auth0, cognito" in refused.output


def test_validate_tells_what_is_wrong_with_file_and_line(tmp_path: Path, sample: Path) -> None:
    file, config = tmp_path / "acme.toml", tmp_path / "tokentail.toml"
    config.write_text(
        f'state_directory = "{tmp_path}/state"\n[[logs]]\npath = "{sample}"\nparser = "mapping:{file}"\n', "utf-8"
    )
    good = tokentail("mapping", "new", sample).stdout
    file.write_text(good, "utf-8")
    checked = tokentail("validate", "--config", config)
    assert checked.exit_code == 0, checked.output
    run = tokentail("run", "--once", "--config", config)
    assert run.exit_code == 0, run.output
    file.write_text(good.replace("{ op =", '{ "op..x" =') + '\n[[rules]]\naction = "token.minted"\n', "utf-8")
    checked = tokentail("validate", "--json", "--config", config)
    assert checked.exit_code == ExitCode.BAD_CONFIG
    told = [(finding["where"], finding["what"].partition(";")[0]) for finding in json.loads(checked.stdout)]
    last = file.read_text().count("\n")
    assert (f"{file}: line {last}", 'action: "token.minted" is not known') in told
    assert any(what.startswith('the path "op..x": a key is expected at character 4') for _, what in told)
    assert tokentail("run", "--once", "--config", config).exit_code == ExitCode.BAD_CONFIG


def test_without_the_engine_a_mapping_that_needs_it_is_one_clear_message(tmp_path: Path) -> None:
    log, file = tmp_path / "okta.jsonl", tmp_path / "tokentail.toml"
    shutil.copyfile(ROOT / "parsers/mapping/testcases/okta-operations/input.jsonl", log)
    file.write_text(f'state_directory = "{tmp_path}/s"\n[[logs]]\npath = "{log}"\nparser = "mapping:okta"\n', "utf-8")
    with no_engine():
        ran = tokentail("run", "--once", "--config", file)
        explained = tokentail("explain", "--parser", "mapping:okta", log)
        validated = tokentail("validate", "--json", "--config", file)
    for result in (ran, explained):
        assert result.exit_code == ExitCode.BAD_CONFIG
        assert result.stderr.count("pip install google-re2") == 1
    assert validated.exit_code == ExitCode.BAD_CONFIG
    (error,) = [each for each in json.loads(validated.stdout) if each["level"] == "error"]
    assert "pip install google-re2" in error["what"]
    assert tokentail("run", "--once", "--config", file).exit_code == 0


def test_without_the_engine_all_other_logs_are_read(tmp_path: Path) -> None:
    log, file = tmp_path / "sign-ins.jsonl", tmp_path / "tokentail.toml"
    shutil.copyfile(ROOT / "parsers/mapping/testcases/entra-operations/input.jsonl", log)
    file.write_text(f'state_directory = "{tmp_path}/s"\n[[logs]]\npath = "{log}"\n', "utf-8")
    with no_engine():
        ran = tokentail("run", "--once", "--config", file)
        validated = tokentail("validate", "--json", "--config", file)
        status = tokentail("status", "--json", "--config", file)
    assert ran.exit_code == 0
    assert [entry["provider"] for entry in json.loads(status.stdout)["logs"]] == ["mapping:entra"]
    (warning,) = [each for each in json.loads(validated.stdout) if "google-re2" in each["what"]]
    assert warning["level"] == "warning"
    assert warning["what"].startswith("Left out: mapping:auth0, ")
