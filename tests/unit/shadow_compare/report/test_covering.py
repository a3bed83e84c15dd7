from dataclasses import replace

from shadow_compare.report import SignatureDetail, SignatureSummary
from shadow_compare.report.covering import covering
from shadow_compare.sample import KeptDifference, Sample
from tests.support_console import sample, summary


def at(*paths: str) -> Sample:
    """A stored exchange that differs at these places."""
    return sample(
        differences=tuple(KeptDifference(path, "value_changed", "1", "2") for path in paths)
    )


def group(name: str, *paths: str) -> SignatureSummary:
    """Another group that differs at these places."""
    return summary(name, paths=paths)


FOUND = SignatureDetail(
    summary(paths=("$.data[*].price", "$.meta.at", "status 200 -> 500")),
    (at("$.data[id=2].price", "$.data[7].price", "$.meta.at", "status"), at("$.data[0].price")),
)


def test_all_places_cover_all_samples() -> None:
    """Without a choice each place of the group gets a rule; elements by key and by index count."""
    found = covering(FOUND, (), ())
    assert found.paths == ("$.data[*].price", "$.meta.at", "status")
    assert [each.left for each in found.samples] == [(), ()]
    assert found.covered == 2


def test_some_places_leave_the_others() -> None:
    """What is left of a sample is told, so that nobody thinks it away."""
    found = covering(FOUND, ("$.data[*].price",), ())
    assert [each.left for each in found.samples] == [("$.meta.at", "status"), ()]
    assert found.covered == 1


def test_other_groups_are_told_as_far_as_they_are_touched() -> None:
    """A group that vanishes, one that keeps a place, one with nothing in common, and itself."""
    others = (
        group("vanishes", "$.data[*].price.net"),
        group("keeps", "$.meta.at", "$.meta.by"),
        group("other", "$.dat", "headers.etag"),
        FOUND.summary,
    )
    found = covering(FOUND, (), others)
    assert [(each.summary.id, each.left) for each in found.groups] == [
        ("vanishes", ()), ("keeps", ("$.meta.by",)),
    ]  # fmt: skip
    assert [each.summary.id for each in found.gone] == ["vanishes"]


def test_a_place_that_cannot_be_read_stays() -> None:
    """A name that was cut or hidden is covered by nothing."""
    odd = replace(FOUND, samples=(at("$.da…"), at("$.data[0].price")))
    assert [each.left for each in covering(odd, (), ()).samples] == [("$.da…",), ()]
