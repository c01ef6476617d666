"""The process that runs for ever: its loop, its signals, and what it says to systemd and Prometheus."""
