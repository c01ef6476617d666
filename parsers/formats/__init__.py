"""Formats that are not parsed: what a log looks like that nobody understands."""
