"""Reverse proxies as one would write them with the usual Python libraries.

They stream both ways, drop the fields of one hop, add X-Forwarded-* and a request id, and keep
their connections to the origin. They are not crippled: uvloop, one shared client session, no limit
on connections, no access log, no decompression.
"""
