"""Cutover: a strangler-fig reverse proxy that compares what it moves and takes it back by itself.

The nouns, in reading order:

    routing   who serves this request: rules, table, identity, bucket, decision
    wire      HTTP/1.1 as values: strict parsing, framing, forwarding
    upstream  reaching an application: pool, connection
    serving   the data plane: listener, downstream, exchange (the life of a request), worker
    rollout   how a route moves: phase, window, detectors, gate
    control   the control plane: loader, controller (its tick), publisher, bus, store; many hosts
    observe   metrics and the access log
    admin     the HTTP API and the console
    bootstrap the composition root: which process is made of what
    commands  the command line

Two values cross between the planes: `snapshot` goes down, `outcome` comes up.
"""
