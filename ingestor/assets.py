"""Find the files that travel with tokentail and are not Python: ``config/``, ``systemd/``, ``grafana/``, ``docs/``.

A wheel carries them inside the package (``ingestor/_assets``). An editable install does not, so there they are in the
checkout, beside the package.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def asset(name: str, package: Path = PACKAGE) -> Path:
    """Return the path of an asset such as ``config/tokentail.toml``. Raises FileNotFoundError: a broken installation."""
    for place in (package / "_assets", package.parent):
        path = place / name
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} is missing from this installation of tokentail; install it again")
