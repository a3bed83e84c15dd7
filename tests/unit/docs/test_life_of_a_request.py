from __future__ import annotations

import pkgutil
import re
from importlib import import_module

from proxy import wire
from proxy.outcome import OutcomeKind
from proxy.routing import limits
from proxy.routing.decision import Reason
from proxy.routing.upstream_rules import QUEUE_FACTOR
from proxy.serving import choosing, copying, downstream, tunnel, worker
from proxy.serving.exchange import _FAILURE_STATUS, HELD_MAX, Exchange
from proxy.serving.stage import Stage
from proxy.upstream.retry import FALLBACK_STATUSES, REPLAY_MAX
from proxy.wire import forwarding
from tests.support_docs import code, codes, read, rows

TEXT = read("life-of-a-request.md")
TUNNEL = "how it ends (`tunnel` in the access log)"
FLAT = " ".join(TEXT.split())


def _of_wire(name: str) -> int:
    """Give a limit of the parser, in whichever of its modules it stands."""
    modules = (
        import_module(f"{wire.__name__}.{m.name}") for m in pkgutil.iter_modules(wire.__path__)
    )
    return int(next(getattr(module, name) for module in modules if hasattr(module, name)))


def test_the_stages_are_those_of_the_exchange() -> None:
    """The table of stages has every member of Stage, in order."""
    named = [code(row["stage"]) for row in rows(TEXT) if "stage" in row]
    assert named == [stage.name for stage in Stage]


def test_the_headings_follow_the_table_of_contents() -> None:
    """The sections stand in the order in which the exchange goes through them."""
    headings = [
        heading.split()[0].lower().rstrip(":,")
        for heading in re.findall(r"^### (.+)$", TEXT, re.MULTILINE)
    ]
    assert headings == [
        "admit", "match", "identify", "decide", "limit", "lease", "send", "relay", "mirror",
        "record",
    ]  # fmt: skip
    for name in ("admit", "limit", "lease", "mirror", "record"):
        assert hasattr(Exchange, f"_{name}")
    for name in ("match", "identify", "decide"):
        assert hasattr(choosing, f"_{name}")


def test_the_outcomes_are_those_that_are_counted() -> None:
    """The table of outcomes has every kind, in order, and says rightly which are bad."""
    table = [row for row in rows(TEXT) if "outcome" in row]
    assert [code(row["outcome"]) for row in table] == [kind.value for kind in OutcomeKind]
    for row, kind in zip(table, OutcomeKind, strict=True):
        assert row["bad for the upstream"] == ("yes" if kind.is_bad else "no")


def test_what_counts_as_what_names_real_outcomes() -> None:
    """Every outcome that a stage's table names exists."""
    named = {one for row in rows(TEXT) for one in codes(row.get("counts as", ""))}
    assert named <= {kind.value for kind in OutcomeKind}


def test_the_reasons_are_those_of_the_decision() -> None:
    """The table of reasons has every member of Reason, in the order in which they are asked."""
    named = [code(row["reason"]) for row in rows(TEXT) if "reason" in row]
    assert named == [reason.value for reason in Reason]


def test_the_statuses_are_those_that_the_proxy_can_answer() -> None:
    """Every status that the proxy writes by itself is explained, and no other is."""
    named = {int(row["status"]) for row in rows(TEXT) if "status" in row}
    own = set(forwarding._REASONS)
    assert named <= own
    for status in own:
        assert re.search(rf"\b{status}\b", TEXT), status
    for status, _ in _FAILURE_STATUS.values():
        assert f"Otherwise {status}" in FLAT


def test_the_limits_are_the_real_ones() -> None:
    """The numbers in the text are those of the code."""
    statuses = sorted(FALLBACK_STATUSES)
    for said in (
        f"larger than {limits.BODY_MAX // 2**20} MiB",
        f"{limits.EXCHANGES_MAX:,} exchanges",
        f"not complete after {downstream.HEAD_DEADLINE:.0f} s",
        f"longer than {_of_wire('TARGET_MAX'):,} bytes",
        f"more than {_of_wire('FIELDS_MAX')} fields",
        f"more than {_of_wire('HEAD_MAX') // 1024} KiB",
        f"first {REPLAY_MAX // 1024} KiB",
        f"longer than {REPLAY_MAX // 1024} KiB",
        f"up to {copying.BODY_MAX // 1024} KiB of body",
        f"up to {HELD_MAX // 1024} KiB long",
        f"every {worker.FLUSH * 1000:.0f} ms",
        f"within {worker.FLUSH_BAD * 1000:.0f} ms",
        f"modern answers {', '.join(map(str, statuses[:-1]))} or {statuses[-1]}",
    ):
        assert said in FLAT, said
    assert QUEUE_FACTOR == 4
    assert "four times as many" in FLAT


def test_the_ends_of_a_tunnel_are_those_that_are_recorded() -> None:
    """The table of tunnels has every way in which one can end."""
    named = {one for row in rows(TEXT) for one in codes(row.get(TUNNEL, ""))}
    assert named == {tunnel.CLOSED, tunnel.IDLED, tunnel.CUT, "client", "upstream"}
