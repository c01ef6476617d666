"""Secrets never leave the parser: what they look like, and what takes their place."""
