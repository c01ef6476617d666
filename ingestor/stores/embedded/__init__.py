"""The embedded store: events in the SQLite file of the state."""
