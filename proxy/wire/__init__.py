"""HTTP/1.1 as values: strict parsing, framing, and writing afresh. Nothing here does I/O.

A proxy that forwards what it did not understand is a smuggling tool. So bytes are parsed by one
grammar (`grammar`), understood (`framing`, `target`), and what goes out is written anew
(`forwarding`): own framing, one Host, a list of fields that was decided on.

Reading order: grammar, errors, fields, target, framing, chunked, trailers, message, head, parser,
forwarding; and, for what comes before HTTP on some listeners, proxy_protocol.
"""
