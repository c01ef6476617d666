"""Packages of other people, as far as Python's metadata tells of them."""

from pathlib import Path

from parsers import plugins


def install_parser(folder: Path, name: str, place: str) -> None:
    """Have a package in a folder of ``sys.path`` that brings a parser. ``place``: ``module:class``."""
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{plugins.ENTRY_POINTS}]\n{name} = {place}\n")
