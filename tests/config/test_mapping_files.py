"""Mapping files are read with the configuration: all that is wrong with them is told, and what they say is kept."""

import json
from pathlib import Path

import pytest

from ingestor.config.decode import BadConfigError
from ingestor.config.load import load
from ingestor.config.mapping_files import read_as
from ingestor.config.settings import LogSettings, Settings
from ingestor.errors import ConfigError
from ingestor.pipeline.classifier import new_parser, parser_of
from parsers.mapping import shipped

GOOD = '[fields]\ntime = "at"\n[[rules]]\nwhen = { type = "no" }\naction = "token.validation_failed"\n'


def configured(tmp_path: Path, *parsers: str) -> Settings:
    file = tmp_path / "tokentail.toml"
    logs = (f'[[logs]]\npath = "/var/log/{index}.log"\nparser = "{name}"\n' for index, name in enumerate(parsers))
    file.write_text("".join(logs), "utf-8")
    return load(file, environment={"HOME": "/home/x"}).settings


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "acme.toml"
    path.write_text(GOOD, "utf-8")
    return path


def test_the_file_is_kept_with_the_settings(tmp_path: Path, mapping: Path) -> None:
    settings = configured(tmp_path, f"mapping:{mapping}", "native")
    mapping.write_text("what is written later does not count", "utf-8")
    assert [entry.mapping for entry in settings.logs] == [GOOD, None]
    parser = parser_of("/var/log/0.log", settings)
    assert parser.name == "mapping:acme"
    (outcome,) = parser.parse(b'{"at":"2026-11-01T09:30:00Z","type":"no"}\n', 1_800_000_000_000)
    assert outcome.__class__ is tuple


def test_a_byte_order_mark_does_no_harm(tmp_path: Path, mapping: Path) -> None:
    mapping.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert configured(tmp_path, f"mapping:{mapping}").logs[0].mapping == GOOD


@pytest.mark.parametrize("name", shipped())
def test_those_that_ship_are_named_alone(tmp_path: Path, name: str) -> None:
    settings = configured(tmp_path, f"mapping:{name}")
    assert new_parser(f"mapping:{name}", settings).name == f"mapping:{name}"


def test_all_that_is_wrong_is_told_with_file_and_line(tmp_path: Path, mapping: Path) -> None:
    mapping.write_text(GOOD.replace('"at"', '"a..t"').replace("validation_failed", "failed"), "utf-8")
    other = tmp_path / "other.toml"
    other.write_text("[rules", "utf-8")
    with pytest.raises(BadConfigError) as caught:
        configured(tmp_path, f"mapping:{mapping}", f"mapping:{mapping}", f"mapping:{other}")
    assert [str(problem).partition(" (")[0] for problem in caught.value.problems] == [
        f'{mapping}: line 2: the path "a..t": a key is expected at character 3',
        f'{mapping}: line 5: action: "token.failed" is not known; did you mean "token.pkce_failed"?',
        f"{other}: line 1: is not TOML: Expected ']' at the end of a table declaration",
    ]


@pytest.mark.parametrize(
    ("parser", "told"),
    [
        ("mapping:acme.toml", "must name the file of a mapping by its absolute path"),
        ("mapping:./acme.toml", "must name the file of a mapping by its absolute path"),
        ("mapping:nobody", 'or "mapping:/PATH/OF/A/FILE.toml"'),
        ("mapping:", 'or "mapping:/PATH/OF/A/FILE.toml"'),
        ("mapping", 'or "mapping:/PATH/OF/A/FILE.toml"'),
        ("mapping:/nowhere/acme.toml", "the mapping /nowhere/acme.toml does not exist"),
        ("mapping:/", "the mapping / cannot be read: Is a directory"),
    ],
)
def test_a_name_without_a_mapping_is_told(tmp_path: Path, parser: str, told: str) -> None:
    with pytest.raises(BadConfigError) as caught:
        configured(tmp_path, parser)
    (problem,) = caught.value.problems
    assert told in problem.what


@pytest.mark.parametrize(
    ("content", "told"), [(b"\xff", "is not UTF-8 (byte 0)"), (b"#" * (1 << 21), "more than 1,048,576 bytes")]
)
def test_a_file_that_is_no_text_is_told(tmp_path: Path, mapping: Path, content: bytes, told: str) -> None:
    mapping.write_bytes(content)
    with pytest.raises(BadConfigError, match="acme") as caught:
        configured(tmp_path, f"mapping:{mapping}")
    assert told in caught.value.problems[0].what


def test_a_command_names_a_mapping_by_any_path(tmp_path: Path, mapping: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (entry,) = read_as("mapping:acme.toml", "sample", Settings()).logs
    assert entry == LogSettings("sample", parser=f"mapping:{mapping}", mapping=GOOD)
    assert read_as("native", "sample", Settings()).logs == (LogSettings("sample", parser="native"),)
    mapping.write_text(GOOD.replace("type", "ty pe"), "utf-8")
    for parser, told in (
        ("mapping:acme.toml", r"acme\.toml: line 4: is not TOML"),
        ("mapping:absent.toml", "does not exist"),
        ("mapping:nobody", "must be"),
        ("nativ", "must be"),
    ):
        with pytest.raises(ConfigError, match=told):
            read_as(parser, "sample", Settings())


def test_no_value_of_a_mapping_is_an_option(tmp_path: Path) -> None:
    with pytest.raises(BadConfigError, match="unknown key"):
        load(_written(tmp_path, f'[[logs]]\npath = "/a"\nmapping = {json.dumps(GOOD)}\n'), environment={"HOME": "/"})


def _written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "tokentail.toml"
    file.write_text(text, "utf-8")
    return file
