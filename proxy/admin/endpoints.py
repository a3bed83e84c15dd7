"""Every address of the API as data: routes are built from it, and so is the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass, field

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter and its JSON schema type."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation. `answers` and `takes` name schemas; `errors` are the statuses of its own."""

    method: str
    path: str
    operation: str
    summary: str
    answers: str
    takes: str | None = None
    query: tuple[Parameter, ...] = field(default=())
    errors: tuple[int, ...] = ()
    media_type: str = "application/json"

    @property
    def changes_rules(self) -> bool:
        """Whether it makes a new version, and so takes If-Match."""
        changes = (
            "/rollback", "/resume", "/resume-writes", "/accept", "/revert", "/deployed", "/advance",
            "/hold", "/approve", "/pin", "/unpin",
        )  # fmt: skip
        return self.method == "PUT" or self.path.endswith(changes)

    @property
    def takes_if_match(self) -> bool:
        """Whether it can be made to change only what was read before."""
        return self.changes_rules or self.path.startswith("/recording/")


LIMIT = Parameter("limit", "integer", "how many at most, 1 to 500; 50 when not given")
BEFORE = Parameter("before", "integer", "only records older than this number")
OFFSET = Parameter("offset", "integer", "how many to leave out first")
CURSOR = Parameter("cursor", "string", "where the list goes on, as `next_cursor` said")
ROUTE = Parameter("route", "string", "only this route")
CRITICAL = Parameter("critical", "boolean", "only differences on critical paths, or only others")
STATE = Parameter("state", "string", "only signatures that are open, expected or fixed")
KIND = Parameter("kind", "string", "only with a difference of this kind, such as value_changed")
SEARCH = Parameter("search", "string", "words that are all in its route, kinds, places or values")
SINCE_VERSION = Parameter(
    "since_version", "integer", "only what was first seen under this version of the rules or later"
)
AS = Parameter("as", "string", "how to write it: html, json, csv, curl or pytest")
PATH = Parameter("path", "string", "one of its places, repeatable; all of them if not given")
FORM = Parameter("as", "string", "json (if not given) or pdf")
AGAINST = Parameter("against", "integer", "the version to compare with; its parent if not given")
UNTIL = Parameter("until", "string", "only what happened until this time (RFC 3339)")
AFTER = Parameter("after", "integer", "only records with a larger number")
RANGE = Parameter("range", "string", "15m, 1h, 6h, 24h, 14d or 26w; 1h when not given")
WEIGHT = Parameter("weight", "string", "a percentage with at most two decimals")
SINCE = Parameter("since", "string", "only what happened since this time (RFC 3339)")

_FILTERS = (SEARCH, ROUTE, KIND, CRITICAL, SINCE_VERSION, STATE)
_CHANGE_ERRORS = (404, 409, 412, 413, 415, 422, 503)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/status", "status", "Everything as it is now", "Status"),
    Endpoint("GET", "/health", "health", "What workers hold, what was dropped and why", "Health"),
    Endpoint("GET", "/routes", "routes", "All routes in the order of the file", "Routes"),
    Endpoint("GET", "/routes/{id}", "route", "One route", "Route", errors=(404,)),
    Endpoint(
        "GET",
        "/routes/{id}/report",
        "route_report",
        "The evidence about a route for who decides about it: as JSON, or as PDF to be printed",
        "CutoverReport",
        query=(FORM,),
        errors=(404, 422, 503),
    ),
    Endpoint(
        "PUT",
        "/routes/{id}/weight",
        "set_weight",
        "Give a route another weight",
        "Version",
        takes="WeightChange",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "GET",
        "/routes/{id}/preview",
        "preview",
        "What another weight would do: who moves, what failures would be caught, warnings",
        "Preview",
        query=(WEIGHT,),
        errors=(404, 422),
    ),
    Endpoint(
        "POST",
        "/routes/{id}/rollback",
        "rollback",
        "Take a route back to legacy and hold it there",
        "Version",
        takes="Change",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "POST",
        "/routes/{id}/resume",
        "resume",
        "Let a rolled back route move again",
        "Version",
        takes="Resumption",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "POST",
        "/routes/{id}/resume-writes",
        "resume_writes",
        "Mirror the writes of a route again after they were halted",
        "Version",
        takes="Change",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "POST",
        "/deployed",
        "deployed",
        "Take note of another release of modern: evidence about the last one counts no more",
        "Version",
        takes="Change",
        errors=(409, 412, 413, 415, 422, 503),
    ),
    Endpoint(
        "POST",
        "/routes/{id}/advance",
        "advance",
        "Take the next step of a route's plan now",
        "Version",
        takes="Advancement",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "POST",
        "/routes/{id}/hold",
        "hold",
        "Keep a route's plan where it is until it is resumed",
        "Version",
        takes="Change",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "POST",
        "/routes/{id}/approve",
        "approve",
        "Agree that a route's plan leaves the step that waits for an approval",
        "Version",
        takes="Change",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "GET",
        "/outcomes",
        "outcomes",
        "What routes saw by the minute, oldest first, as `cutover simulate` reads it",
        "Outcomes",
        query=(LIMIT, ROUTE, SINCE, UNTIL, AFTER),
        errors=(409, 422),
    ),
    Endpoint(
        "GET",
        "/series",
        "series",
        "Both sides of a route over time, or of all traffic without one (24h and longer)",
        "Series",
        query=(ROUTE, RANGE),
        errors=(404, 409, 422),
    ),
    Endpoint("GET", "/pins", "pins", "Identities held on one side", "Pins"),
    Endpoint(
        "POST",
        "/pin",
        "pin",
        "Hold one identity on one side, whatever its bucket",
        "Version",
        takes="NewPin",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "POST",
        "/unpin",
        "unpin",
        "Let an identity go where its bucket sends it",
        "Version",
        takes="Unpinning",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "PUT",
        "/kill-switch",
        "set_kill_switch",
        "Send everything to legacy, or stop doing so",
        "Version",
        takes="KillSwitch",
        errors=(409, 412, 413, 415, 422, 503),
    ),
    Endpoint(
        "GET",
        "/versions",
        "versions",
        "Versions of the rules, newest first",
        "Versions",
        query=(LIMIT, BEFORE),
        errors=(422,),
    ),
    Endpoint(
        "GET",
        "/versions/{number}",
        "version",
        "One version with its document",
        "VersionWithText",
        errors=(404,),
    ),
    Endpoint(
        "GET",
        "/versions/{number}/diff",
        "version_diff",
        "What a version changed, or what lies between two",
        "VersionDiff",
        query=(AGAINST,),
        errors=(404, 422),
    ),
    Endpoint(
        "POST",
        "/versions/{number}/revert",
        "revert",
        "Put the document of a version in force again; what is rolled back stays so",
        "Version",
        takes="Change",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "GET",
        "/rules",
        "export_rules",
        "The document in force, as it was written",
        "Rules",
        media_type="application/yaml",
    ),
    Endpoint(
        "PUT",
        "/rules",
        "import_rules",
        "Put another document in force, and into the rules file",
        "Version",
        takes="Document",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "POST",
        "/rules/check",
        "check_rules",
        "What is wrong with a document, and what it would change if it were put in force",
        "RulesCheck",
        takes="Draft",
        errors=(413, 415, 422, 503),
    ),
    Endpoint(
        "GET",
        "/decisions",
        "decisions",
        "The journal, newest first",
        "Decisions",
        query=(LIMIT, BEFORE, ROUTE),
        errors=(422,),
    ),
    Endpoint(
        "GET",
        "/decisions/{number}",
        "decision",
        "One decision with its evidence",
        "Decision",
        errors=(404,),
    ),
    Endpoint(
        "GET",
        "/audit",
        "audit",
        "Whether the journal is as it was written; the first entry that is not",
        "Audit",
        errors=(409,),
    ),
    Endpoint(
        "GET",
        "/differences",
        "differences",
        "Differences between the two sides, grouped by signature",
        "Differences",
        query=(LIMIT, OFFSET, CURSOR, *_FILTERS),
        errors=(422, 503),
    ),
    Endpoint(
        "GET",
        "/differences/export",
        "export_differences",
        "Coverage and differences as one file",
        "File",
        query=(AS, LIMIT, *_FILTERS),
        errors=(422, 503),
        media_type="*/*",
    ),
    Endpoint(
        "GET",
        "/differences/proposals",
        "proposals",
        "Rules that noise and differences speak for, with the numbers",
        "Proposals",
        query=(LIMIT, OFFSET, ROUTE),
        errors=(422, 503),
    ),
    Endpoint(
        "POST",
        "/differences/proposals/{proposal}/accept",
        "accept_proposal",
        "Make a proposal a rule of its route",
        "Version",
        takes="Adoption",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "GET",
        "/differences/rules",
        "ignore_rules",
        "Ignore rules, ended ones first, and how often each mattered",
        "IgnoreRules",
        query=(ROUTE,),
        errors=(422, 503),
    ),
    Endpoint(
        "GET",
        "/differences/{signature}",
        "difference",
        "One signature with samples of both answers",
        "Difference",
        errors=(404, 503),
    ),
    Endpoint(
        "GET",
        "/differences/{signature}/export",
        "export_difference",
        "One signature with its samples as a file",
        "File",
        query=(AS,),
        errors=(404, 422, 503),
        media_type="*/*",
    ),
    Endpoint(
        "GET",
        "/differences/{signature}/acceptance",
        "acceptance",
        "What accepting a difference would rule out: its samples, and other groups of the route",
        "Covering",
        query=(PATH,),
        errors=(404, 422, 503),
    ),
    Endpoint(
        "POST",
        "/differences/{signature}/accept",
        "accept_difference",
        "Say that a difference is to be, by ignore rules in the rules",
        "Version",
        takes="Acceptance",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "POST",
        "/differences/{signature}/fixed",
        "fix_difference",
        "Say that a difference is mended; it opens again when it is seen again",
        "Difference",
        takes="Change",
        errors=(404, 413, 415, 422, 503),
    ),
    Endpoint(
        "GET",
        "/coverage",
        "coverage",
        "How much was compared per route, and why some was not",
        "Coverages",
        query=(ROUTE, SINCE),
        errors=(422, 503),
    ),
    Endpoint(
        "GET",
        "/recording",
        "recording",
        "What is recorded of the traffic on this host, and what was",
        "RecordingStatus",
    ),
    Endpoint(
        "POST",
        "/recording/start",
        "start_recording",
        "Begin to record traffic, redacted, for a later replay; it ends by itself",
        "RecordingStatus",
        takes="RecordingOrder",
        errors=_CHANGE_ERRORS,
    ),
    Endpoint(
        "POST",
        "/recording/stop",
        "stop_recording",
        "End what is being recorded",
        "RecordingStatus",
        takes="Change",
        errors=(409, 412, 413, 415, 422, 503),
    ),
    Endpoint(
        "GET", "/accounts", "accounts", "Who may ask, and in which role", "Accounts", errors=(409,)
    ),
    Endpoint(
        "GET", "/replays", "replays", "Replays that were started here, newest first", "Replays"
    ),
    Endpoint(
        "POST",
        "/replays",
        "start_replay",
        "Replay a recording of this host to the upstreams of the rules in force, reads only",
        "Replay",
        takes="ReplayOrder",
        errors=(404, 409, 413, 415, 422, 503),
    ),
    Endpoint(
        "GET",
        "/replays/{replay}",
        "replay",
        "One replay, with what it found once it is done",
        "ReplayWithResult",
        errors=(404,),
    ),
    Endpoint(
        "POST",
        "/replays/{replay}/stop",
        "stop_replay",
        "End a replay that is running",
        "Replay",
        takes="Change",
        errors=(404, 409, 413, 415, 422, 503),
    ),
    Endpoint(
        "POST",
        "/accounts",
        "add_account",
        "Add an account; the answer holds its token, which is kept nowhere",
        "NewToken",
        takes="NewAccount",
        errors=(409, 413, 415, 422, 503),
    ),
    Endpoint(
        "POST",
        "/accounts/{name}/role",
        "give_role",
        "Give an account another role; its token stays the same",
        "Account",
        takes="RoleChange",
        errors=(404, 409, 413, 415, 422, 503),
    ),
    Endpoint(
        "POST",
        "/accounts/{name}/remove",
        "remove_account",
        "Take an account away; its token and its sessions end at once",
        "Account",
        takes="Change",
        errors=(404, 409, 413, 415, 422, 503),
    ),
    Endpoint(
        "GET",
        "/settings",
        "settings",
        "The settings in force and where each is from; secrets only as set or not",
        "Settings",
    ),
    Endpoint(
        "POST",
        "/explain",
        "explain",
        "Which side would serve a request, and why",
        "Explanation",
        takes="RequestToExplain",
        errors=(413, 415, 422),
    ),
    Endpoint(
        "GET",
        "/events",
        "events",
        "Server-sent events: status every second, version and decision as they happen",
        "Events",
        errors=(503,),
        media_type="text/event-stream",
    ),
    Endpoint("GET", "/openapi.json", "openapi", "This document", "OpenApi"),
)
