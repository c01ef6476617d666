"""The pure core: takes bytes, values and clock readings, returns values. No files, sockets, clocks or logging."""
