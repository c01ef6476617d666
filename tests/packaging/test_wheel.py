"""The wheel holds the two packages and the assets, and nothing else; and what it holds runs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from parsers.mapping import shipped

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Without isolation, so without a network: hatchling is in the dev extra.
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(CHECKOUT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = directory.glob("tokentail-*.whl")
    return found


def test_the_top_level_names_are_ours_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        top_level = {name.split("/")[0] for name in archive.namelist()}
    dist_info = {name for name in top_level if name.endswith(".dist-info")}
    assert top_level - dist_info == {"ingestor", "parsers"}
    assert len(dist_info) == 1
    assert dist_info.pop().startswith("tokentail-")


def test_assets_and_type_marks_travel_and_test_cases_do_not(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for asset in ("config/tokentail.toml", "systemd/tokentail.service", "docs/getting-started.md", "README.md"):
            assert archive.read(f"ingestor/_assets/{asset}") == (CHECKOUT / asset).read_bytes()
    assert {"ingestor/py.typed", "parsers/py.typed"} <= names
    assert {f"parsers/mapping/providers/{name}.toml" for name in shipped()} <= names
    assert not [name for name in names if "testcases" in name or name.startswith("tests")]


def test_it_runs_from_the_wheel_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    environment = {
        **os.environ,
        "PYTHONPATH": str(installed),  # before the editable install of the checkout
        "HOME": str(tmp_path),
    }
    program = "import ingestor, sys; print(ingestor.__file__, flush=True); from ingestor.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", program, "config", "sample"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment,
    )
    where, _, sample = ran.stdout.partition("\n")
    assert where.startswith(str(installed))
    assert sample == (CHECKOUT / "config/tokentail.toml").read_text("utf-8")
