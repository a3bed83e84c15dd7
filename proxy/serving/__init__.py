"""The data plane: one process per core that parses, decides, forwards and records.

`exchange` is the life of one request and the place to begin; `downstream` is the client's
connection, `plane` what exchanges share, `mirror` the way of captures, `worker` the process,
`supervisor` the processes.
"""
