"""How many secrets redaction lets through, and how much that is no secret it masks. No time is measured.

    python -m bench.redaction               both halves of the list
    python -m bench.redaction --show leaks  and which shapes

The list is in ``bench/shapes``: shapes of leaks, each tried with six values, and ordinary values that must stay. One half is what
the expressions are tuned to, the other one is a check that is not tuned to (``check_*.txt``): only its figures say what to
expect of shapes that nobody thought of. A value leaks when six of its characters in a row are in the answer.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from parsers.redaction.identifiers import Identifiers
from parsers.redaction.redact import redact_scopes, redact_text

SHAPES = Path(__file__).parent / "shapes"
VALUES = (
    "hunter2",
    "s3cr3t-Value",
    "Winter2026!",
    "482913",
    "SplxlOBeZQQYbYS6WxSbIA",
    "5f7c8ec7c33c6c004bbafe825f7c8ec7",
)
"""A password, one with a hyphen, one with a sign, a one-time password, a code (RFC 6749) and 128 bits in hex."""
PART = 6
KINDS: dict[str, Callable[[str], str]] = {"id": Identifiers().read, "scope": redact_scopes, "text": redact_text}


def shapes(name: str) -> list[str]:
    """Return the shapes of a list."""
    lines = (SHAPES / f"{name}.txt").read_text("utf-8").splitlines()
    return [line.replace("⏎", "\r\n") for line in lines if line and not line.startswith("# ")]


def leaks(name: str) -> Iterator[tuple[str, str]]:
    """Yield (text, answer) of those in which a part of the secret is left."""
    for shape in shapes(name):
        for value in VALUES:
            text = shape.replace("{X}", value)
            answer = redact_text(text)
            if any(value[start : start + PART] in answer for start in range(len(value) - PART + 1)):
                yield text, answer


def ruined(name: str) -> Iterator[tuple[str, str]]:
    """Yield (value, answer) of those that should have stayed."""
    for line in shapes(name):
        kind, _, value = line.partition(" ")
        answer = KINDS[kind](value)
        if answer != value:
            yield value, answer


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--show", choices=["leaks", "ruined"], help="print what was let through, or masked in vain")
    options.add_argument("--half", choices=["tuned", "check"], help="of this half alone")
    chosen = options.parse_args()
    print(f"{'':<8}{'shapes':>8}{'leak':>6}{'values':>8}{'leak':>6}{'ordinary':>10}{'ruined':>8}")
    for half, prefix in (("tuned", ""), ("check", "check_")):
        if chosen.half not in {None, half}:
            continue
        found, masked = list(leaks(f"{prefix}leaks")), list(ruined(f"{prefix}ordinary"))
        number = len(shapes(f"{prefix}leaks"))
        leaking = sum(
            any(text == shape.replace("{X}", value) for text, _ in found for value in VALUES)
            for shape in shapes(f"{prefix}leaks")
        )
        print(
            f"{half:<8}{number:>8}{leaking:>6}{number * len(VALUES):>8}{len(found):>6}"
            f"{len(shapes(f'{prefix}ordinary')):>10}{len(masked):>8}"
        )
        for text, answer in {"leaks": found, "ruined": masked}.get(chosen.show or "", []):
            print(f"  {text!r}\n      {answer!r}")


if __name__ == "__main__":
    main()
