"""What lines of a log tell about how Keycloak is set up. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from parsers.contract import Event, Outcome, events_of

_FEWEST_FAILURES: Final = 20
"""So many without a success are no chance."""
_OURS: Final = re.compile(rb'org\.keycloak\.events|"realmId":')
_FORGEABLE: Final = re.compile(rb"\[org\.keycloak\.events\] \([^)]*\) type=[A-Z]")
FORGEABLE: Final = (
    "Keycloak writes what clients send into this log as it is, line breaks, too, so whoever sends a client id can forge lines. Have it "
    "log in JSON, where no value begins a line: `--log-console-output=json` or `--log-file-output=json`"
)
NO_SUCCESS: Final = (
    "Keycloak writes only failures into this log. It logs successes at level debug, which is left out, until it is started with "
    "`--spi-events-listener--jboss-logging--success-level=info`"
)


def advice_on(lines: Sequence[tuple[bytes, Outcome]]) -> list[str]:
    """Return what should be set otherwise in the Keycloak that wrote these lines, a sentence each, without its end."""
    ours = [(line, outcome) for line, outcome in lines if _OURS.search(line)]
    results = [Event(*row).tags.outcome for _, outcome in ours for row in events_of(outcome)]
    found = []
    if any(_FORGEABLE.search(line) for line, _ in ours):
        found.append(FORGEABLE)
    if len(results) >= _FEWEST_FAILURES and "success" not in results:
        found.append(NO_SUCCESS)
    return found
