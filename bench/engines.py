"""The answers of redaction under two interpreters, compared: CPython's engine of regular expressions differs by version.

    python -m bench.engines /path/to/other/python [--texts 20000] [--seed 1]

The other interpreter needs the dependencies (a virtual environment of its own). Not part of CI, which has one interpreter:
run it after changing an expression, with Debian 12's 3.11.2 on one side and a current version on the other. Texts are made
of what the expressions look for. The slowest text of each side is told; the exit status is 1 when an answer differs.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from parsers.redaction import lines
from parsers.redaction.redact import redact_identifier, redact_text

PIECES = (
    *("code", "token", "refresh_token", "client secret", "password", "otp", "authorization", "cookie", "Bearer", "DPoP", "SAMLResponse"),
    *(" ", "  ", ": ", ":", "=", " = ", "==", ":=", "=>", "+", ",", ";", "\n", "\r\n", "\r\n\r\n", "\t", "(", ")", "[", "]", "{", "}"),
    *('"', "'", "`", "\\", '\\"', "\\\\", "\\u0027", "\\u003d", "\\u003a", "\\u002f", "\\n", "/", "\\/", "?", "#", "<", ">", "&"),
    *("&quot;", "&#39;", "&amp;quot;", "&#61;", "&colon;", "&lt;", "&gt;", "%20", "%2520", "%3D", "%253D", "%3a", "%22", "%2F", "%252f"),
    *(" not found", " is invalid", " was", " not", " found", " expired", ": expected ", " has value", " value", "value", " mismatch (got "),
    *("plain", "hunter2", "s3cr3t-Value", "5f7c8ec7c33c", "404", "x", "WDJB-MJHT", "for bob", "[redacted:secret]", "[redacted:", "user[", "a"),
    *("/token/", "/code/", "reset/", "eyJhbGciOiJSUzI1NiJ9.eyJ", "ghp_s3cr3tValue0123456789", "://a:b@", "<code>", "</code>", "-", "_", "."),
)  # fmt: skip
LONGEST = 4096
KEPT = lines.AllowedKeys({"code", "error", "client.id"})


def texts(number: int, seed: int) -> Iterator[str]:
    """Yield random sentences, and every piece and pair of some pieces over and over, behind a name and alone."""
    chance = random.Random(seed)
    for _ in range(number):
        yield "".join(chance.choices(PIECES, k=chance.randint(1, 14)))
    for piece in PIECES:
        for other in ("", " ", "x", *chance.sample(PIECES, 6)):
            for head in ("", "code", "Bearer", "/token/"):
                yield (head + (piece + other) * LONGEST)[:LONGEST]


def answers(number: int, seed: int) -> Iterator[tuple[str, str, float]]:
    """Yield (text, answers, seconds of the slowest one)."""
    for text in texts(number, seed):
        found, slowest = [], 0.0
        for answer in (redact_text, redact_identifier, _line):
            start = time.perf_counter()
            found.append(answer(text))
            slowest = max(slowest, time.perf_counter() - start)
        yield text, json.dumps(found), slowest


def _line(text: str) -> str:
    return lines.redact_line(text.encode(), KEPT)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("other")
    options.add_argument("--texts", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)  # what the other side does
    given = options.parse_args()
    if given.answer:
        for _, found, seconds in answers(given.texts, given.seed):
            print(seconds, found)
        return
    command = [given.other, "-m", "bench.engines", "-", "--answer", f"--texts={given.texts}", f"--seed={given.seed}"]
    there = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[1])
    differing, slow_here, slow_there = 0, (0.0, ""), (0.0, "")
    for (text, here, seconds), line in zip(answers(given.texts, given.seed), there.stdout.splitlines(), strict=True):
        seconds_there, _, other = line.partition(" ")
        slow_here = max(slow_here, (seconds, text[:40]))
        slow_there = max(slow_there, (float(seconds_there), text[:40]))
        if here != other:
            differing += 1
            if differing <= 5:
                print(f"{text[:200]!r}\n  here:  {here[:300]}\n  there: {other[:300]}")
    print(f"{differing} of {len(there.stdout.splitlines())} answers differ")
    for side, (seconds, text) in (("here", slow_here), ("there", slow_there)):
        print(f"slowest {side}: {seconds * 1000:.1f} ms, {text!r}")
    sys.exit(differing > 0)


if __name__ == "__main__":
    main()
