"""The products under measurement: each module says how one is configured and started.

`configure(site)` is pure: it gives the texts of its files and the command. All products forward
everything to the same origin over kept connections, tell it where the request came from
(X-Forwarded-For, -Proto, -Host) and give it an X-Request-Id: what a front proxy does at the least.
"""
