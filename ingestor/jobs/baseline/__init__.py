"""``tokentail baseline``: what the detectors make of stored events, how far these are from the thresholds, and which would fit."""
