"""The tokentail daemon: follows audit logs, stores their events, answers questions about them."""

__version__ = "0.1.0"
