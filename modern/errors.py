"""Why the billing core refuses: whose fault it is, and nothing about how that is answered.

`infra.problem` answers these under /v1, `compat.envelope` on the legacy-shaped face. Whatever is
not a Refusal is a failure of ours.
"""


class Refusal(Exception):  # noqa: N818 # not an error of ours: it says no
    """The request cannot be granted, and asking again will not change that."""


class NotFound(Refusal):
    """There is no such thing; `what` is its name, capitalised, such as "Plan"."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found")


class Invalid(Refusal):
    """The input is wrong; `errors` maps each field to what is wrong with it."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("Validation failed")
        self.errors = errors


class Conflict(Refusal):
    """The input is right, but the state that it meets forbids it; the text says which state."""
