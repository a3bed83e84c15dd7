"""Events: what has happened, written in the transaction in which it did, and told afterwards.

- `domain`  what an event is, and when telling it is tried again (pure)
- `mails`   what customers are told of it (pure)
- `flow`    telling: take an event, send its mail, write that it was told
"""
