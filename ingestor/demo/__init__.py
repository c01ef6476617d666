"""``tokentail demo``: a simulated token endpoint, the real daemon, a live view and figures that add up."""

from ingestor.demo.run import run_demo

__all__ = ["run_demo"]
