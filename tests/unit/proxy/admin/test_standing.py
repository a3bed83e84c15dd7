from __future__ import annotations

from datetime import date

from proxy.admin.standing import standings
from proxy.routing.schema import rules_from_plain
from shadow_compare.report import Coverage
from tests.support_routing import plain, route

TODAY = date(2026, 3, 1)
RULES = rules_from_plain(
    plain(
        route(
            "/a",
            "a",
            compare={
                "ignore": [
                    {"path": "$.ever", "reason": "r"},
                    {"path": "$.soon", "reason": "r", "until": "2026-03-15"},
                    {"path": "$.later", "reason": "r", "until": "2026-03-16"},
                    {"path": "$.over", "reason": "r", "owner": "me", "until": "2026-02-28"},
                    {"path": "$.last", "reason": "r", "until": "2026-03-01"},
                ]
            },
        ),
        route("/b", "b", compare={"ignore": [{"path": "$.over", "reason": "r"}]}),
    )
)


def test_what_has_ended_comes_first() -> None:
    """Then what ends within two weeks, then the rest; a rule holds on its last day."""
    found = [(each.standing.value, each.path) for each in standings(RULES, (), TODAY, "a")]
    assert found == [
        ("ended", "$.over"),
        ("ending", "$.soon"),
        ("ending", "$.last"),
        ("in_force", "$.ever"),
        ("in_force", "$.later"),
    ]


def test_each_rule_has_what_it_did_on_its_own_route() -> None:
    """Differences ruled out, and those that came after its end."""
    covered = Coverage(route="a", fired={"ignore:$.over": 7, "expired:$.over": 2, "int_bool": 1})
    first, *_, last = standings(RULES, [covered], TODAY)
    assert (first.route, first.hits, first.missed, first.owner) == ("a", 7, 2, "me")
    assert (last.route, last.hits, last.missed) == ("b", 0, 0)
    assert first.to_plain()["until"] == "2026-02-28"
    assert last.to_plain()["until"] is None
