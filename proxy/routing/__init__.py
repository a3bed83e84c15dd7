"""Who serves this request. Pure: no clock, no chance, no I/O.

As written: `rules`, read by `schema`. Compiled: `table`. Decided: `identity`, `bucket`, `decision`.
"""
