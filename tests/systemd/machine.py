"""A machine with a real systemd, in namespaces of this one (``boot.sh``)."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import click

HERE = Path(__file__).resolve().parent
CANNOT = "no systemd can be booted here"
_BOOT_SECONDS = 30.0
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "COLUMNS": "120"}
"""Of commands inside: a PYTHONPATH of the developer's is of no use there."""


class Machine:
    """Runs commands inside."""

    def __init__(self, first: int) -> None:
        """``first``: its process 1, as it is numbered here."""
        self._enter = [
            "nsenter",
            "--target",
            str(first),
            *["--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--"],
        ]

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        words = [*self._enter, *map(str, command)]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=100, env=_ENVIRONMENT)

    def tell(self, *command: str | Path) -> str:
        """Run what must go well; return what it prints."""
        ran = self.run(*command)
        assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
        return ran.stdout.strip()

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        program = f"mkdir -p {os.path.dirname(path)} && umask 077 && cat > {path} && chmod {mode:o} {path}"  # noqa: PTH120
        ran = subprocess.run([*self._enter, "sh", "-c", program], input=text, text=True, check=False, env=_ENVIRONMENT)
        assert ran.returncode == 0


def boot(directory: Path) -> Generator[Machine | str, None, None]:
    """Yield a machine that has booted, or why there is none; it is gone afterwards."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or not Path("/lib/systemd/systemd").exists():
        yield f"{CANNOT}: it needs root, unshare and systemd"
        return
    namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net", "--cgroup"]
    with (directory / "boot.log").open("w") as log:
        outer = subprocess.Popen(
            ["unshare", *namespaces, "sh", str(HERE / "boot.sh"), str(directory)], stdout=log, stderr=log
        )
    try:
        yield (
            _booted(outer) or f"{CANNOT}: {(directory / 'boot.log').read_text('utf-8').strip() or 'it does not get up'}"
        )
    finally:
        outer.kill()  # --kill-child: process 1 inside ends with it, and with that all others, and all mounts
        outer.wait()


def _booted(outer: subprocess.Popen[bytes]) -> Machine | None:
    deadline = time.monotonic() + _BOOT_SECONDS
    while outer.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        for first in children.read_text().split() if children.exists() else ():
            machine = Machine(int(first))
            if machine.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                return machine
    return None


def install_tokentail(machine: Machine) -> None:
    """Give the machine this checkout as /opt/tokentail, where a service can reach it: a developer's may be below /home."""
    site = Path(click.__file__).parents[1]
    for below, inside in ((sys.base_prefix, "python"), (HERE.parents[1], "checkout"), (site, "site")):
        machine.tell("mkdir", "-p", f"/opt/{inside}")
        machine.tell("mount", "--bind", below, f"/opt/{inside}")
    python = Path("/opt/python/bin", Path(sys.executable).resolve().name)
    machine.tell(python, "-m", "venv", "--without-pip", "/opt/tokentail")
    library = machine.tell("/opt/tokentail/bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    machine.write(f"{library}/checkout.pth", "/opt/checkout\n/opt/site\n")
    machine.write(
        "/opt/tokentail/bin/tokentail", "#!/opt/tokentail/bin/python\nfrom ingestor.cli import main\nmain()\n", 0o755
    )
    # A Python with a shared library looks for it where it was built, which may be below /home as well.
    machine.write(
        "/etc/systemd/system/tokentail.service.d/python.conf",
        "[Service]\nEnvironment=LD_LIBRARY_PATH=/opt/python/lib\n",
    )
