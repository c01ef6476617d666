"""From blocks of lines to batches of points: parse, give identity, admit tags, keep account."""
