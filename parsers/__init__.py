"""Turn lines of identity providers' audit logs into token events. Imports nothing from ``ingestor``."""
