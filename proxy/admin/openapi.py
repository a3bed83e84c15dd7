"""The OpenAPI 3.1 document: the table of endpoints, and the schemas of what they take and answer.

Schemas are written in a shorthand: a dict is an object whose members are all there (one whose name
ends in `?` may be missing; `*` is the kind of all others), a list holds its one element's kind, a
string names a scalar, with `?` for one that may be null, or `#Name` for another schema.
"""

from __future__ import annotations

from typing import Any

from proxy.admin.endpoints import ENDPOINTS, PREFIX, Endpoint
from proxy.admin.responses import PROBLEM_TYPE
from proxy.serving.inheritance import version

Schema = dict[str, Any]

_SCALARS: dict[str, Schema] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "percent": {"type": "number", "minimum": 0, "maximum": 100},
    "fraction": {"type": "number", "minimum": 0, "maximum": 1},
    "object": {"type": "object", "additionalProperties": True},
    "any": {},
    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
    "headers": {
        "type": "object",
        "additionalProperties": {
            "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
        },
    },
    "weight": {
        "description": "percent with at most two decimals, as a number or as text",
        "oneOf": [
            {"type": "number", "minimum": 0, "maximum": 100},
            {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,2})? ?%?$"},
        ],
    },
}

_VERSION = {
    "number": "integer",
    "parent": "integer",
    "at": "time",
    "author": "string",
    "reason": "string",
    "rolled_back": ["string"],
    "kill_switch": "boolean",
    "evidence": "object",
}

_ROLLBACK = {
    "at": "time",
    "author": "string",
    "reason": "string",
    "cooldown_until": "time",
    "evidence": "object",
}

_SIGNATURE = {
    "id": "string",
    "route": "string",
    "kinds": ["string"],
    "paths": ["string"],
    "example_path": "string",
    "example_old": "string?",
    "example_new": "string?",
    "critical": "boolean",
    "count": "integer",
    "compared": "integer",
    "rate": "fraction?",
    "rate_low": "fraction?",
    "rate_high": "fraction?",
    "first_seen": "time",
    "last_seen": "time",
    "first_version": "integer",
    "last_version": "integer",
    "state": "string",
    "state_author": "string?",
    "state_reason": "string?",
    "state_at": "time?",
    "state_version": "integer?",
    "reopened": "integer",
}

_CELL = {
    "match": "integer",
    "ignored": "integer",
    "mismatch": "integer",
    "not_compared": "counts",
    "ignored_by_reason": "counts",
    "compared": "integer",
    "eligible": "integer",
    "match_rate": "fraction?",
    "mismatch_rate": "fraction?",
    "mismatch_rate_low": "fraction?",
    "mismatch_rate_high": "fraction?",
}

_REPLAY = {
    "id": "string",
    "at": "time",
    "recording": "string",
    "version": "integer",
    "rate": "integer",
    "author": "string",
    "reason": "string",
    "targets": ["string"],
    "stage": "string",
    "told": "string",
}

SCHEMAS: dict[str, Any] = {
    "Status": {
        "at": "time",
        "version": "integer",
        "kill_switch": "boolean",
        "kill_file": "string?",
        "rules_file": "string",
        "rules_problem": "string?",
        "store_problem": "string?",
        "measured": "boolean",
        "routes": ["#Route"],
        "workers": ["#Worker"],
        "retiring": "integer",
        "recording": "#Recording?",
        "host": "string?",
        "acting": "string?",
        "token": "integer?",
        "hosts": ["#Host"],
    },
    "Recording": {
        "id": "string",
        "since": "time",
        "until": "time",
        "routes": ["string"],
        "share": "fraction",
        "bytes": "integer",
        "author": "string",
        "reason": "string",
    },
    "RecordingStatus": {
        "host": "string",
        "recording": "#Recording?",
        "recordings": [
            {"id": "string", "folder": "string", "files": "integer", "bytes": "integer"}
        ],
    },
    "Host": {
        "name": "string",
        "url": "string",
        "acting": "boolean",
        "connected": "boolean",
        "last_seen": "number",
        "bus": "boolean",
        "version": "integer",
        "problem": "string?",
        "other_keys": ["string"],
    },
    "Worker": {
        "host": "string?",
        "role": "string",
        "index": "integer",
        "pid": "integer",
        "version": "integer",
        "connected": "boolean",
        "last_seen": "number",
        "connections": "integer",
        "queue": "integer",
    },
    "Routes": {"version": "integer", "routes": ["#Route"]},
    "Route": {
        "id": "string",
        "methods": ["string"],
        "path": "string",
        "phase": "string",
        "weight_configured": "percent",
        "weight_in_force": "percent",
        "weight_observed": "percent?",
        "window": "number",
        "legacy": "#Side",
        "modern": "#Side",
        "coverage": "#RecentCoverage",
        "verdict": "string",
        "verdict_reason": "string",
        "mirror_share": "fraction",
        "plan": "string?",
        "on_breach": "string",
        "progress": "#Progress?",
        "rolled_back": "#Rollback?",
        "mirrors_writes": "boolean",
        "writes_halted": "#WriteHalt?",
    },
    "Progress": {
        "weights": ["percent"],
        "step": "integer?",
        "following": "percent?",
        "waits": ["string"],
        "held": "#Hand?",
        "approved": "#Hand?",
        "needs_approval": "boolean",
        "power": "string?",
        "resumed": "integer",
        "may_resume": "integer",
    },
    "Outcomes": {"outcomes": ["#Interval"], "next_after": "integer?"},
    "Interval": {
        "route": "string",
        "at": "number",
        "seconds": "number",
        "version": "integer",
        "weight": "integer",
        "legacy": "#SideCounts",
        "modern": "#SideCounts",
        "comparisons": "counts",
        "segments?": ["#Segment"],
        "slow_at": "number",
        "place": "string",
    },
    "Segment": {"until": "number", "weight": "integer", "counts": "counts"},
    "SideCounts": {
        "ok": "integer",
        "bad": "integer",
        "served": "integer",
        "distinct": "integer",
        "latencies": [["integer"]],
    },
    "Series": {
        "route": "string?",
        "range": "string",
        "step": "integer",
        "since": "time",
        "until": "time",
        "at": ["number"],
        "seconds": ["number"],
        "weight": ["percent"],
        "compared": ["integer"],
        "mismatches": ["integer"],
        "legacy": "#SideSeries",
        "modern": "#SideSeries",
        "marks": ["#Mark"],
    },
    "SideSeries": {
        "requests": ["integer"],
        "served": ["integer"],
        "bad": ["integer"],
        "requests_per_second": ["number?"],
        "error_rate": ["fraction?"],
        "p50": ["number?"],
        "p95": ["number?"],
    },
    "Mark": {"at": "time", "kind": "string", "label": "string", "decision": "integer"},
    "Preview": {
        "weight": "percent",
        "now": "percent",
        "moved": "fraction",
        "to": "string?",
        "buckets": ["integer"],
        "requests_per_second": "number",
        "power": "string",
        "warnings": ["string"],
    },
    "Health": {
        "pools": ["#PoolOfWorker"],
        "instances": ["#InstanceOfWorker"],
        "captures_sent": "integer",
        "dropped": "counts",
        "stream": "counts",
        "events": [{"name": "string", "label": "string", "count": "integer"}],
    },
    "PoolOfWorker": {
        "worker": "string",
        "side": "string",
        "connections": "counts",
        "breaker": "string",
    },
    "InstanceOfWorker": {
        "worker": "string",
        "side": "string",
        "address": "string",
        "takes_part": "boolean",
        "in_flight": "integer",
    },
    "Hand": {"at": "time", "author": "string", "reason": "string"},
    "Pins": {"pins": ["#Pin"]},
    "Pin": {"identity": "string", "side": "string", "reason": "string", "routes": ["string"]},
    "Side": {
        "requests": "integer",
        "requests_per_second": "number",
        "bad": "integer",
        "error_rate": "fraction?",
        "p50": "number?",
        "p95": "number?",
    },
    "RecentCoverage": {
        "match": "integer",
        "ignored": "integer",
        "mismatch": "integer",
        "not_compared": "counts",
        "compared": "integer",
        "mismatch_rate": "fraction?",
    },
    "Rollback": _ROLLBACK,
    "WriteHalt": {"at": "time", "author": "string", "reason": "string", "evidence": "object"},
    "Version": _VERSION,
    "VersionWithText": {**_VERSION, "text": "string", "rollbacks": {"*": "#LastRollback"}},
    "LastRollback": {**_ROLLBACK, "times": "integer", "active": "boolean"},
    "VersionDiff": {
        "before": "integer",
        "after": "integer",
        "changes": ["string"],
        "diff": "string",
    },
    "Versions": {"versions": ["#Version"], "next_before": "integer?"},
    "Decision": {
        "id": "integer",
        "at": "time",
        "route": "string?",
        "action": "string",
        "author": "string",
        "reason": "string",
        "version": "integer",
        "evidence": "object",
    },
    "Decisions": {"decisions": ["#Decision"], "next_before": "integer?"},
    "Audit": {
        "whole": "boolean",
        "entries": "integer",
        "decisions": "integer",
        "older_decisions": "integer",
        "last": "string",
        "guarded": "boolean",
        "faults": [{"entry": "integer", "what": "string"}],
    },
    "Replay": _REPLAY,
    "Replays": {"replays": ["#Replay"]},
    "ReplayWithResult": {**_REPLAY, "result": "any"},
    "ReplayOrder": {
        "recording": "string",
        "rate?": "integer",
        "reason": "string",
        "author?": "string",
    },
    "Account": {"name": "string", "role": "string", "used": "time?"},
    "Accounts": {"accounts": ["#Account"]},
    "NewAccount": {"name": "string", "role": "string", "reason": "string", "author?": "string"},
    "RoleChange": {"role": "string", "reason": "string", "author?": "string"},
    "NewToken": {"name": "string", "role": "string", "token": "string"},
    "Settings": {
        "settings": [{"name": "string", "value": "string", "source": "string", "meaning": "string"}]
    },
    "CutoverReport": {
        "route": "string",
        "at": "time",
        "version": "integer",
        "title": "string",
        "sections": [
            {
                "title": "string",
                "text": ["string"],
                "columns": ["string"],
                "rows": [["string"]],
            }
        ],
    },
    "Draft": {"text": "string"},
    "RulesCheck": {
        "version": "integer",
        "valid": "boolean",
        "problems": [
            {
                "line": "integer",
                "column": "integer",
                "message": "string",
                "found": "string",
                "suggestion": "string",
            }
        ],
        "changes": ["string"],
        "diff": "string",
    },
    "Differences": {
        "differences": ["#Signature"],
        "next_offset": "integer?",
        "next_cursor": "string?",
    },
    "Proposals": {"proposals": ["#Proposal"], "next_offset": "integer?"},
    "Proposal": {
        "id": "string",
        "route": "string",
        "section": "string",
        "path": "string",
        "value": "object",
        "why": "string",
        "evidence": "object",
    },
    "IgnoreRules": {"rules": ["#IgnoreRule"]},
    "IgnoreRule": {
        "route": "string",
        "path": "string",
        "reason": "string",
        "owner": "string",
        "until": "date?",
        "standing": "string",
        "hits": "integer",
        "missed": "integer",
    },
    "Signature": _SIGNATURE,
    "Difference": {
        **_SIGNATURE,
        "samples": ["#Sample"],
        "occurrences": [{"at": "time", "count": "integer"}],
    },
    "Covering": {
        "paths": ["string"],
        "critical": "boolean",
        "samples": [{"request_id": "string", "at": "time", "left": ["string"]}],
        "groups": [{"id": "string", "paths": ["string"], "count": "integer", "left": ["string"]}],
        "more_groups": "boolean",
    },
    "Sample": {
        "at": "time",
        "request_id": "string",
        "version": "integer",
        "primary_side": "string",
        "curl": "string",
        "primary": "#Answer",
        "candidate": "#Answer",
        "differences": [
            {"path": "string", "kind": "string", "legacy": "string?", "modern": "string?"}
        ],
    },
    "Answer": {
        "status": "integer",
        "headers": [["string"]],
        "body": "string",
        "truncated": "boolean",
        "latency": "number",
    },
    "Coverage": {**_CELL, "route": "string", "fired": "counts", "cells": ["#CoverageCell"]},
    "CoverageCell": {**_CELL, "method": "string", "status": "string"},
    "Coverages": {"coverage": ["#Coverage"]},
    "Explanation": {
        "version": "integer",
        "method": "string",
        "path": "string",
        "route": "string?",
        "side": "string?",
        "reason": "string",
        "bucket": "integer?",
        "steps": ["#Step"],
    },
    "Step": {"name": "string", "outcome": "string", "detail": "string"},
    "Events": "string",
    "File": "string",
    "Rules": "any",
    "OpenApi": "object",
    "Problem": {
        "type": "string",
        "title": "string",
        "status": "integer",
        "detail": "string",
        "instance": "string",
        "mend?": "string",
        "*": "any",
    },
    "WeightChange": {"weight": "weight", "reason": "string", "author?": "string"},
    "Document": {"text": "string", "reason": "string", "author?": "string"},
    "Change": {"reason": "string", "author?": "string"},
    "Advancement": {"reason": "string", "author?": "string", "force?": "boolean"},
    "NewPin": {
        "identity": "string",
        "side": "string",
        "reason": "string",
        "author?": "string",
        "routes?": ["string"],
    },
    "Unpinning": {"identity": "string", "reason": "string", "author?": "string"},
    "Resumption": {
        "reason": "string",
        "author?": "string",
        "weight?": "weight",
        "force?": "boolean",
    },
    "Acceptance": {
        "reason": "string",
        "until": "date",
        "author?": "string",
        "owner?": "string",
        "paths?": ["string"],
        "critical?": "boolean",
    },
    "Adoption": {
        "reason": "string",
        "author?": "string",
        "owner?": "string",
        "until?": "date",
    },
    "RecordingOrder": {
        "reason": "string",
        "author?": "string",
        "routes?": ["string"],
        "share?": "weight",
        "seconds?": "integer",
        "bytes?": "integer",
    },
    "KillSwitch": {"on": "boolean", "reason": "string", "author?": "string"},
    "RequestToExplain": {
        "method?": "string",
        "target": "string",
        "headers?": "headers",
        "client_ip?": "string",
    },
}


def document() -> Schema:
    """Build the whole document."""
    paths: Schema = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cutover admin API",
            "version": version(),
            "description": (
                "Weights are percent, rates and shares fractions, durations seconds, times UTC. "
                "ETag is the version of the rules; a change with If-Match is made only if the "
                "rules are still at that version."
            ),
        },
        "paths": paths,
        "components": {
            "schemas": {name: expand(short) for name, short in SCHEMAS.items()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{}, {"bearer": []}, {"basic": []}],
    }


def expand(short: Any) -> Schema:
    """Write a shorthand out as JSON Schema."""
    if isinstance(short, list):
        return {"type": "array", "items": expand(short[0])}
    if isinstance(short, dict):
        names = [name for name in short if name != "*"]
        return {
            "type": "object",
            "properties": {name.removesuffix("?"): expand(short[name]) for name in names},
            "required": [name for name in names if not name.endswith("?")],
            "additionalProperties": expand(short["*"]) if "*" in short else False,
        }
    name = str(short)
    if name.endswith("?"):
        return {"oneOf": [expand(name[:-1]), {"type": "null"}]}
    return {"$ref": f"#/components/schemas/{name[1:]}"} if name[0] == "#" else _SCALARS[name]


def _operation(endpoint: Endpoint) -> Schema:
    operation: Schema = {
        "operationId": endpoint.operation,
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint),
        "responses": {
            "200": {
                "description": endpoint.summary,
                "content": {endpoint.media_type: {"schema": expand(f"#{endpoint.answers}")}},
            }
        },
    }
    unread = (400,) if endpoint.takes else ()  # a body that is no JSON object
    for status in (*unread, *endpoint.errors, 401, 403, 421, 429):
        operation["responses"][str(status)] = _PROBLEM
    if endpoint.takes:
        content = {"application/json": {"schema": expand(f"#{endpoint.takes}")}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


_PROBLEM: Schema = {
    "description": "Problem details (RFC 9457)",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def _parameters(endpoint: Endpoint) -> list[Schema]:
    in_path: list[Schema] = [
        {
            "name": part[1:-1],
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if part == "{number}" else "string"},
        }
        for part in endpoint.path.split("/")
        if part.startswith("{")
    ]
    in_query: list[Schema] = [
        {
            "name": parameter.name,
            "in": "query",
            "description": parameter.meaning,
            "schema": {"type": parameter.type},
        }
        for parameter in endpoint.query
    ]
    if_match: Schema = {
        "name": "If-Match",
        "in": "header",
        "description": 'the ETag that was read, such as "12"',
        "schema": {"type": "string"},
    }
    return [*in_path, *in_query, *([if_match] if endpoint.takes_if_match else [])]
