"""Work that takes long, in a process beside the one whose event loop must go on.

Comparing two pages of 8 MB takes seconds, in which a loop would answer nothing and ask nobody. A
thread would not do: the collector alone stops all threads for longer than a heartbeat.
"""
