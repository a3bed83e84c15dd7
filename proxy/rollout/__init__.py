"""How a route moves and when it must go back: pure values, no clock, no I/O."""
