"""What must be on an InfluxDB server, how it is made, and whether it is there."""
