"""A real server under load: its clients, each in a thread, and what is done to its log meanwhile."""

import contextlib
import os
import random
import shutil
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

from tests.providers import real_keycloak, real_oidc_provider
from tests.providers.driven import Told
from tests.providers.real_keycloak import Keycloak
from tests.providers.real_oidc_provider import OidcProvider
from tests.support.world import gz

Endpoint: TypeAlias = real_keycloak.Endpoint | real_oidc_provider.Endpoint

KEYCLOAK_ROTATES: Final = ("--log-file-rotation-max-file-size=1M", "--log-file-rotation-max-backup-index=1000")
CLIENTS_AT_ONCE: Final = {"keycloak": 6, "oidc-provider": 2}


class Site:
    """A server with its log and its clients, which take steps until so many requests are answered.

    What each client does depends on ``seed`` alone; how they mix does not.
    """

    def __init__(self, name: str, directory: Path, requests: int, seed: int) -> None:
        self.name = name
        self.log = directory / f"logs-of-{name}" / "events.log"
        self.log.parent.mkdir()
        self.log.touch()
        self.server = _START[name](directory, self.log)
        self.endpoints: list[Endpoint] = []
        self.faults: list[str] = []
        """What ended a client too early; then it is not known what was done."""
        self.rotations: Counter[str] = Counter()
        self._requests = requests
        self._chances = [random.Random(f"{seed} {name} {number}") for number in range(CLIENTS_AT_ONCE[name])]
        self._threads: list[threading.Thread] = []
        self._turn = threading.Condition()
        self._busy = 0
        self._paused = False
        self._rotated: list[Path] = []

    @property
    def answered(self) -> int:
        """Requests so far."""
        return sum(len(endpoint.done) for endpoint in self.endpoints)

    @property
    def done(self) -> Counter[Told]:
        """What a perfect log tells."""
        return Counter(told for endpoint in self.endpoints for told in endpoint.done)

    @property
    def working(self) -> bool:
        """Whether more requests come."""
        return any(thread.is_alive() for thread in self._threads)

    def begin(self) -> None:
        """Have the clients begin, when the server answers."""
        self.server.wait()
        self.endpoints = [self.server.endpoint(chance) for chance in self._chances]
        for endpoint, chance in zip(self.endpoints, self._chances, strict=True):
            self._threads.append(threading.Thread(target=self._work, args=(endpoint, chance), daemon=True))
            self._threads[-1].start()

    def rotate(self, chance: random.Random) -> None:
        """Do to the log what an administrator's logrotate does, unless it is empty."""
        if not self.log.stat().st_size:
            return
        newest = self.log.with_name(f"{self.log.name}-{time.time_ns()}")
        if isinstance(self.server, OidcProvider) and chance.random() < 0.5:
            self.log.rename(newest)
            self.log.touch()
            self.server.reopen()
            self.rotations["rename"] += 1
        else:
            with self._pause():
                shutil.copyfile(self.log, newest)
                os.truncate(self.log, 0)
            self.rotations["copy-truncate"] += 1
        for former in self._rotated[-1:]:  # the newest waits, since the server may still write to it
            gz(former)
            self.rotations["compressed"] += 1
        self._rotated.append(newest)

    @contextlib.contextmanager
    def _pause(self) -> Iterator[None]:
        with self._turn:
            self._paused = True
            self._turn.wait_for(lambda: not self._busy)
        time.sleep(0.3)  # what was answered may be logged a moment later
        yield
        with self._turn:
            self._paused = False
            self._turn.notify_all()

    def _work(self, endpoint: Endpoint, chance: random.Random) -> None:
        steps, weights = list(endpoint.steps), list(endpoint.steps.values())
        try:
            while self.answered < self._requests and not self.faults:
                with self._turn:
                    self._turn.wait_for(lambda: not self._paused)
                    self._busy += 1
                try:
                    chance.choices(steps, weights)[0]()
                finally:
                    with self._turn:
                        self._busy -= 1
                        self._turn.notify_all()
        except Exception:  # noqa: BLE001 - whatever it was
            self.faults.append(f"a client of {self.name} failed: {traceback.format_exc()}")


def _keycloak(directory: Path, log: Path) -> Keycloak:
    return Keycloak(directory, log, *KEYCLOAK_ROTATES)


_START: Final[dict[str, Callable[[Path, Path], Keycloak | OidcProvider]]] = {
    "keycloak": _keycloak,
    "oidc-provider": OidcProvider,
}
