"""A card processor to bill against without money: HTTP in the shapes of Stripe, told by its tokens.

- `cards`    (pure) what each token of a card makes the processor do
- `ledger`   (pure) charges, refunds and idempotency keys; the same requests give the same answers
- `app`      the requests over HTTP, each written down before it is answered

    python -m deploy.processor --port 8084 --folder .run/processor
"""
