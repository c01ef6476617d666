"""The work of single commands: backfill, replay, verify, explain, status."""
