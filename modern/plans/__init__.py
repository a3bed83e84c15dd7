"""Plans: what can be subscribed to, at which price and in which rhythm."""
