"""`make demo` on a machine where the first attempt fails: what is half made does not count, and the cure is named."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"
DEBIAN = 'echo "ensurepip is not available" >&2; exit 1'
"""What Python of Debian does without the package python3-venv: the environment is there, but for pip."""
WHOLE = 'touch "$4/bin/pip"'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    if shutil.which("make") is None:
        pytest.skip("no make here")
    shutil.copy(MAKEFILE, tmp_path)
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


def python(checkout: Path, ends: str, *, version: str = "exit 0") -> Path:
    """Write a Python that makes environments; those have one that installs a `tokentail`."""
    made = "#!/bin/sh\n[ -e \"${0%/*}/pip\" ] || { echo 'No module named pip' >&2; exit 1; }\n"
    made += 'printf \'#!/bin/sh\\necho "demo with $*"\\n\' > "${0%/*}/tokentail"; chmod +x "${0%/*}/tokentail"\n'
    (checkout / "inner").write_text(made)
    program = checkout / "python"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] && {{ {version}; }}\nrm -rf "$4"; mkdir -p "$4/bin"\n'
        f'cp {checkout}/inner "$4/bin/python"; chmod +x "$4/bin/python"\n{ends}\n'
    )
    program.chmod(0o755)
    return program


def make(checkout: Path, program: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "demo", f"PYTHON={program}"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))},
    )


def test_a_half_made_environment_is_made_again_once_the_cause_is_mended(checkout: Path) -> None:
    for _ in range(2):
        failed = make(checkout, python(checkout, DEBIAN))
        assert failed.returncode != 0
        assert "apt install python3-venv" in failed.stderr
        assert "No module named pip" not in failed.stderr
        assert not (checkout / ".venv").exists()
    done = make(checkout, python(checkout, WHOLE))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "demo with demo"), done.stderr


def test_an_environment_that_an_interruption_left_half_made_is_made_again(checkout: Path) -> None:
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").write_text("#!/bin/sh\necho 'No module named pip' >&2; exit 1\n")
    done = make(checkout, python(checkout, WHOLE))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "demo with demo"), done.stderr


def test_an_environment_is_made_once(checkout: Path) -> None:
    assert make(checkout, python(checkout, WHOLE)).returncode == 0
    again = make(checkout, python(checkout, "exit 9"))
    assert (again.returncode, again.stdout.splitlines()) == (0, ["demo with demo"])


def test_an_old_python_is_named(checkout: Path) -> None:
    failed = make(checkout, python(checkout, WHOLE, version="exit 1"))
    assert failed.returncode != 0
    assert "must be Python 3.11 or newer" in failed.stderr
