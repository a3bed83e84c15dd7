"""Monitoring: is the application well, and what has it done."""
