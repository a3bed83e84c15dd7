"""One measurement of one product in one round, and the series that rounds make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.proxy.products.site import Variant


@dataclass(frozen=True, slots=True)
class Sample:
    """Values by the name of their measure: `cpu_us`, `requests_per_s`, `p99_us` and so on."""

    workload: str
    product: str
    variant: Variant
    values: dict[str, float]


@dataclass(slots=True)
class Samples:
    """All measurements of a run, in order."""

    all: list[Sample] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader must know beside the figures."""
    failures: list[str] = field(default_factory=list)
    """What went wrong, a sentence each: any of them fails the bench at its end."""

    def add(self, sample: Sample) -> None:
        """Take one more."""
        self.all.append(sample)

    def fail(self, workload: str, product: str, variant: Variant, why: str) -> None:
        """Take note of a failure, and forget what the product has shown in this workload."""
        self.failures.append(f"{workload}: {why}")
        self.all = [
            sample
            for sample in self.all
            if (sample.workload, sample.product, sample.variant) != (workload, product, variant)
        ]

    def series(
        self, workload: str, product: str, measure: str, variant: Variant | None = None
    ) -> Sequence[float]:
        """One value for each round; empty when this was not measured."""
        return [
            sample.values[measure]
            for sample in self.all
            if sample.workload == workload
            and sample.product == product
            and (variant is None or sample.variant == variant)
            and measure in sample.values
        ]
