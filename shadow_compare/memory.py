"""What a worker has learnt of the routes it examines, and for how long that holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from shadow_compare.correspondence import Correspondence
from shadow_compare.corresponding import Known, scope_of
from shadow_compare.evidence import Evidence
from shadow_compare.noise import RouteNoise
from shadow_compare.rules import CompareRules


class Memory:
    """Knowledge by route; of a route whose rules have changed it starts anew."""

    def __init__(self) -> None:
        self.evidence = Evidence()
        self.pairs = Correspondence()
        self._noise: dict[str, tuple[str, RouteNoise]] = {}

    def noise(self, route: str, rules: CompareRules) -> RouteNoise:
        """Give what is known of a route's noise under these rules."""
        known = self._noise.get(route)
        if known is None or known[0] != rules.fingerprint:
            known = self._noise[route] = (rules.fingerprint, RouteNoise())
        return known[1]

    def known(self, route: str, rules: CompareRules) -> Known | None:
        """Give what is known of the names in a route's answers, where its rules declare such."""
        return Known(route, rules, self.pairs) if rules.correspond else None

    def __iter__(self) -> Iterator[tuple[str, str, RouteNoise]]:
        for route, (fingerprint, noise) in self._noise.items():
            yield route, fingerprint, noise

    def keep(self, routes: Mapping[str, CompareRules], but: Iterable[str] = ()) -> None:
        """Forget all routes but these, and of these the ones that are answered otherwise now.

        Names that no place is declared for any longer are forgotten, too.
        """
        kept = routes.keys() - set(but)
        self.evidence.keep(routes)
        self._noise = {route: known for route, known in self._noise.items() if route in kept}
        self.pairs.keep(
            scope_of(r, each) for r, rules in routes.items() for each in rules.correspond
        )
