"""InfluxDB 1.x and 2.x as the store (design sections 3, 4 and 6), over the HTTP interface that both have."""
