"""The Grafana dashboard: `python -m deploy.grafana` writes it from the table in `board`."""
