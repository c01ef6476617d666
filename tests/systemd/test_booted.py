"""A real systemd runs the shipped unit: installed, started, fed, killed, hung, reloaded, stopped, removed."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.systemd.machine import Machine, boot, install_tokentail

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

TOKENTAIL = "/opt/tokentail/bin/tokentail"
LOG = "/var/log/idp/audit.jsonl"
LINE = json.dumps(
    {"created_at": "2026-11-02T09:00:00.100Z", "action": "token.refreshed", "details": {"client_id": "web", "n": "%s"}}
)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machines = boot(tmp_path_factory.mktemp("machine"))
    machine = next(machines)
    if isinstance(machine, str):
        machines.close()
        pytest.skip(machine)
    install_tokentail(machine)
    machine.write(LOG, "".join(LINE % n + "\n" for n in range(10)), 0o640)
    machine.tell("chgrp", "adm", LOG)
    machine.tell("chmod", "755", "/var/log/idp")
    yield machine
    machines.close()


def shown(machine: Machine) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(machine.run(TOKENTAIL, "service", "status", "--json").stdout)
    return told


def wait_for(machine: Machine, right: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while not right(told := shown(machine)):
        assert time.monotonic() < deadline, f"{told}\n{machine.run('journalctl', '-u', 'tokentail', '-n', '40').stdout}"
        time.sleep(0.2)
    return told


def append(machine: Machine, first: int, count: int) -> None:
    text = "".join(LINE % n + "\n" for n in range(first, first + count))
    machine.write("/tmp/more", text)  # noqa: S108 - inside the machine
    machine.tell("sh", "-c", f"cat /tmp/more >> {LOG}")


def read(machine: Machine, lines: int) -> Callable[[dict[str, Any]], bool]:
    del machine
    said = f"{lines} lines read: {lines} stored, 0 rejected"
    return lambda told: told["status"].startswith(said) and bool(told["good"])


def test_before_it_is_installed_status_says_so(machine: Machine) -> None:
    ran = machine.run(TOKENTAIL, "service", "status")
    assert ran.returncode == 1
    assert "`tokentail service install`" in ran.stdout


def test_it_is_installed_and_started(machine: Machine) -> None:
    said = machine.tell(TOKENTAIL, "service", "install")
    assert "Wrote /etc/systemd/system/tokentail.service" in said
    machine.tell("sed", "-i", f's|^path = .*|path = "{LOG}"|', "/etc/tokentail/tokentail.toml")
    machine.write(
        "/etc/systemd/system/tokentail.service.d/quicker.conf",
        "[Service]\nWatchdogSec=6\nTimeoutAbortSec=2\nRestartSec=1\n",
    )
    said = machine.tell(TOKENTAIL, "service", "install", "--start")
    assert "Unchanged: /etc/systemd/system/tokentail.service" in said
    assert "Kept /etc/tokentail/tokentail.toml" in said
    assert "!" not in said
    told = wait_for(machine, read(machine, 10))
    assert told["enabled"] == "enabled"
    assert told["restarts"] == 0
    assert told["advice"] == []


def test_it_is_a_user_that_owns_nothing_in_the_whole_sandbox(machine: Machine) -> None:
    pid = shown(machine)["main_pid"]
    status = dict(re.findall(r"(\w+):\t(.*)", machine.tell("cat", f"/proc/{pid}/status")))
    assert int(status["Uid"].split()[0]) >= 61184  # of the range for dynamic users
    assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    modes = machine.tell("find", "/var/lib/private/tokentail", "-printf", "%m %y\n").splitlines()
    assert set(modes) <= {"700 d", "600 f"}


def test_root_finds_what_it_stored_without_being_told_where(machine: Machine) -> None:
    assert json.loads(machine.tell(TOKENTAIL, "status", "--json"))["stored"] == 10
    assert json.loads(machine.tell(TOKENTAIL, "status", "--json", "--state-dir", "/var/lib/tokentail"))["running"]


def test_a_kill_is_mended_by_itself(machine: Machine) -> None:
    append(machine, 10, 10)
    wait_for(machine, read(machine, 20))
    killed = shown(machine)["main_pid"]
    machine.tell("kill", "-KILL", str(killed))
    append(machine, 20, 10)
    told = wait_for(machine, lambda told: told["main_pid"] not in (None, killed) and read(machine, 30)(told))
    assert told["restarts"] == 1
    assert "restarted by itself once" in told["advice"][0]


def test_one_that_hangs_is_killed_and_started_again(machine: Machine) -> None:
    hung = shown(machine)["main_pid"]
    machine.tell("kill", "-STOP", str(hung))
    append(machine, 30, 10)
    told = wait_for(machine, lambda told: told["main_pid"] not in (None, hung) and read(machine, 40)(told), seconds=40)
    assert told["restarts"] == 2
    journal = machine.tell("journalctl", "-u", "tokentail", "--no-pager")
    assert "Watchdog timeout" in journal
    time.sleep(8)
    assert shown(machine)["main_pid"] == told["main_pid"], "it is fed, and stays"


def test_a_reload_ends_when_the_daemon_says_so(machine: Machine) -> None:
    before = shown(machine)["main_pid"]
    machine.tell("systemctl", "reload", "tokentail")
    wait_for(
        machine,
        lambda _: "The new configuration is in use" in machine.tell("journalctl", "-u", "tokentail", "-n", "20"),
    )
    assert wait_for(machine, read(machine, 40))["main_pid"] == before


def test_a_credential_arrives_and_its_absence_is_no_fault(machine: Machine) -> None:
    machine.write("/etc/credstore/tokentail.store-token", "s3cret\n", 0o600)
    machine.tell("systemctl", "restart", "tokentail")
    pid = wait_for(machine, read(machine, 40))["main_pid"]
    seen = machine.tell("nsenter", "--target", str(pid), "--mount", "ls", "/run/credentials/tokentail.service")
    assert seen == "store-token"


def test_a_stop_is_a_good_end(machine: Machine) -> None:
    machine.tell("systemctl", "stop", "tokentail")
    ran = machine.run(TOKENTAIL, "service", "status", "--json")
    told = json.loads(ran.stdout)
    assert (ran.returncode, told["active"], told["result"], told["exit_code"]) == (1, "inactive", "success", 0)
    assert told["advice"] == ["It is stopped: `systemctl start tokentail`."]


@pytest.mark.parametrize(
    ("drop_in", "exit_code", "word"),
    [
        (f"ExecStart=\nExecStart={TOKENTAIL} run --config /nowhere", 78, "`tokentail validate`"),
        (f"ExecStart=\nExecStart={TOKENTAIL} run --config /root/x", 77, "`tokentail service install`"),
        (f"ExecStart=\nExecStart={TOKENTAIL} run --nonsense", 2, "command line"),
        ("ExecStart=\nExecStart=/opt/nowhere run", 203, "not where it was"),
        ("SupplementaryGroups=nosuchgroup", 216, "--group NAME"),
        ("LoadCredential=store-token:/etc/nowhere", 243, "/etc/credstore need not"),
    ],
)
def test_what_cannot_start_says_what_to_do(machine: Machine, drop_in: str, exit_code: int, word: str) -> None:
    path = "/etc/systemd/system/tokentail.service.d/zz.conf"
    machine.write(path, f"[Service]\n{drop_in}\nRestartSec=60\n")
    machine.tell("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "tokentail")
    # What no restart mends stays failed; what systemd itself could not do is tried again.
    told = wait_for(machine, lambda told: told["sub"] == ("failed" if exit_code < 100 else "auto-restart"))
    assert told["exit_code"] == exit_code
    assert word in told["advice"][0]
    machine.tell("rm", path)
    machine.tell("systemctl", "daemon-reload")
    machine.run("systemctl", "stop", "tokentail")
    machine.run("systemctl", "reset-failed", "tokentail")


def test_the_sandbox_holds_in_the_service_itself(machine: Machine) -> None:
    """What the shipped options promise, tried by a program in the daemon's place."""
    program = (
        "import os, socket, mmap, subprocess\n"
        "def refused(what):\n"
        "    try: what()\n"
        "    except OSError: return True\n"
        "    return False\n"
        "def touch(path): return lambda: open(path, 'w').close()\n"
        "print('etc', refused(touch('/etc/x')), 'usr', refused(touch('/usr/x')), 'opt', refused(touch('/opt/x')))\n"
        "print('state', refused(touch(os.environ['STATE_DIRECTORY'] + '/x')), 'tmp', refused(touch('/tmp/x')))\n"
        "print('home', refused(lambda: os.listdir('/root')), 'netlink', refused(lambda: socket.socket(socket.AF_NETLINK)))\n"
        "print('wx', refused(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)))\n"
        "print('pids', sorted(int(p) for p in os.listdir('/proc') if p.isdigit()) == [os.getpid()])\n"
        "print('chown', refused(lambda: os.chown(os.environ['STATE_DIRECTORY'], 0, 0)))\n"
    )
    machine.write("/opt/tokentail/probe.py", program)
    machine.write(
        "/etc/systemd/system/tokentail.service.d/zz.conf",
        "[Service]\nType=oneshot\nRestart=no\nWatchdogSec=0\nExecStart=\nExecStart=/opt/tokentail/bin/python /opt/tokentail/probe.py\n",
    )
    machine.tell("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "tokentail")
    said = machine.tell("journalctl", "-u", "tokentail", "-o", "cat", "-n", "20")
    for line in (
        "etc True usr True opt True",
        "state False tmp False",
        "home True netlink True",
        "wx True",
        "pids True",
        "chown True",
    ):
        assert line in said
    machine.tell("rm", "/etc/systemd/system/tokentail.service.d/zz.conf")
    machine.tell("systemctl", "daemon-reload")


def test_it_is_removed_and_only_with_purge_what_it_stored(machine: Machine) -> None:
    machine.tell("systemctl", "start", "tokentail")
    said = machine.tell(TOKENTAIL, "service", "uninstall")
    assert "Stopped, and removed /etc/systemd/system/tokentail.service" in said
    assert "Kept /var/lib/private/tokentail" in said
    assert json.loads(machine.tell(TOKENTAIL, "status", "--json", "--state-dir", "/var/lib/tokentail"))["stored"] == 40
    said = machine.tell(TOKENTAIL, "service", "uninstall", "--purge")
    assert "Removed /var/lib/private/tokentail" in said
    for path in ("/var/lib/tokentail", "/etc/tokentail", "/etc/systemd/system/tokentail.service.d"):
        assert machine.run("test", "-e", path).returncode == 1
    assert "Not installed" in machine.tell(TOKENTAIL, "service", "uninstall", "--purge")
    assert shown(machine)["loaded"] == "not-found"


def test_an_installation_that_the_service_cannot_reach_is_refused(machine: Machine) -> None:
    machine.write("/root/tokentail", "#!/bin/sh\n", 0o755)
    ran = machine.run(TOKENTAIL, "service", "install", "--executable", "/root/tokentail")
    assert ran.returncode == 1
    assert "ProtectHome=" in ran.stderr
    assert machine.run("test", "-e", Path("/etc/systemd/system/tokentail.service")).returncode == 1
