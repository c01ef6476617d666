"""The state: one SQLite database that holds the positions, the counters and what is known of every generation."""
