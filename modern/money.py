"""Money as integer minor units with its currency."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in hundredths of its currency, which is what DECIMAL(10,2) has always held here."""

    minor: int
    currency: str

    def as_number(self) -> float:
        """Return the amount in whole units for JSON; exact to the cent below 10^15 hundredths.

        The division is correctly rounded, and a double tells decimals of 15 digits apart (IEEE
        754, DBL_DIG): the shortest one that reads back as this float is the amount itself.
        """
        return self.minor / 100
