"""What InfluxDB acknowledged and lost: found by reading it back, and sent again."""
