"""docs/add-a-parser.md: its files and commands work as they stand there, as a package and as a folder of tokentail."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/add-a-parser.md").read_text("utf-8")
FILES = dict(re.findall(r"^`([\w.]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(
    r"^(?:pip|tokentail|python) .*$", "".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)), re.MULTILINE
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("acme")
    for name, content in FILES.items():
        (directory / name).write_text(content.replace("/srv/acme-parser", str(directory)), "utf-8")
    return directory


@pytest.fixture(scope="module")
def environment(package: Path) -> dict[str, str]:
    """Without a network: hatchling is in the dev extra, and what is installed stays in the package's own folder."""
    site = package / "site"
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{site}:{ROOT}",
        "PIP_TARGET": str(site),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as the option's opposite: there is no isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "COLUMNS": "200",
    }


def run(command: str, package: Path, environment: dict[str, str]) -> str:
    ran = subprocess.run(
        command.split(),
        cwd=package,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def test_all_its_files_are_found_here() -> None:
    assert set(FILES) == {"acme_parser.py", "acme.log", "test_acme.py", "pyproject.toml", "tokentail.toml"}
    assert len(COMMANDS) == 7


@pytest.mark.long
def test_its_package_is_installed_and_its_events_arrive(package: Path, environment: dict[str, str]) -> None:
    answers = {command: run(command, package, environment) for command in COMMANDS}
    explained = run(f"{COMMANDS[1]} --json", package, environment).splitlines()
    results = [json.loads(line) for line in explained]
    assert [result["result"] for result in results] == ["event", "event", "event", "ignored", "rejected"]
    assert (results[-1]["reason"], results[-1]["parser"]) == ("missing_key", "acme")
    assert "1 passed" in answers["python -m pytest test_acme.py"]
    stats = json.loads(run("tokentail stats --since all --json --config tokentail.toml", package, environment))
    assert json.dumps(stats).count("token.refreshed") >= 1
    status = json.loads(run("tokentail status --json --config tokentail.toml", package, environment))
    assert status["rejected_by_reason"] == {"missing_key": 1}


@pytest.mark.long
def test_its_folder_is_found_by_its_name(package: Path, environment: dict[str, str], tmp_path: Path) -> None:
    ours = shutil.copytree(
        ROOT / "parsers", tmp_path / "parsers", ignore=shutil.ignore_patterns("__pycache__", "testcases")
    )
    (ours / "acme").mkdir()
    (ours / "acme/__init__.py").write_text(FILES["acme_parser.py"], "utf-8")
    environment = {**environment, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    explained = run("tokentail explain --json --config tokentail.toml acme.log", package, environment).splitlines()
    assert [json.loads(line)["result"] for line in explained] == ["event", "event", "event", "ignored", "rejected"]
