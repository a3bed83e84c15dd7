"""The composition root: settings in, running processes out. The only place that knows all parts.

    serve           the supervisor: what is refused at a start, and who keeps whom alive
    children        which processes a role has, each with what it gets from the supervisor
    paths           where everything lives below the state directory
    keys            what the processes of one installation know, and nobody else
    sockets         what is listened on, opened before the first fork or taken over
    controller      the controller's process, with the console and the API
    data_plane      a data plane worker's process
    shadow          a shadow worker's process
    shadow_rules    what a snapshot means to a shadow worker
    forwarder       the process that puts captures on the Redis stream
    process         the life that all children have in common
    logs            what the product says of itself

Whatever it imports, it imports in the supervisor, before the first fork: children share the memory.
"""
