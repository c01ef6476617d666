"""Questions to InfluxDB, in InfluxQL."""
