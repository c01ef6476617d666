"""The tables of what InfluxDB has acknowledged, and of what was found of it."""
