"""Which state writes a source's events to InfluxDB, and under which names they were sent before."""
