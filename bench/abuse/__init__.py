"""A labelled corpus of token abuse, and how well the detectors do on it. See README.md beside this."""
