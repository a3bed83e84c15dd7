"""Money as integer minor units with its currency."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in hundredths of its currency, which is what DECIMAL(10,2) has always held here."""

    minor: int
    currency: str

    def as_number(self) -> float:
        """Return the amount in whole units for JSON; exact to the cent below 2^53 hundredths.

        Division of two exactly held integers is correctly rounded, so the shortest decimal that
        reads back as this float is the amount with at most two decimals.
        """
        return self.minor / 100
