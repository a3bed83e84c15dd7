"""How soon modern is taken back, and how seldom without a cause; see bench/README.md."""
