"""The real logrotate against the daemon, in fifteen configurations, with the daemon up and down: needs ``logrotate``, ``zstd``.

    .venv/bin/python tests/kill/logrotate_battery.py                    # about 12 minutes
    .venv/bin/python tests/kill/logrotate_battery.py week dayfirst

A thousand numbered lines a second; all must be stored once. What copytruncate itself loses is in no file; what a
configuration has deleted before it was read must be a gap. ``tests/scenarios`` imitates the same by name, in seconds.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

TOKENTAIL = [sys.executable, "-m", "ingestor"]
BEGUN = datetime(2026, 11, 1, 9, tzinfo=UTC)
RATE = 1000
CONFIGURATIONS = {
    "numbered_delay": "rotate 20\ncompress\ndelaycompress\ncreate 0640",
    "dateext_s": "rotate 20\ndateext\ndateformat -%Y%m%d-%s\ncompress\ndelaycompress\ncreate 0640",
    "dateext_ext": "rotate 20\ndateext\ndateformat -%Y%m%d%H%M%S\nextension .jsonl\ncompress\ncreate 0640",
    "olddir": "rotate 20\nolddir old\ncreateolddir 755\ncompress\ncreate 0640",
    "olddir_date": "rotate 20\nolddir old\ncreateolddir 755\ndateext\ndateformat .%Y-%m-%d_%H-%M-%S\ncompress\n"
    "delaycompress\ncreate 0640",
    "copytruncate": "rotate 20\ncopytruncate\ncompress\ndelaycompress",
    "copytruncate_date": "rotate 20\ncopytruncate\ndateext\ndateformat -%Y%m%d-%s\ncompress",
    "rotate0": "rotate 0\ncreate 0640",
    "rotate1": "rotate 1\ncreate 0640",
    "nocreate": "rotate 20\nnocreate\ncompress",
    "zst": "rotate 20\ncompress\ncompresscmd /usr/bin/zstd\nuncompresscmd /usr/bin/unzstd\ncompressoptions --rm -q\n"
    "compressext .zst\ncreate 0640",
    "start0": "rotate 20\nstart 0\ncompress\ndelaycompress\ncreate 0640",
    "dayfirst": "rotate 20\ndateext\ndateformat .%d-%m-%Y-%H%M%S\ncompress\ncreate 0640",
    "week": "rotate 20\ndateext\ndateformat -%YW%V-%s\ncompress\ncreate 0640",
    "epoch": "rotate 20\ndateext\ndateformat -%s\ncompress\ndelaycompress\ncreate 0640",
}
HOLE = 200
"""Lines that copytruncate may lose between copy and truncate in five rotations: they are in no file."""


class Writer(threading.Thread):
    """An endpoint that notices half a second late that its log was rotated."""

    def __init__(self, log: Path) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self._log = log
        self._ended = threading.Event()

    def run(self) -> None:
        file, opened = self._log.open("ab", buffering=0), time.monotonic()
        while not self._ended.wait(0.02):
            if time.monotonic() - opened > 0.5 and not self._is_open(file.fileno()):
                file.close()
                file, opened = self._log.open("ab", buffering=0), time.monotonic()
            file.write(b"".join(line(self.count + number) for number in range(RATE // 50)))
            self.count += RATE // 50
        file.close()

    def _is_open(self, descriptor: int) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return self._log.stat().st_ino == os.fstat(descriptor).st_ino
        return False

    def end(self) -> None:
        self._ended.set()
        self.join()


def line(number: int) -> bytes:
    written = (BEGUN + timedelta(milliseconds=3 * number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = {
        "id": f"e{number:07d}",
        "created_at": written,
        "action": "token.refreshed",
        "details": {"client_id": f"c{number % 7}"},
    }
    return json.dumps(record).encode() + b"\n"


@contextlib.contextmanager
def daemon(config: Path, errors: Path) -> Iterator[None]:
    with (
        errors.open("ab") as said,
        subprocess.Popen([*TOKENTAIL, "run", "--config", str(config)], stdout=said, stderr=said) as process,
    ):
        try:
            time.sleep(4)
            yield
        finally:
            process.terminate()


def ask(config: Path, *arguments: str) -> str:
    command = [*TOKENTAIL, *arguments, "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def run(name: str, place: Path, *, down: bool) -> list[str]:
    """Return what is wrong."""
    logs, config, rules = place / "logs", place / "tokentail.toml", place / "logrotate.conf"
    logs.mkdir(parents=True)
    log = logs / "audit.jsonl"
    archive = f'archive_directories = ["{logs}/old"]\n' if "olddir" in CONFIGURATIONS[name] else ""
    config.write_text(
        f'state_directory = "{place}/state"\n[[logs]]\npath = "{log}"\nsource = "idp"\n{archive}'
        "[read]\nrotated_quiet_seconds = 2\nmissing_grace_seconds = 2\n"
    )
    rules.write_text(f"{log} {{\nmissingok\nsu root root\n{CONFIGURATIONS[name]}\n}}\n")
    rules.chmod(0o644)
    writer = Writer(log)
    writer.start()
    with contextlib.ExitStack() as stack:
        with daemon(config, place / "errors") if down else contextlib.nullcontext():
            if not down:
                stack.enter_context(daemon(config, place / "errors"))
        for _ in range(5):
            subprocess.run(["logrotate", "-f", "-s", str(place / "status"), str(rules)], check=True)
            time.sleep(1.6)
        if down:
            stack.enter_context(daemon(config, place / "errors"))
        writer.end()
        time.sleep(7)
    return compare(name, config, writer.count, logs, down=down)


def compare(name: str, config: Path, written: int, logs: Path, *, down: bool) -> list[str]:
    status = json.loads(ask(config, "status", "--json"))
    events = ask(config, "events", "--since", "2026-11-01T00:00:00Z", "--until", "2026-11-02T00:00:00Z")
    ids = Counter(json.loads(text)["event_id"] for text in events.splitlines())
    missing = written - len(ids)
    files = [str(path) for path in sorted(logs.rglob("*")) if path.is_file()]
    verified = subprocess.run([*TOKENTAIL, "verify", "--config", str(config), *files], capture_output=True, check=False)
    hole = HOLE if "copytruncate" in CONFIGURATIONS[name] else 0
    deleted = down and name in {"rotate0", "rotate1"}
    wrong = {
        f"{missing} lines are missing": missing > hole and not deleted,
        f"{missing} lines are missing, and no gap says so": missing > hole and not status["gaps"],
        f"{ids.total() - len(ids)} lines are stored twice": ids.total() > len(ids),
        f"stored {ids.total()}, told {status['stored']}": ids.total() != status["stored"],
        "verify finds fault": bool(verified.returncode),
    }
    print(
        f"{name:18} {'down' if down else 'up':4} written {written}, stored {ids.total()}, gaps {len(status['gaps'])}",
        flush=True,
    )
    return [text for text, is_so in wrong.items() if is_so]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="CONFIGURATION", help=", ".join(CONFIGURATIONS))
    names = parser.parse_args().names or list(CONFIGURATIONS)
    if shutil.which("logrotate") is None:
        parser.error("logrotate is not here")
    failed = False
    with tempfile.TemporaryDirectory(prefix="tokentail-logrotate-") as directory:
        for name in names:
            for down in (False, True):
                for problem in run(name, Path(directory) / f"{name}-{down}", down=down):
                    print(f"WRONG: {problem}", flush=True)
                    failed = True
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
