"""Detectors: from events to findings. A module here with ``DETECTOR`` in it is one, found by its name.

docs/add-a-detector.md is the way to write one.
"""
