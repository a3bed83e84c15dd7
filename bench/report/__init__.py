"""The pages and queries of the report over many comparisons, on SQLite and on PostgreSQL.

The store is filled as weeks of traffic would leave it: counts of every comparison in its minute,
hour and day, many signatures in all states, and samples of them. Then every query and every page
that shows them is asked for again and again, through the whole admin application but for the
socket.
"""

from __future__ import annotations

from bench.report.run import main

__all__ = ["main"]
