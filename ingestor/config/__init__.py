"""The configuration: from TOML, environment and flags to settings, and the daemon's own secrets."""
