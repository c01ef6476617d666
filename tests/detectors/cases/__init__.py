"""Events for the conformance suite of detectors: a module for each, with its name."""
