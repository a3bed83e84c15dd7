from shadow_compare.report.samples import Facet, arrange
from shadow_compare.sample import KeptAnswer, KeptDifference
from tests.support_console import sample


def test_legacy_is_left_whoever_served() -> None:
    """The sides keep their places when the client's answer came from modern."""
    by_legacy = arrange(sample().to_plain(), whole=False)
    by_modern = arrange(sample(primary_side="modern").to_plain(), whole=False)
    assert by_legacy.legacy["latency"] == by_modern.modern["latency"]


def test_a_differing_status_and_header_are_marked() -> None:
    """Status and headers are faced with each other; only real differences are marked."""
    differences = (
        KeptDifference("status", "value_changed", "200", "500"),
        KeptDifference("headers.location", "missing", '"/a"', None),
    )
    taken = sample(
        primary=KeptAnswer(200, (("Location", "/a"), ("Server", "x")), "", False, 0.1),
        candidate=KeptAnswer(500, (("Server", "y"), ("Via", "1"), ("Via", "2")), "", False, 0.1),
        differences=differences,
    )
    assert arrange(taken.to_plain(), whole=False).facets == (
        Facet("status", "200", "500", True),
        Facet("location", "/a", "", True),
        Facet("server", "x", "y", False),
        Facet("via", "", "1, 2", False),
    )
