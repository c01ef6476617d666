"""Read the documentation: its pages, and what stands in each. Nothing is judged here."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = {
    str(path.relative_to(ROOT)): path
    for place in ("*.md", "docs/*.md", "parsers/*/README.md", "bench/*.md")
    for path in sorted(ROOT.glob(place))
}
"""Every page, by its path in the repository."""

_HEADING: Final = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
_ANCHOR: Final = re.compile(r'<a id="([^"]*)"></a>')
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"`([^`]+)`")
_FENCE: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """A fenced block."""

    language: str
    text: str


def blocks(document: str, *languages: str) -> list[Block]:
    """Return the fenced blocks in these languages, or all of them, without their indentation."""
    found = [Block(block["language"], textwrap.dedent(block["text"])) for block in _FENCE.finditer(document)]
    return [block for block in found if not languages or block.language in languages]


def prose(document: str) -> str:
    """Return the text without fenced blocks."""
    return _FENCE.sub("", document)


def part(document: str, anchor: str) -> str:
    """Return what stands under the heading with an anchor, up to the next heading of its level or above."""
    headings = list(_HEADING.finditer(document))
    begin = next(heading for heading in headings if anchor in {*_ANCHOR.findall(heading[2]), slug(heading[2])})
    ends = [h.start() for h in headings if h.start() > begin.start() and len(h[1]) <= len(begin[1])]
    return document[begin.end() : min(ends, default=len(document))]


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    plain = re.sub(r"<[^>]*>|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def headings(document: str) -> list[str]:
    """Return the headings, without their marks."""
    return [heading for _, heading in _HEADING.findall(prose(document))]


def anchors(document: str) -> list[str]:
    """Return what a link may lead to: the anchors that are written, and those of headings."""
    return [*_ANCHOR.findall(document), *(slug(heading) for heading in headings(document))]


def links(document: str) -> list[str]:
    """Return where the links lead."""
    return _LINK.findall(prose(document))


def tables(document: str) -> Iterator[list[list[str]]]:
    """Yield each table as rows of cells; the second row is the ruler."""
    for table in re.findall(r"(?:^\|.*\n)+", prose(document), re.MULTILINE):
        yield [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip()[1:-1])] for row in table.splitlines()]


def rows(document: str) -> Iterator[list[str]]:
    """Yield the cells of the rows of all tables, headings and rulers left out."""
    for table in tables(document):
        yield from table[2:]


def names(text: str) -> list[str]:
    """Return what stands in backticks."""
    return _CODE.findall(text)


def flat(document: str) -> str:
    """Return the text without the ends of its lines."""
    return " ".join(document.split())
