"""Install, remove and inspect the systemd service."""
