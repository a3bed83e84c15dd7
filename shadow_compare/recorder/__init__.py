"""Recording requests for a later replay, redacted, in files as GoReplay writes them.

`payload` is one request as it is written, `files` where it goes, `recorder` both together.
"""
