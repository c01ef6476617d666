"""Real servers under load, whose logs are rotated, and the daemon that reads these killed with SIGKILL at random moments.

    .venv/bin/python tests/providers/provider_rounds.py --requests 100000 --kills 50
    .venv/bin/python tests/providers/provider_rounds.py --server oidc-provider --requests 5000 --kills 10

``tests/providers/real_keycloak.py`` and ``real_oidc_provider.py`` say how the servers are found. A request is one that a perfect
log tells as one event; what a browser does to get a code comes on top.

Keycloak rotates its log by itself, by size, and never opens it anew. So it is only copied and truncated besides, while the
clients pause, as the contract asks. That of oidc-provider is copied and truncated, or renamed and opened anew at SIGHUP. What was
rotated before is compressed.

In the end the store must hold what was done, each action of each client so many times, and Keycloak's own counters must say the
same: they count the logins with a browser, too, and call each client that does not exist "unknown". No line may be rejected, the
accounting must add up to what the store holds, and ``tokentail verify`` must find every point of every file. Exits 1 when anything
differs. What each client does depends on the seed; when the daemon is killed depends on it and on how fast the servers are.
"""

import argparse
import contextlib
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from ingestor.state.state import State
from tests.providers import real_keycloak
from tests.providers.driven import Stored, counted, stored_events
from tests.providers.real_keycloak import Keycloak
from tests.providers.real_oidc_provider import OidcProvider
from tests.providers.site import Site

TOKENTAIL: Final = [sys.executable, "-m", "ingestor"]
NUMBERED: Final = re.compile(r"events\.log\.\d+")
HERE: Final = {"keycloak": Keycloak.is_here, "oidc-provider": OidcProvider.is_here}


class Daemon:
    """The daemon, killed and started again."""

    def __init__(self, directory: Path, config: Path) -> None:
        self.killed = 0
        self.said = directory / "daemon.log"
        self._command = [*TOKENTAIL, "run", "--config", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    def once(self) -> list[str]:
        """Have it read to the end of all; return what went wrong."""
        done = subprocess.run([*self._command, "--once"], capture_output=True, text=True, check=False)
        return [f"run --once exited {done.returncode}: {done.stderr}"] if done.returncode else []

    def start(self) -> None:
        with self.said.open("ab") as said:
            self._process = subprocess.Popen(self._command, stdout=said, stderr=said)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self.killed += self._process.wait() == -signal.SIGKILL

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(60)


def provider_rounds(
    directory: Path, requests: int, kills: int, seed: int, *, servers: Sequence[str] = tuple(HERE), rotations: int = 20
) -> list[str]:
    """Drive the servers, kill the daemon, rotate the logs; return what is wrong in the end: nothing, if all is well."""
    config, state = directory / "tokentail.toml", directory / "state"
    with contextlib.ExitStack() as stack:
        sites = []
        for name in servers:
            sites.append(Site(name, directory, requests // len(servers), seed))
            stack.callback(sites[-1].server.stop)
        configure(config, state, sites)
        daemon = Daemon(directory, config)
        problems = daemon.once()  # the first look: what is rotated from now on is known
        for site in sites:
            site.begin()
        daemon.start()
        play(sites, script(sites, daemon, requests, kills, rotations, random.Random(seed)), daemon)
        problems += [problem for site in sites for problem in compare_counters(site)]
    daemon.stop()
    problems += daemon.once()
    if daemon.killed != kills:
        problems.append(f"only {daemon.killed} of {kills} daemons were there to be killed: see {daemon.said}")
    with contextlib.closing(State.open_reader(state)) as reader:
        events = stored_events(reader)
    for site in sites:
        problems += [*site.faults, *compare_store(site, [event for event in events if event.source == site.name])]
    return problems + compare_accounts(config, sites, len(events))


def configure(config: Path, state: Path, sites: Sequence[Site]) -> None:
    """Have the daemon read all logs, and find out by their lines whose they are."""
    logs = "".join(f'[[logs]]\npath = "{site.log}"\nsource = "{site.name}"\n' for site in sites)
    config.write_text(f'state_directory = "{state}"\n{logs}')


def script(
    sites: Sequence[Site], daemon: Daemon, requests: int, kills: int, rotations: int, chance: random.Random
) -> list[tuple[int, Callable[[], None]]]:
    """Return what happens after how many requests."""

    def kill() -> None:
        time.sleep(chance.uniform(0.0, 1.5))
        daemon.kill()
        time.sleep(chance.uniform(0.0, 1.0))
        daemon.start()

    def rotate() -> None:
        chance.choice(sites).rotate(chance)

    moments: list[int] = []
    for _ in range(kills):
        # Some come behind another one: the daemon is just starting then.
        soon = bool(moments) and chance.random() < 0.3
        moments.append(moments[-1] if soon else chance.randrange(requests))
    acts = [(moment, kill) for moment in moments] + [(chance.randrange(requests), rotate) for _ in range(rotations)]
    return sorted(acts, key=lambda act: act[0])


def play(sites: Sequence[Site], acts: Sequence[tuple[int, Callable[[], None]]], daemon: Daemon) -> None:
    """Do what the script says until all requests are answered, and tell now and then how far that is."""
    begun, told = time.monotonic(), 0.0
    waiting = list(acts)
    while waiting or any(site.working for site in sites):
        answered = sum(site.answered for site in sites)
        if waiting and (answered >= waiting[0][0] or not any(site.working for site in sites)):
            waiting.pop(0)[1]()
        seconds = time.monotonic() - begun
        if seconds - told >= 30:
            told = seconds
            print(f"{seconds:,.0f} s: {answered:,} requests, {daemon.killed} kills", flush=True)
        time.sleep(0.02)


def compare_store(site: Site, events: Sequence[Stored]) -> list[str]:
    """Compare what is stored with what was done."""
    done = site.done
    itself = sum(NUMBERED.fullmatch(path.name) is not None for path in site.log.parent.iterdir())
    print(
        f"{site.name}: {done.total():,} requests, {len(events):,} events stored; "
        f"rotated {itself} times by itself, and {dict(site.rotations)}"
    )
    return differences(f"{site.name} in the store", counted(events, site.server.CLIENTS), done)


def compare_counters(site: Site) -> list[str]:
    """Compare what Keycloak has counted with what was done; less the logins with a browser that is one to one."""
    if not isinstance(site.server, Keycloak):
        return []
    clients = [endpoint for endpoint in site.endpoints if isinstance(endpoint, real_keycloak.Endpoint)]
    noted = sum((client.counts for client in clients), Counter[real_keycloak.KeycloakCount]())
    logins = sum(client.browser_logins for client in clients)
    counts = site.server.counts()
    events = counts.total() - logins
    print(f"keycloak_user_events_total is {counts.total():,}, less {logins:,} logins with a browser {events:,}")
    problems = differences("keycloak_user_events_total", counts, noted)
    if events != site.answered:
        problems.append(f"Keycloak counts {events:,} token events of {site.answered:,} requests")
    return problems


def compare_accounts(config: Path, sites: Sequence[Site], events: int) -> list[str]:
    """Compare what ``status`` and ``verify`` say with what must be so."""
    status = json.loads(ask("status", "--json", "--config", str(config)).stdout)
    wanted = {"stored": events, "rejected": 0, "expired": 0, "pending": 0, "gaps": [], "store_agrees": True}
    problems = [
        f"status says {key} = {status[key]}, not {value}" for key, value in wanted.items() if status[key] != value
    ]
    print("{read:,} lines read = {stored:,} stored + {ignored:,} ignored + {rejected:,} rejected".format(**status))
    files = sorted(str(path) for site in sites for path in site.log.parent.iterdir())
    verified = ask("verify", "--json", "--config", str(config), *files)
    found = json.loads(verified.stdout)
    print(f"verify: {sum(file['stored'] for file in found):,} events of {len(found)} files are stored exactly so")
    problems += [f"verify says {file}" for file in found if not file["good"]]
    if verified.returncode or sum(file["events"] for file in found) != events:
        problems.append(f"verify exited {verified.returncode}: {verified.stderr[-2000:]}")
    return problems


def differences(where: str, found: Counter[Any], expected: Counter[Any]) -> list[str]:
    """Return a sentence for each count that is not as expected."""
    return [
        f"{where}: {found[key]:,} of {key}, not {expected[key]:,}"
        for key in sorted(found.keys() | expected.keys())
        if found[key] != expected[key]
    ]


def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TOKENTAIL, *arguments], capture_output=True, text=True, check=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rotations", type=int, default=20, help="besides those that Keycloak does by itself")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--server", choices=tuple(HERE), help="this one alone")
    arguments = parser.parse_args()
    servers = (arguments.server,) if arguments.server else tuple(HERE)
    for server in servers:
        if not HERE[server]():
            parser.error(f"no {server} here: see tests/providers/real_{server.replace('-', '_')}.py")
    directory = Path(tempfile.mkdtemp(prefix="tokentail-providers-"))
    print(
        f"{arguments.requests:,} requests, {arguments.kills} kills, seed {arguments.seed}, in {directory}", flush=True
    )
    problems = provider_rounds(
        *(directory, arguments.requests, arguments.kills, arguments.seed),
        servers=servers,
        rotations=arguments.rotations,
    )
    for problem in problems:
        print(f"WRONG: {problem}")
    if not problems:
        print("exactly once: all is as done")
        shutil.rmtree(directory)
    return bool(problems)


if __name__ == "__main__":
    raise SystemExit(main())
