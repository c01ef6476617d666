"""What a Grafana gets from us. The pure part: the files of ``grafana/`` and the settings become what the API takes."""
