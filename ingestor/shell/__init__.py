"""The imperative shell: files, clock, signals, the state database. Decisions are made in ``ingestor.core``."""
