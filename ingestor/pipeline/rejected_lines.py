"""The lines of a block that are no events, as entries of the rejected file.

A record that was split over several lines is one entry, from its first byte to its last, with the ordinal of its last line.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from ingestor.model.log_file import shown
from ingestor.pipeline.points import BlockResult
from ingestor.sources.block import Block
from ingestor.state.rejected_file import RejectedLine, rejected_line
from parsers.contract import Parser, Reason, Rejection
from parsers.envelopes.records import of_several_lines


def rejected_lines(block: Block, placed: BlockResult, parser: Parser) -> list[RejectedLine]:
    """Return an entry for each rejected line of a block."""
    generation = block.generation
    lines = [block.data] if block.too_long else block.data.split(b"\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    records = of_several_lines(lines) if placed.rejections and not block.too_long else {}
    entries = []
    for index, rejection in placed.rejections:
        first = records[index].first if index in records else index
        record = b"\n".join(lines[first : index + 1])
        entry = rejected_line(
            record,
            reason=rejection.reason,
            detail=rejection.detail,
            file=shown(generation.path),
            offset=block.offset + starts[first],
            ordinal=block.ordinal + index,
            source=generation.source,
            host=generation.host,
            generation=generation.number,
            text=parser.redact(record),
        )
        if block.too_long:
            entry = entry._replace(length=block.too_long.length, sha256=block.too_long.sha256)
        entries.append(entry)
    return entries


def refused_line(
    block: Block, lines: Sequence[int], parser_of: Callable[[str], Parser], number: int, reason: str
) -> RejectedLine:
    """Return the entry of an event of a block that the store refuses.

    ``lines``: the index of the line of each event; ``number``: which of the events it is. ``parser_of`` returns a source's
    parser: which one that is may have changed since the block was parsed.
    """
    placed = BlockResult(rejections=[(lines[number], Rejection(Reason.STORE_REFUSED, reason))])
    (entry,) = rejected_lines(block, placed, parser_of(block.generation.source))
    first, behind = bisect_left(lines, lines[number]), bisect_right(lines, lines[number])
    return entry if behind - first == 1 else entry._replace(event=number - first)
