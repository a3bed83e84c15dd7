"""The legacy-shaped face: what the PHP application answers, answered by the modern core.

The contract is docs/billing-face.md. This face has no login and checks nobody's ownership, because
neither does the legacy one; what it writes is therefore open to whoever reaches it, as there. The
clean API under /v1 does not write before it can tell who asks.

- `php`         (pure) how PHP reads queries, forms and JSON bodies
- `fields`      (pure) what a field may hold, and the word for what is wrong with it
- `spelling`    (pure) domain values as this face spells them
- `envelope`    answers: data, pages, errors
- `endpoints`   the requests
"""
