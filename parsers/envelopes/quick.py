"""The same as ``taking``, but for all lines of a block at once: what most blocks are.

A block is done here when each of its lines is a whole record in one and the same envelope, and the envelope has the form that the
first line has. All else is done line by line. What comes out is the same either way.
"""

from collections.abc import Callable, Sequence
from typing import Final

from parsers.envelopes import collectors, headers, kinds, objects
from parsers.envelopes.kinds import Envelope
from parsers.envelopes.taking import may_be_split

_HEADERS: Final[dict[Envelope, Callable[[bytes], bytes | None]]] = {
    kinds.CRI: headers.text_of_cri,
    kinds.SYSLOG_5424: headers.text_of_rfc5424,
    kinds.SYSLOG_3164: headers.text_of_rfc3164,
}


def unwrapped(envelope: Envelope, lines: Sequence[bytes]) -> bytes | None:
    r"""Return what is in lines, each with a ``\n`` behind it; None when they are not all whole records in this envelope alone.

    ``lines``: at least one.
    """
    try:
        if (text_of := _HEADERS.get(envelope)) is not None:
            found = [text for line in lines if (text := text_of(line)) is not None]
            data = b"\n".join([*found, b""]) if len(found) == len(lines) else None
        elif envelope is kinds.DOCKER:
            data = objects.lines_in_docker(lines)
        elif envelope is kinds.JOURNALD:
            data = objects.lines_in_journald(lines)
        else:
            data = collectors.lines_in(lines)
    except (ValueError, RecursionError):
        return None
    if data is None or envelope in kinds.SPLITTING:
        return data
    return None if any(map(may_be_split, data.split(b"\n"))) else data
