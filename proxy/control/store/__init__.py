"""What the controller remembers: the interface in `base`, one module per way of keeping it."""
