"""Request bodies and queries: untrusted text in, frozen values or every problem out."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from proxy.admin.accounts import NAME
from proxy.admin.members import Members, Trouble, parse_weight, raise_for
from proxy.admin.principal import ROLES, Role
from proxy.admin.series import HOUR_AGO, RANGES, Range
from proxy.routing.side import Side
from proxy.settings import whole_number
from shadow_compare.report import KINDS, SEARCH_MAX, WORDS_MAX, Cursor, Filters, State

LIMIT_DEFAULT = 50
LIMIT_MAX = 500
OFFSET_MAX = 1_000_000
NUMBER_MAX = 10**15
TARGET_MAX = 8192
HEADERS_MAX = 100

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"/[\x21-\x7e]*|\*")


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes something, and why."""

    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class WeightChange:
    """A weight in hundredths of a percent, with author and reason."""

    weight: int
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """A whole rules document, with author and reason."""

    text: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resumption:
    """A resume; without a weight the route takes up the configured one."""

    weight: int | None
    force: bool
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Advancement:
    """A step by hand; with `force` whatever its gate still waits for."""

    force: bool
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pinning:
    """An identity to be held on one side, on all routes or some; or, of which pins are to end."""

    identity: str
    side: Side
    routes: tuple[str, ...]
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That a difference is to be, until a day; `paths` are all of its when none are named.

    `critical` says that critical places among them are meant, too.
    """

    author: str
    reason: str
    owner: str
    until: date
    paths: tuple[str, ...]
    critical: bool


@dataclass(frozen=True, slots=True)
class Adoption:
    """That a proposal becomes a rule; `owner` and `until` are for ignore rules."""

    author: str
    reason: str
    owner: str
    until: date | None


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made, or a role to be given to one."""

    name: str
    role: Role
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """The kill switch turned on or off."""

    on: bool
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class RequestToExplain:
    """A request somebody asks about; repeated headers stand as often as they were given."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    client_ip: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list, newest first: at most `limit` records, older than `before`."""

    limit: int = LIMIT_DEFAULT
    before: int | None = None
    offset: int = 0


def read_weight_change(body: bytes) -> WeightChange:
    """Read `{"weight": 10 | "10%", "reason": …, "author"?: …}`."""
    with Members(body, ("weight", "reason", "author")) as members:
        weight = members.weight("weight", required=True)
        return WeightChange(weight or 0, members.author(), members.reason())


def read_change(body: bytes) -> Change:
    """Read `{"reason": …, "author"?: …}`."""
    with Members(body, ("reason", "author")) as members:
        return Change(members.author(), members.reason())


def read_document(body: bytes) -> Document:
    """Read `{"text": …, "reason": …, "author"?: …}`."""
    with Members(body, ("text", "reason", "author")) as members:
        text = members.text("text", required=True).removeprefix("\N{BYTE ORDER MARK}")
        return Document(text, members.author(), members.reason())


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """A recording to be replayed, at so many requests a second."""

    recording: str
    rate: int
    author: str
    reason: str


def read_replay(body: bytes) -> ReplayOrder:
    """Read `{"recording": …, "rate"?: 20, "reason": …, "author"?: …}`."""
    with Members(body, ("recording", "rate", "reason", "author")) as members:
        recording = members.text("recording", required=True)
        rate = members.number("rate", 20, 1, 500)
        return ReplayOrder(recording, rate, members.author(), members.reason())


def read_new_account(body: bytes) -> NewAccount:
    """Read `{"name": …, "role": …, "reason": …, "author"?: …}`."""
    with Members(body, ("name", "role", "reason", "author")) as members:
        name, role = members.text("name", required=True), _role(members)
        if not NAME.fullmatch(name):
            mend = "Up to 32 letters, digits, `_` and `-`."
            members.troubles.append(Trouble("name", "is no name of an account", mend))
        return NewAccount(name, role, members.author(), members.reason())


def read_role_change(name: str, body: bytes) -> NewAccount:
    """Read `{"role": …, "reason": …, "author"?: …}`."""
    with Members(body, ("role", "reason", "author")) as members:
        return NewAccount(name, _role(members), members.author(), members.reason())


def _role(members: Members) -> Role:
    word = members.text("role", required=True)
    if word in ROLES:
        return Role[word.upper()]
    members.troubles.append(Trouble("role", "is none", f"There are {', '.join(ROLES)}."))
    return Role.VIEWER


def read_draft(body: bytes) -> str:
    """Read `{"text": …}`."""
    with Members(body, ("text",)) as members:
        return members.text("text", required=True).removeprefix("\N{BYTE ORDER MARK}")


def read_resumption(body: bytes) -> Resumption:
    """Read `{"reason": …, "author"?: …, "weight"?: …, "force"?: false}`."""
    with Members(body, ("reason", "author", "weight", "force")) as members:
        weight, force = members.weight("weight"), members.flag("force")
        return Resumption(weight, force, members.author(), members.reason())


def read_advancement(body: bytes) -> Advancement:
    """Read `{"reason": …, "author"?: …, "force"?: false}`."""
    with Members(body, ("reason", "author", "force")) as members:
        return Advancement(members.flag("force"), members.author(), members.reason())


def read_pinning(body: bytes) -> Pinning:
    """Read `{"identity": "cookie:visitor=ada", "side": "modern", "reason": …, "routes"?: []}`."""
    with Members(body, ("identity", "side", "reason", "author", "routes")) as members:
        side = members.text("side", required=True)
        if side and side not in ("legacy", "modern"):
            members.troubles.append(Trouble("side", "is neither legacy nor modern"))
        return Pinning(
            members.text("identity", required=True),
            Side.MODERN if side == "modern" else Side.LEGACY,
            members.texts("routes"),
            members.author(),
            members.reason(),
        )


def read_unpinning(body: bytes) -> Pinning:
    """Read `{"identity": "cookie:visitor=ada", "reason": …, "author"?: …}`."""
    with Members(body, ("identity", "reason", "author")) as members:
        identity = members.text("identity", required=True)
        return Pinning(identity, Side.LEGACY, (), members.author(), members.reason())


def read_acceptance(body: bytes) -> Acceptance:
    """Read `{"reason": …, "until": "2027-03-01", "author"?, "owner"?, "paths"?, "critical"?}`."""
    with Members(body, ("reason", "until", "author", "owner", "paths", "critical")) as members:
        return Acceptance(
            author=members.author(),
            reason=members.reason(),
            owner=members.text("owner").strip(),
            until=members.day("until"),
            paths=members.texts("paths"),
            critical=members.flag("critical"),
        )


def read_adoption(body: bytes) -> Adoption:
    """Read `{"reason": …, "author"?, "owner"?, "until"?: "2027-03-01"}`."""
    with Members(body, ("reason", "author", "owner", "until")) as members:
        return Adoption(
            author=members.author(),
            reason=members.reason(),
            owner=members.text("owner").strip(),
            until=members.day("until") if members.text("until") else None,
        )


def read_kill_switch(body: bytes) -> KillSwitch:
    """Read `{"on": true | false, "reason": …, "author"?: …}`."""
    with Members(body, ("on", "reason", "author")) as members:
        on = members.flag("on", required=True)
        return KillSwitch(on, members.author(), members.reason())


def read_request_to_explain(body: bytes) -> RequestToExplain:
    """Read `{"method": …, "target": …, "headers"?: {…}, "client_ip"?: …}`."""
    with Members(body, ("method", "target", "headers", "client_ip")) as members:
        request = RequestToExplain(
            members.text("method", "GET"),
            members.text("target", required=True),
            members.headers("headers"),
            members.text("client_ip", "127.0.0.1"),
        )
        members.troubles.extend(request_troubles(request))
        return request


def request_troubles(request: RequestToExplain) -> list[Trouble]:
    """Everything that keeps this from being a request a client could send."""
    troubles = []
    if not _TOKEN.fullmatch(request.method) or len(request.method) > 32:
        troubles.append(Trouble("method", "is not a method", "Write GET, POST, …"))
    if not _TARGET.fullmatch(request.target) or len(request.target) > TARGET_MAX:
        troubles.append(
            Trouble("target", "is not a path with a query", "Write /api/plans?page=2, escaped.")
        )
    if len(request.headers) > HEADERS_MAX:
        troubles.append(Trouble("headers", f"are more than {HEADERS_MAX}"))
    troubles += [
        Trouble("headers", f"{name!r}: {value!r} is not a header field", "Write NAME: VALUE.")
        for name, value in request.headers
        if not _TOKEN.fullmatch(name) or not _FIELD_VALUE.fullmatch(value)
    ]
    try:
        ipaddress.ip_address(request.client_ip)
    except ValueError:
        troubles.append(Trouble("client_ip", "is not an IP address", "Write 203.0.113.7."))
    return troubles


def read_page(query: Mapping[str, str]) -> Page:
    """Read `limit` (1 to 500), `before` and `offset` from a query."""
    troubles: list[Trouble] = []
    page = Page(
        limit=_number(query, "limit", 1, LIMIT_MAX, troubles) or LIMIT_DEFAULT,
        before=_number(query, "before", 0, NUMBER_MAX, troubles),
        offset=_number(query, "offset", 0, OFFSET_MAX, troubles) or 0,
    )
    raise_for(troubles)
    return page


def read_number(query: Mapping[str, str], name: str) -> int | None:
    """Read a whole number from a query; None when it is not given."""
    troubles: list[Trouble] = []
    number = _number(query, name, 0, 10**15, troubles)
    raise_for(troubles)
    return number


def read_after(query: Mapping[str, str]) -> int:
    """Read `after` from a query; 0 when it is not given."""
    troubles: list[Trouble] = []
    after = _number(query, "after", 0, 10**15, troubles)
    raise_for(troubles)
    return after or 0


def read_flag(query: Mapping[str, str], name: str) -> bool | None:
    """Read true or false from a query; None when it is not given."""
    if (text := query.get(name)) is None:
        return None
    if text not in ("true", "false"):
        raise_for([Trouble(name, f"{text!r} is neither true nor false")])
    return text == "true"


def read_word(query: Mapping[str, str], name: str, known: Collection[str]) -> str | None:
    """Read one of a few words from a query; None when it is not given."""
    text = query.get(name)
    if text is not None and text not in known:
        raise_for([Trouble(name, f"{text!r} is none of {', '.join(known)}")])
    return text


def read_filters(query: Mapping[str, str]) -> Filters:
    """Read which differences are asked for."""
    troubles: list[Trouble] = []
    filters = Filters(
        route=query.get("route"),
        state=read_word(query, "state", [state.value for state in State]),
        kind=read_word(query, "kind", KINDS),
        critical=read_flag(query, "critical"),
        since_version=_number(query, "since_version", 0, NUMBER_MAX, troubles),
        search=query.get("search", ""),
    )
    if len(filters.search) > SEARCH_MAX or len(filters.search.split()) > WORDS_MAX:
        detail = f"has more than {SEARCH_MAX} characters or {WORDS_MAX} words"
        troubles.append(Trouble("search", detail, "Look for less; every word must be found."))
    raise_for(troubles)
    return filters


def read_cursor(query: Mapping[str, str]) -> Cursor | None:
    """Read where a list of groups goes on; None when it is not given."""
    text = query.get("cursor")
    found = None if text is None else Cursor.read(text)
    if text is not None and found is None:
        raise_for([Trouble("cursor", "is none", "Give `next_cursor` as it was answered.")])
    return found


def read_weight(query: Mapping[str, str]) -> int:
    """Read `weight` from a query, in hundredths of a percent."""
    weight = parse_weight(query.get("weight", ""))
    if weight is None:
        raise_for([Trouble("weight", "is not a percentage", "Write ?weight=12.5.")])
        return 0
    return weight


def read_range(query: Mapping[str, str]) -> Range:
    """Read `range` from a query; the last hour when it is not given."""
    name = query.get("range", HOUR_AGO.name)
    if name not in RANGES:
        raise_for([Trouble("range", f"{name!r} is none", f"Write one of {', '.join(RANGES)}.")])
    wanted = RANGES[name]
    if wanted.is_of_minutes and not query.get("route"):
        mend = "Name a route, or ask for 24h or longer."
        raise_for([Trouble("range", f"{name} is kept of single routes only", mend)])
    return wanted


def read_since(query: Mapping[str, str], name: str = "since") -> float | None:
    """Read a time, RFC 3339 or seconds since the epoch; None when it is not given."""
    text = query.get(name)
    if text is None:
        return None
    if (number := whole_number(text)) is not None:
        return float(number)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise_for([Trouble(name, f"{text!r} is not a time", "Write 2026-11-23T16:00:00Z.")])
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _number(
    query: Mapping[str, str], name: str, lowest: int, highest: int, troubles: list[Trouble]
) -> int | None:
    if (text := query.get(name)) is None:
        return None
    number = whole_number(text)
    if number is None or not lowest <= number <= highest:
        detail = f"{text!r} is not a whole number from {lowest} to {highest}"
        troubles.append(Trouble(name, detail))
        return None
    return number
