"""Score the detectors at their defaults.

python -m bench.abuse                      both corpora: the one that thresholds were tuned on, and the one that was kept back
python -m bench.abuse --write audit.log    write the first corpus as a native log, and its labels beside it
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import orjson

from bench.abuse.attacks import VARIANTS, Attack, attacks
from bench.abuse.events import native
from bench.abuse.quiet import WEEKS, Mix, quiet_weeks
from bench.abuse.score import Found, Score, belongs, findings_of, scored
from ingestor.detectors.registry import detectors
from ingestor.model.finding import Severity
from parsers.contract import EventRow

TUNED = Mix(seed=20261201)
KEPT_BACK = Mix(
    seed=20261224, office_people=250, app_users=3_000, rotation_day=15, outage_day=9, deployment_day=18, campaign_day=24
)


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--write", type=Path)
    chosen = arguments.parse_args()
    if chosen.write is not None:
        made, rows = corpus(TUNED)
        chosen.write.write_bytes(b"".join(native(rows)))
        labels = [attack.label() for attack in made]
        chosen.write.with_suffix(".labels.json").write_bytes(orjson.dumps(labels, option=orjson.OPT_INDENT_2))
        return
    for title, mix in (("Tuned on", TUNED), ("Kept back", KEPT_BACK)):
        made, rows = corpus(mix)
        found = findings_of(rows)
        print(f"\n{title}: {len(rows):,} events, {len(made)} attacks\n")
        print_recall(list(scored(made, found)))
        print_false(found, made)


def corpus(mix: Mix) -> tuple[list[Attack], list[EventRow]]:
    """Return the attacks, and all events in order."""
    made = list(attacks(mix.seed))
    rows = quiet_weeks(mix) + [row for attack in made for row in attack.rows]
    return made, sorted(rows, key=lambda row: row[0])


def print_recall(scores: Sequence[Score]) -> None:
    """Print a line an attack: in which variants it is found, by what, after how long."""
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
