"""Events and counters on their way to InfluxDB."""
