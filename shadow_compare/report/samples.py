"""One stored exchange that differed, arranged for the page: legacy left, modern right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shadow_compare.report.sidebyside import SideBySide, side_by_side

Plain = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing both answers have beside the body: the status, or a header field."""

    name: str
    legacy: str
    modern: str
    differs: bool

    @property
    def alike(self) -> bool:
        """Whether both sides say the same."""
        return self.legacy == self.modern


@dataclass(frozen=True, slots=True)
class SampleView:
    """A sample with its answers by side, whichever of them the client got."""

    sample: Plain
    legacy: Plain
    modern: Plain
    facets: tuple[Facet, ...]
    body: SideBySide


def arrange(sample: Plain, *, whole: bool) -> SampleView:
    """Arrange a sample; `whole` keeps equal lines of the bodies instead of folding them."""
    answers = sample["primary"], sample["candidate"]
    legacy, modern = answers if sample["primary_side"] == "legacy" else answers[::-1]
    paths = [difference["path"] for difference in sample["differences"]]
    return SampleView(
        sample,
        legacy,
        modern,
        facets=_facets(legacy, modern, frozenset(paths)),
        body=side_by_side(legacy["body"], modern["body"], paths, whole=whole),
    )


def _facets(legacy: Plain, modern: Plain, paths: frozenset[str]) -> tuple[Facet, ...]:
    """Put the status first, then every header either side sent, in the order of legacy."""
    status = Facet("status", str(legacy["status"]), str(modern["status"]), "status" in paths)
    ours, theirs = _fields(legacy), _fields(modern)
    names = dict.fromkeys((*ours, *theirs))
    return (
        status,
        *(
            Facet(name, ours.get(name, ""), theirs.get(name, ""), f"headers.{name}" in paths)
            for name in names
        ),
    )


def _fields(answer: Plain) -> dict[str, str]:
    """Header fields by lower-case name, values of the same name joined."""
    fields: dict[str, str] = {}
    for name, value in answer["headers"]:
        key = name.lower()
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    return fields
