r"""Envelopes that stand before a line as text: CRI, syslog, and prefixes of commands that show the logs of containers.

CRI is what kubelet reads (``TIME stdout F TEXT``; ``P`` where the record goes on). Syslog is what rsyslogd, syslog-ng, busybox and
journalctl write into files, with and without the priority, and RFC 5424 as it is sent. Every expression is anchored, and takes
time that grows with the length of the header alone.
"""

import re
from typing import Final

from parsers.envelopes import kinds
from parsers.envelopes.kinds import Taken

_BOM: Final = b"\xef\xbb\xbf"
_RFC3339: Final = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
_BSD_TIME: Final = rb"[A-Z][a-z]{2} [ 0-3]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?"
_TAG: Final = rb"[\w./@()+-]{1,128}(?:\[[^\]\s]{1,128}\])?:(?: |$)"
_PARAMETER: Final = rb' [^\s="\]]{1,64}="(?:[^"\\]|\\.)*+"'

_CRI: Final = re.compile(rb"%s (stdout|stderr) ([FP])(?::\S{0,64})?(?: |$)" % _RFC3339, re.DOTALL)
_RFC5424: Final = re.compile(
    rb"(?:\d{1,6} )?<\d{1,3}>1 (?:-|\d{4}-\d\d-\d\dT\S{8,30})(?: \S{1,255}){4} "
    rb"(?:-|(?:\[[^\s=\"\]]{1,64}(?:%s)*+\])++)(?: |$)" % _PARAMETER,
    re.DOTALL,
)
_RFC3164: Final = re.compile(
    # Without its host as `journalctl --no-hostname` writes it, and with the facility behind it as busybox does.
    rb"(?:<\d{1,3}>)?(?:%s (?:[\w.:%%-]{1,255} )?(?:[a-z]\w{1,9}\.[a-z]{3,9} )?|%s [\w.:%%-]{1,255} )%s"
    % (_BSD_TIME, _RFC3339, _TAG)
)
_PREFIX: Final = re.compile(
    rb"(?:\x1b\[\d{1,3}m)?[\w.-]{1,64} {1,20}\| (?:\x1b\[0m)?(?=\s*\{)|\[pod/[^\]]{1,200}\] |%s (?=\{)" % _RFC3339
)
_BEGINS: Final = re.compile(rb"(?:\d{1,6} )?<|\d{4}-\d\d-\d\dT|[A-Z][a-z]{2} [ 0-3]\d \d")
_CUT_TIME: Final = re.compile(rb"\d{1,4}(?:-\d{0,2}){0,2}|[A-Z][a-z]{0,2}(?: [ 0-3]?\d? ?)?")
_MOST_CUT: Final = 255

_PRETTY: Final = re.compile(rb"\{(?:#012|#011| )*#012")
"""An object on several lines, as rsyslog escapes their ends. In one on one line ``#012`` is text that somebody wrote."""


def taken_off(line: bytes) -> Taken | None:
    """Return what stands behind the header of a line; None when it has none that is known."""
    if (found := _CRI.match(line)) is not None:
        return Taken((kinds.CRI,), line[found.end() :], found[1].decode(), found[2] == b"P")
    if (found := _RFC5424.match(line)) is not None:
        return Taken((kinds.SYSLOG_5424,), _message(line[found.end() :]))
    if (found := _RFC3164.match(line)) is not None:
        return Taken((kinds.SYSLOG_3164,), _message(line[found.end() :]))
    if (found := _PREFIX.match(line)) is not None:
        return Taken((kinds.PREFIX,), line[found.end() :])
    return None


def text_of_cri(line: bytes) -> bytes | None:
    """Return what ``taken_off`` does of a line of CRI that is a whole record, but quicker; None for any other."""
    found = _CRI.match(line)
    return line[found.end() :] if found is not None and found[2] == b"F" else None


def text_of_rfc5424(line: bytes) -> bytes | None:
    """Return what ``taken_off`` does of such a line, but quicker; None for any other."""
    found = _RFC5424.match(line)
    return None if found is None else _message(line[found.end() :])


def text_of_rfc3164(line: bytes) -> bytes | None:
    """Return what ``taken_off`` does of such a line, but quicker; None for any other."""
    found = None if line[:1].isdigit() and _CRI.match(line) else _RFC3164.match(line)
    return None if found is None else _message(line[found.end() :])


def behind_header(line: bytes) -> bytes:
    """Return what stands behind the headers of a line that may be cut off anywhere: nothing when one of them is not whole."""
    while (taken := taken_off(line)) is not None and taken.text is not None:
        line = taken.text
    is_cut = _BOM.startswith(line) or (len(line) < _MOST_CUT and (_BEGINS.match(line) or _CUT_TIME.fullmatch(line)))
    return b"" if is_cut else line


def _message(text: bytes) -> bytes:
    """Return the message of a syslog record as it was before it was sent.

    RFC 5424 has a byte order mark before UTF-8, and ``@cee:`` says that JSON follows. rsyslog writes a line feed as ``#012``.
    """
    if not text.startswith(b"{"):
        text = text.lstrip(b" ").removeprefix(_BOM).removeprefix(b"@cee:").lstrip(b" ")
    if b"#01" in text:
        while text.endswith((b"#012", b"#015")):
            text = text[:-4]
        if _PRETTY.match(text):
            text = text.replace(b"#012", b" ").replace(b"#011", b" ")
    return text
