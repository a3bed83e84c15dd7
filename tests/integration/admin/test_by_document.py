"""The API held against its own OpenAPI document, by requests that nobody would think of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from proxy.admin.endpoints import ENDPOINTS, Endpoint
from proxy.admin.openapi import document
from tests.support_admin import RunningAdmin, running_admin

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = 10

OPERATIONS = {
    found.ok().definition.raw["operationId"]: found.ok()
    for found in schemathesis.openapi.from_dict(document()).get_all_operations()
    if isinstance(found, Ok)
}


def can_be_wrong(endpoint: Endpoint) -> bool:
    """Whether there is anything about a request that the document could forbid."""
    kinds = {parameter.type for parameter in endpoint.query} - {"string"}
    return bool(endpoint.takes or kinds or "{number}" in endpoint.path)


CASES = [
    pytest.param(OPERATIONS[endpoint.operation], mode, id=f"{endpoint.operation}-{mode.value}")
    for endpoint in ENDPOINTS
    for mode in GenerationMode
    if endpoint.operation != "events"  # a stream without an end
    and (mode is GenerationMode.POSITIVE or can_be_wrong(endpoint))
]


@pytest.fixture(scope="module")
def admin() -> Iterator[RunningAdmin]:
    """Give an application that is gone after this module."""
    with running_admin() as running:
        yield running


@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_every_answer_is_one_that_the_document_tells_of(
    admin: RunningAdmin, operation: Any, mode: GenerationMode
) -> None:
    """Status, kind and shape; what does not fit the document is refused, and nothing breaks."""

    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(
            base_url=admin.url, checks=CHECKS, headers={"Sec-Fetch-Site": "same-origin"}
        )

    ask()
