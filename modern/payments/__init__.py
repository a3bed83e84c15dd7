"""Payments: charges are paid by card, and given back, through a processor.

- `domain`     the state table of a charge, what may be given back, the outcomes of asking (pure)
- `processor`  asking the processor over HTTP, in the request shapes of Stripe
- `service`    the halves of a payment and of a refund: before the processor is asked, and after
- `flow`       the whole: begin, commit, ask, settle, commit
"""
