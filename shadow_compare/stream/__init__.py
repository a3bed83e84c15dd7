"""Captures over a Redis stream, so that many proxy hosts share one pool of shadow workers.

`place` names the stream and what is asked of Redis, `forwarder` fills it on each proxy host, and
`reader` empties it in each shadow worker. One consumer group; an entry is in the stream until its
capture has been dealt with, so the length is what waits and what is under way:

    waiting --XREADGROUP--> pending --concluded--> XACK, XDEL
                               |
                               +-- its worker died --XAUTOCLAIM--> pending of another

A read may be examined twice that way, when a worker dies between asking and saying so. A write is
acknowledged before it is asked: it is mirrored once or not at all.
"""
