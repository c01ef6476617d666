"""What a ``path`` of ``[[logs]]`` may name that is no file, by how it begins: ``kafka:``, say. Pure.

Whoever looks for files asks here first, and leaves the others alone.
"""

from collections.abc import Callable
from typing import Final

SCHEMES: Final[dict[str, Callable[[str], str]]] = {}
"""By the scheme, through its colon: what brings the rest of the path to one form, or raises ``values.NotAcceptedError``.

``ingestor.sources.opening`` says which source reads it.
"""


def scheme_of(path: str) -> str:
    """Return the scheme that a path begins with; "" for a file."""
    return next((scheme for scheme in SCHEMES if path.startswith(scheme)), "")
