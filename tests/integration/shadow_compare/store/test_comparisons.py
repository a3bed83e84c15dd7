from __future__ import annotations

import random
from pathlib import Path

import pytest

from shadow_compare.report import Cursor, Filters, Occurrences, Report, State
from shadow_compare.rules import CompareRules
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.database import Database
from shadow_compare.store.pruning import Retention
from shadow_compare.store.record import Record
from shadow_compare.store.signatures import SAMPLES_MAX
from shadow_compare.store.tables import signatures
from tests.support_shadow import a_mismatch

HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def store(database: Database) -> ComparisonStore:
    """Give a store with seeded chance."""
    return ComparisonStore(database, random.Random(7).random)


@pytest.fixture
def report(database: Database) -> Report:
    """Give the reading side of the same database."""
    return Report(database)


async def test_coverage_adds_up_by_verdict_and_reason(
    store: ComparisonStore, report: Report
) -> None:
    """Batches add up; what was not compared is told by reason and lowers nothing silently."""
    for _ in range(2):
        await store.record(
            [
                Record("plans", HOUR, 1, "match", fired=(("int_bool", 3),)),
                Record("plans", HOUR, 1, "match"),
                Record("plans", HOUR + 60, 1, "ignored", "race"),
                Record("plans", HOUR, 1, "not_compared", "timeout"),
                Record("users", HOUR, 1, "not_compared", "dropped", count=3),
                a_mismatch(),
            ]
        )
    plans, users = await report.coverage()
    plain = plans.to_plain()
    del plain["cells"]
    assert plain == {
        "route": "plans", "match": 4, "ignored": 2, "mismatch": 2,
        "not_compared": {"timeout": 2}, "ignored_by_reason": {"race": 2},
        "fired": {"int_bool": 6}, "compared": 8, "eligible": 10, "match_rate": 0.75,
        "mismatch_rate": 0.25, "mismatch_rate_low": pytest.approx(0.071, abs=0.001),
        "mismatch_rate_high": pytest.approx(0.591, abs=0.001),
    }  # fmt: skip
    assert (users.compared, users.match_rate, users.eligible) == (0, None, 6)
    assert await report.coverage(route="users") == [users]


async def test_coverage_is_told_by_method_and_status(
    store: ComparisonStore, report: Report
) -> None:
    """Errors that nobody compared do not hide behind the many answers that were."""
    await store.record(
        [
            Record("plans", HOUR, 1, "match", method="GET", status=200),
            Record("plans", HOUR, 1, "not_compared", "timeout", method="GET", status=503),
            Record("plans", HOUR, 1, "mismatch", method="HEAD", status=204),
        ]
    )
    (coverage,) = await report.coverage()
    cells = {key: (cell.compared, cell.eligible) for key, cell in coverage.cells.items()}
    assert cells == {("GET", "2xx"): (1, 1), ("GET", "5xx"): (0, 1), ("HEAD", "2xx"): (1, 1)}


async def test_coverage_can_be_asked_from_a_time_on(store: ComparisonStore, report: Report) -> None:
    """To the minute, across hours and days."""
    times = (0.0, 59.0, 60.0, 200.0, HOUR, 3 * DAY)
    await store.record([Record("plans", at, 1, "match") for at in times])
    for since, expected in ((60.0, 4), (61.0, 4), (120.0, 3), (HOUR + 60.0, 1), (0.0, 6)):
        (coverage,) = await report.coverage(since=since)
        assert coverage.match == expected
    assert await report.coverage(since=4 * DAY) == []


async def test_signature_is_kept_once_and_counted(store: ComparisonStore, report: Report) -> None:
    """Repeated mismatches of one kind are one signature with first and last time and version."""
    await store.record(
        [a_mismatch(at=100.0, version=3), a_mismatch(b'{"a":5}', at=50.0, version=2)]
    )
    await store.record([a_mismatch(at=900.0, version=9), Record("plans", 900.0, 9, "match")])
    (summary,) = await report.signatures()
    plain = summary.to_plain()
    del plain["id"]
    assert plain == {
        "route": "plans", "kinds": ("value_changed",), "paths": ("$.a",), "example_path": "$.a",
        "example_old": "1", "example_new": "2", "critical": False, "count": 3, "compared": 4,
        "first_seen": 50.0, "last_seen": 900.0, "first_version": 2, "last_version": 9,
        "rate": 0.75, "rate_low": pytest.approx(0.301, abs=0.001),
        "rate_high": pytest.approx(0.954, abs=0.001), "state": "open", "state_author": None,
        "state_reason": None, "state_at": None, "state_version": None, "reopened": 0,
    }  # fmt: skip


async def test_samples_are_a_uniform_choice_of_all(store: ComparisonStore, report: Report) -> None:
    """Each signature keeps at most ten samples, and late ones have the chance of early ones."""
    for batch in range(50):
        await store.record([a_mismatch(request_id=f"{batch * 10 + i}") for i in range(10)])
    (summary,) = await report.signatures()
    detail = await report.signature(summary.id)
    assert detail is not None
    assert detail.summary.count == 500
    kept = sorted(int(sample.request_id) for sample in detail.samples)
    assert len(kept) == len(set(kept)) == SAMPLES_MAX
    assert kept[-1] > 250
    assert kept[5] > 50


async def test_detail_reads_back_what_was_taken(store: ComparisonStore, report: Report) -> None:
    """A sample comes out of the store as it went in."""
    record = a_mismatch(b'{"a":"9.90"}', b'{"a":9.90,"b":null}')
    assert record.finding is not None
    await store.record([record])
    detail = await report.signature(record.finding.signature.id)
    assert detail is not None
    assert detail.samples == (record.finding.take(),)
    assert detail.to_plain()["samples"][0]["differences"][0] == {
        "path": "$.a", "kind": "type_changed", "legacy": '"9.90"', "modern": "9.90",
    }  # fmt: skip


async def test_unknown_signature_is_none(report: Report) -> None:
    """An id that was pruned or never was gives None."""
    assert await report.signature("0" * 16) is None


async def test_signatures_are_filtered_ordered_and_paged(
    store: ComparisonStore, report: Report
) -> None:
    """Critical ones come first, then the frequent; route, criticality and page narrow the list."""
    critical = CompareRules.build(critical=["$.p"])
    await store.record(
        [
            a_mismatch(b'{"x":1}', b'{"x":2}'),
            *[a_mismatch(b'{"y":1}', b'{"y":2}') for _ in range(3)],
            a_mismatch(b'{"p":1}', b'{"p":2}', rules=critical),
            a_mismatch(b'{"x":1}', b'{"x":2}', route="users"),
        ]
    )
    assert [each.paths for each in await report.signatures(Filters(route="plans"))] == [
        ("$.p",), ("$.y",), ("$.x",),
    ]  # fmt: skip
    assert [each.paths for each in await report.signatures(Filters(critical=True))] == [("$.p",)]
    assert len(await report.signatures(Filters(critical=False))) == 3
    assert [each.paths for each in await report.signatures(limit=1, offset=1)] == [("$.y",)]


async def test_pages_go_on_after_a_group_whatever_comes_up_before_it(
    store: ComparisonStore, report: Report
) -> None:
    """Page by page gives every group once, also when the list grows at its head meanwhile."""
    critical = CompareRules.build(critical=["$.p", "$.q"])
    for name in "pq":
        await store.record([a_mismatch(f'{{"{name}":1}}'.encode(), b"{}", rules=critical)])
    for name in "abc":
        await store.record([a_mismatch(f'{{"{name}":1}}'.encode(), b"{}")])
    everything = [each.id for each in await report.signatures()]
    seen: list[str] = []
    after = None
    while page := await report.signatures(limit=2, after=after):
        seen += [each.id for each in page]
        last = page[-1]
        after = Cursor(last.critical, last.count, last.id)
        fresh = f'{{"new{len(seen)}":1}}'.encode()
        await store.record([a_mismatch(fresh, b"{}") for _ in range(9)])  # above all but critical
    assert [name for name in seen if name in everything] == everything
    assert len(seen) == len(set(seen))


async def test_the_hours_of_a_group_are_counted_and_go_with_time(
    store: ComparisonStore, report: Report
) -> None:
    """Each hour it was seen in, over batches; for two weeks, and never longer than the group."""
    hours = (HOUR, HOUR + 60, 3 * HOUR)
    await store.record([a_mismatch(at=at) for at in hours])
    await store.record([a_mismatch(at=15 * DAY)])
    finding = a_mismatch().finding
    assert finding is not None
    detail = await report.signature(finding.signature.id)
    assert detail is not None
    assert detail.occurrences == (
        Occurrences(HOUR, 2), Occurrences(3 * HOUR, 1), Occurrences(15 * DAY, 1),
    )  # fmt: skip
    name = finding.signature.id
    assert await report.occurrences([name, "none"], since=2 * HOUR) == {
        name: detail.occurrences[1:]
    }
    await store.prune(15 * DAY, Retention(age=20 * DAY))
    kept = await report.signature(finding.signature.id)
    assert kept is not None
    assert kept.occurrences == (Occurrences(15 * DAY, 1),)
    await store.prune(40 * DAY, Retention(age=2 * DAY))
    assert await report.signature(finding.signature.id) is None


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", 3),
        ("$.Price", 1),
        ("type changed", 1),
        ("value_changed plans", 2),
        ("19.99", 1),
        ('"Größe_%"', 1),
        ("users", 0),
        ("price groesse", 0),
        ("100%", 0),
        ("pri_e", 0),
        ("\\", 0),
    ],
)
async def test_groups_are_searched_by_words(
    store: ComparisonStore, report: Report, search: str, found: int
) -> None:
    """All of them in route, kinds, places or values; what a database calls a pattern is text."""
    await store.record(
        [
            a_mismatch(b'{"price":19.99}', b'{"price":20}'),
            a_mismatch(b'{"a":"1"}', b'{"a":1}'),
            a_mismatch(b'{"n":"x"}', '{"n":"GRÖSSE_%"}'.encode()),
        ]
    )
    assert len(await report.signatures(Filters(search=search))) == found


async def test_values_of_later_samples_are_searched(store: ComparisonStore, report: Report) -> None:
    """Not only those of the example."""
    await store.record([a_mismatch(b'{"a":1}', b'{"a":2}')])
    await store.record([a_mismatch(b'{"a":1}', b'{"a":777}')])
    (found,) = await report.signatures(Filters(search="777"))
    assert found.count == 2
    assert found.example_new == "2"


async def test_groups_are_listed_by_kind_and_by_what_is_new(
    store: ComparisonStore, report: Report
) -> None:
    """Any of its kinds will do; new is what was first seen under a version or a later one."""
    await store.record(
        [
            a_mismatch(b'{"a":1,"b":1}', b'{"a":"1"}', version=3),
            a_mismatch(b'{"c":1}', b'{"c":2}', version=8),
        ]
    )
    await store.record([a_mismatch(b'{"a":1,"b":1}', b'{"a":"1"}', version=9)])

    async def listed(filters: Filters) -> list[tuple[str, ...]]:
        return [each.paths for each in await report.signatures(filters)]

    assert await listed(Filters(kind="missing")) == [("$.b", "$.a")]
    assert await listed(Filters(kind="value_changed")) == [("$.c",)]
    assert await listed(Filters(kind="extra")) == []
    assert await listed(Filters(since_version=4)) == [("$.c",)]
    assert await listed(Filters(since_version=9)) == []


async def test_groups_of_an_earlier_version_are_found_after_pruning(
    store: ComparisonStore, report: Report, database: Database
) -> None:
    """It wrote nothing to search; and one that is seen again is found at once."""
    await store.record([a_mismatch(), a_mismatch(route="users")])
    async with database.begin() as connection:
        await connection.execute(signatures.update().values(searched=""))
    assert await report.signatures(Filters(search="$.a")) == []
    await store.record([a_mismatch(route="users")])
    assert [each.route for each in await report.signatures(Filters(search="$.a"))] == ["users"]
    await store.prune(3600.0, Retention())
    assert len(await report.signatures(Filters(search="$.a"))) == 2


async def test_rules_that_changed_change_the_criticality(
    store: ComparisonStore, report: Report
) -> None:
    """A path that is critical from now on makes its signature critical when it is seen again."""
    await store.record([a_mismatch()])
    await store.record([a_mismatch(rules=CompareRules.build(critical=["$.a"]))])
    (summary,) = await report.signatures()
    assert summary.critical


async def test_old_things_are_pruned(store: ComparisonStore, report: Report) -> None:
    """What was not seen for longer than is kept goes away, with its samples."""
    await store.record([a_mismatch(at=DAY), a_mismatch(b'{"b":1}', b'{"b":2}', at=5 * DAY)])
    gone = a_mismatch(at=DAY).finding
    assert gone is not None
    await store.prune(5 * DAY, Retention(age=2 * DAY))
    assert [each.paths for each in await report.signatures()] == [("$.b",)]
    assert await report.signature(gone.signature.id) is None
    (coverage,) = await report.coverage()
    assert coverage.mismatch == 1


async def test_rate_is_of_what_was_compared_since_it_was_first_seen(
    store: ComparisonStore, report: Report
) -> None:
    """A fault of today does not vanish among the answers of the weeks before it."""
    await store.record([Record("plans", 1.0, 1, "match") for _ in range(500)])
    await store.record([a_mismatch(), *(Record("plans", HOUR, 1, "match") for _ in range(3))])
    (found,) = await report.signatures()
    assert (found.count, found.compared, found.rate) == (1, 4, 0.25)


async def test_fixed_opens_again_when_a_later_answer_differs(
    store: ComparisonStore, report: Report
) -> None:
    """What was captured before the fix, and compared after it, says nothing."""
    record = a_mismatch(at=100.0)
    await store.record([record])
    assert record.finding is not None
    name = record.finding.signature.id
    marked = await report.mark(
        name, State.FIXED, author="ada", reason="release 2.4", at=200.0, version=4
    )
    assert marked is not None
    assert (marked.state, marked.state_author, marked.state_at) == ("fixed", "ada", 200.0)
    await store.record([a_mismatch(at=199.0)])
    assert [each.state for each in await report.signatures()] == ["fixed"]
    assert await report.signatures(Filters(state="open")) == []
    await store.record([a_mismatch(at=201.0)])
    (found,) = await report.signatures(Filters(state="open"))
    assert (found.state, found.reopened, found.count) == ("open", 1, 3)
    assert found.state_reason == "release 2.4"
    await store.record([a_mismatch(at=202.0)])
    assert [each.reopened for each in await report.signatures()] == [1]


async def test_expected_opens_again_when_its_rule_does_not_help(
    store: ComparisonStore, report: Report
) -> None:
    """Seen by the rules that were to rule it out: expired, or not meant for this place."""
    record = a_mismatch(version=3)
    await store.record([record])
    assert record.finding is not None
    name = record.finding.signature.id
    await report.mark(name, State.EXPECTED, author="ada", reason="clock", at=9e9, version=4)
    await store.record([a_mismatch(version=3, at=9.1e9)])
    assert [each.state for each in await report.signatures()] == ["expected"]
    await store.record([a_mismatch(version=4)])
    assert [(each.state, each.reopened) for each in await report.signatures()] == [("open", 1)]


async def test_mark_of_an_unknown_signature_is_none(report: Report) -> None:
    """It may have been pruned meanwhile."""
    found = await report.mark("0" * 16, State.FIXED, author="a", reason="b", at=1.0, version=1)
    assert found is None


async def test_bytes_are_bounded_and_the_file_is_too(
    store: ComparisonStore, report: Report, database: Database, tmp_path: Path
) -> None:
    """The oldest samples go first, and their space is given back to the disk."""
    for batch in range(8):
        names = range(batch * 5, batch * 5 + 5)
        old = [b'{"m%d":"%s"}' % (i, b"x" * 15_000) for i in names]
        await store.record([a_mismatch(text, b"{}", at=float(batch)) for text in old])
    await store.prune(20.0, Retention(bytes=200_000))
    if database.url.get_backend_name() == "sqlite":
        assert (tmp_path / "cutover.db").stat().st_size < 600_000
    found = await report.signatures(limit=500)
    details = [await report.signature(each.id) for each in found]
    kept = sorted(sample.at for detail in details if detail for sample in detail.samples)
    assert len(found) == 40
    assert 5 <= len(kept) < 14
    assert kept[0] >= 5.0
    await store.prune(20.0, Retention(bytes=10_000))
    assert len(await report.signatures(limit=500)) < 40


async def test_too_many_signatures_are_pruned_oldest_first(
    store: ComparisonStore, report: Report
) -> None:
    """A side that differs in ever new ways does not fill the disk."""
    await store.record(
        [a_mismatch(b'{"m%d":1}' % i, b'{"m%d":2}' % i, at=float(i)) for i in range(10)]
    )
    await store.prune(10.0, Retention(signatures=3))
    found = {each.paths[0] for each in await report.signatures()}
    assert found == {"$.m7", "$.m8", "$.m9"}


async def test_hostile_text_is_stored_as_text(store: ComparisonStore, report: Report) -> None:
    """Quotes, NUL, surrogates and the like come back harmlessly."""
    record = a_mismatch(b'{"a":"x\\u0000\'; DROP TABLE\\ud800"}', b'{"a":"<script>"}')
    await store.record([record])
    (summary,) = await report.signatures()
    assert "DROP TABLE" in (summary.example_old or "")
    assert summary.example_new == '"<script>"'
