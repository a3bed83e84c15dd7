"""Many proxy hosts under one routing: who acts, and what the others do meanwhile.

`lease` says who acts, `tenure` until when he may believe it; `bridge` carries between the bus of a
host and that of all; `standby` answers people on a host that does not act.
"""
