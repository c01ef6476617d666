"""Open the daemon's own files beside the state's database, so that nobody has it write elsewhere."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_WHAT: Final = "A symbolic link, or something else that is no file, is where a file of the state should be"


class LinkError(OSError):
    """A link, or something else that is no file, is where a file of ours should be."""


SPOOL: Final = "spool"
"""The directory of the segments, in the state directory."""


def open_own(path: Path, flags: int) -> int:
    """Open a file of ours without following a link; for the owner alone when it is made. Raises LinkError, OSError.

    Whoever may write the directory could otherwise have a daemon of root's overwrite any file of the machine.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EISDIR, errno.ENXIO}:
            raise LinkError(errno.ELOOP, _WHAT, str(path)) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise LinkError(errno.ELOOP, _WHAT, str(path))
    return descriptor
