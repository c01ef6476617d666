"""Whatever the events: blocks of any size, and kills wherever they come, give the same findings.

The events of ``cases`` are such that findings come of them; these are such that everything comes at once, late, and in a strange order.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

import pytest

from ingestor.detectors.contract import Detector, Options
from ingestor.detectors.registry import DetectorKind, detectors
from parsers.contract import OUTCOMES, EventRow, Tags
from tests.detectors.cases.made import START_MS
from tests.support.detector_conformance import Found, findings, observe

DAY_MS = 86_400_000
ERRORS = ("invalid_client", "invalid_grant", "invalid_scope", "insufficient_scope", "invalid_code")
AGENTS = ("Firefox/1", "Chrome/1", "curl/1", "okhttp/1", "node", None)


def events(rng: random.Random, count: int, days: int) -> Iterator[EventRow]:
    """Yield events of some days, in bursts and not, of which many are late, and some of 1970 or of tomorrow."""
    actions = rng.sample(list(OUTCOMES), 6)
    actions[:2] = rng.choice(
        (
            ["token.validation_failed", "token.issued.password"],
            ["token.issued.client_credentials", actions[1]],
            actions[:2],
        )
    )
    clients = [f"app-{n}" for n in range(rng.choice((2, 5, 30)))]
    users, networks = rng.choice((1, 4, 20)), rng.choice((2, 6, 40))
    now, burst = START_MS, 0
    for number in range(count):
        burst = burst - 1 if burst else rng.choice((0,) * 50 + (40,))
        now += rng.randrange(20_000) if burst else int(rng.expovariate(count / (days * DAY_MS)))
        late = rng.choice((0, 0, 0, 60, 3000, 9000, 90_000, 900_000)) * 1000 if rng.random() < 0.3 else 0
        action = actions[0] if burst and rng.random() < 0.9 else rng.choice(actions)
        failed = OUTCOMES[action] == "failure"
        client = clients[0] if burst else rng.choice((*clients, f"new-{number}", f"https://{number}.example/"))
        time = rng.choice((0, now + DAY_MS)) if rng.random() < 0.003 else now - late
        tags = Tags(
            action=action,
            client_id=client,
            endpoint="token",
            error=rng.choice(ERRORS) if failed else "",
            grant_type="password" if failed else action.rpartition(".")[2],
            outcome=OUTCOMES[action],
            realm=rng.choice(("", "acme")),
        )
        ip = f"203.0.{0 if burst else rng.randrange(networks)}.{rng.randrange(3)}" if rng.random() < 0.95 else None
        user, scopes = rng.choice((None, f"u-{rng.randrange(users)}")), rng.choice((None, "read", f"s-{number % 9}"))
        yield time, None, tags, user, ip, rng.choice(AGENTS), scopes, None, f"e{number}", None


def sensitive(kind: DetectorKind, rng: random.Random) -> Options:
    """Return options with which a little is much."""
    usual = kind.options()
    names = sorted({each.name for each in fields(usual)} - {each.name for each in fields(Options)})
    chosen: Any = {name: max(1, int(getattr(usual, name) * rng.choice((0.1, 0.25, 0.5)))) for name in names}
    return kind.options(**chosen)


def killed_and_read_again(kind: DetectorKind, options: Options, shown: Sequence[EventRow], rng: random.Random) -> Found:
    """Return what is found when checkpoints and kills come at any time."""
    found, memory, checkpoint, at = Found(), dict[str, bytes](), 0, 0
    detector: Detector = kind.new(options)
    while at < len(shown):
        size = rng.choice((1, 3, 40))
        observe(detector, shown[at : at + size], found)
        at += size
        if rng.random() < 0.3:
            for name, piece in detector.dump().items():
                memory.pop(name, None) if piece is None else memory.update({name: piece})
            checkpoint = at
        elif rng.random() < 0.2:
            at, detector = checkpoint, kind.new(options)
            detector.restore(dict(memory))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", detectors())
def test_blocks_and_kills_change_nothing(name: str, seed: int) -> None:
    rng = random.Random(f"{name}-{seed}")
    kind = detectors()[name]
    shown, options = list(events(rng, 600, rng.choice((1, 8, 30)))), sensitive(kind, rng)
    whole = findings(lambda: kind.new(options), shown, at_once=len(shown))
    assert findings(lambda: kind.new(options), shown, at_once=1) == whole
    assert findings(lambda: kind.new(options), shown, at_once=7) == whole
    assert killed_and_read_again(kind, options, shown, rng) == whole
