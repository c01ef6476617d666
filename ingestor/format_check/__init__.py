"""Judges whether a log is understood, and why it is not."""
