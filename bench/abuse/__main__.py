"""Score the detectors at their defaults.

python -m bench.abuse                       all corpora: tuned on, kept back, not looked at
python -m bench.abuse --provider keycloak   the same of what Keycloak's log shows of them
python -m bench.abuse --write audit.log     write the first corpus as a log of the provider, and its labels beside it
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson

from bench.abuse.attacks import VARIANTS, Attack, attacks
from bench.abuse.events import native
from bench.abuse.keycloak import KeycloakLog, parsed
from bench.abuse.quiet import WEEKS, Mix, quiet_weeks
from bench.abuse.score import Found, Score, belongs, findings_of, scored
from ingestor.detectors.registry import detectors
from ingestor.model.finding import Severity
from parsers.contract import EventRow

TUNED: Final = Mix(seed=20261201)
KEPT_BACK: Final = Mix(
    seed=20261224, office_people=250, app_users=3_000, rotation_day=15, outage_day=9, deployment_day=18, campaign_day=24
)
NOT_LOOKED_AT: Final = Mix(
    seed=20270115, office_people=600, app_users=1_200, rotation_day=22, outage_day=17, deployment_day=3, campaign_day=10
)
CORPORA: Final = {"Tuned on": TUNED, "Kept back": KEPT_BACK, "Not looked at": NOT_LOOKED_AT}
PROVIDERS: Final = ("native", "keycloak")


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--provider", choices=PROVIDERS, default="native")
    arguments.add_argument("--write", type=Path)
    chosen = arguments.parse_args()
    if chosen.write is not None:
        log, labels = written(TUNED, chosen.provider)
        chosen.write.write_bytes(log)
        chosen.write.with_suffix(".labels.json").write_bytes(orjson.dumps(labels, option=orjson.OPT_INDENT_2))
        return
    for title, mix in CORPORA.items():
        made, hidden, rows = corpus(mix, chosen.provider)
        found = findings_of(rows)
        print(f"\n{title}: {len(rows):,} events, {len(made) + len(hidden)} attacks\n")
        print_recall(list(scored(made, found)), hidden)
        print_false(found, [*made, *hidden])


def corpus(mix: Mix, provider: str) -> tuple[list[Attack], list[Attack], list[EventRow]]:
    """Return the attacks that the log of a provider shows, those that it does not, and all of its events in order."""
    made, quiet = list(attacks(mix.seed)), quiet_weeks(mix)
    hidden: list[Attack] = []
    if provider == "keycloak":
        log = KeycloakLog(mix.seed)
        quiet = parsed(log.lines(quiet))
        logged = [log.logged(attack) for attack in made]
        made = [each.attack for each in logged if each.is_shown]
        hidden = [each.attack for each in logged if not each.is_shown]
    rows = quiet + [row for attack in (*made, *hidden) for row in attack.rows]
    return made, hidden, sorted(rows, key=lambda row: row[0])


def written(mix: Mix, provider: str) -> tuple[bytes, list[dict[str, Any]]]:
    """Return a corpus as the log of a provider, and the labels of its attacks."""
    made, quiet = list(attacks(mix.seed)), quiet_weeks(mix)
    if provider == "native":
        rows = sorted(quiet + [row for attack in made for row in attack.rows], key=lambda row: row[0])
        return b"".join(native(rows)), [attack.label() for attack in made]
    log = KeycloakLog(mix.seed)
    lines = log.lines(quiet)
    logged = [log.logged(attack) for attack in made]
    lines = sorted(lines + [line for each in logged for line in each.lines], key=lambda line: line.time_ms)
    return b"".join(line.data for line in lines), [each.label() for each in logged]


def print_recall(scores: Sequence[Score], hidden: Sequence[Attack]) -> None:
    """Print a line an attack: in which variants it is found, by what, after how long; and those that the log does not show."""
    by_attack: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        by_attack[score.attack.name].append(score)
    print(f"{'attack':<24}" + "".join(f"{variant:>13}" for variant in VARIANTS) + f"{'delay':>10}  found by")
    for name, of_it in by_attack.items():
        cells = "".join(f"{'found' if score.is_found else 'other' if score.by else '-':>13}" for score in of_it)
        delays = [score.delay_ms for score in of_it if score.delay_ms is not None]
        delay = f"{median(delays) / 60_000:.1f} min" if delays else ""
        patterns = Counter(pattern for score in of_it for pattern in score.by)
        print(f"{name:<24}{cells}{delay:>10}  {', '.join(patterns)}")
    for name in dict.fromkeys(attack.name for attack in hidden):
        print(f"{name:<24}  not in the log")
    counted = [score for score in scores if score.attack.variant != "under"]
    print(
        f"\nrecall {sum(score.is_found for score in counted) / len(counted):.2f} without the variants just under a threshold"
    )


def print_false(found: Sequence[Found], made: Sequence[Attack]) -> None:
    """Print how many findings a quiet week are about no attack, by detector and severity."""
    false = Counter(
        (each.finding.pattern, each.finding.severity)
        for each in found
        if not any(belongs(each.finding, attack) for attack in made)
    )
    print(f"\n{'false findings a week':<24}" + "".join(f"{severity:>10}" for severity in Severity))
    for name in detectors():
        print(f"{name:<24}" + "".join(f"{false[name, severity] / WEEKS:>10.2f}" for severity in Severity))


if __name__ == "__main__":
    main()
