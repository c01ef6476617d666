"""What becomes of the lines of a block."""

from ingestor.sources.block import Block
from parsers.contract import IGNORED, Outcome, Parser, Reason, Rejection


def outcomes_of(block: Block, parser: Parser, *, max_line_bytes: int, now_ms: int) -> list[Outcome]:
    """Return one outcome a line. ``max_line_bytes``: the limit that a line beyond it has broken."""
    if block.too_long:
        return [Rejection(Reason.LINE_TOO_LONG, f"{block.too_long.length} bytes, at most {max_line_bytes} are read")]
    if block.is_rest:
        return [IGNORED] * block.lines
    return parser.parse(block.data, now_ms)
