"""HTTP to an InfluxDB server, and what its answers mean."""
