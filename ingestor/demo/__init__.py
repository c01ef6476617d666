"""``tokentail demo``: a simulated token endpoint, the real daemon, a live view and figures that add up."""
