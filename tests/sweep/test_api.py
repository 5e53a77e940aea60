"""Whatever fits, or does not fit, the API's own description is answered as the description says, and never by a 5xx.

schemathesis by itself, all its checks and chains of requests; then with bodies that are like records that are there.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine, text
from werkzeug.test import Client

from core.settings import Settings
from core.web.accounts import digest
from core.web.application import Application
from tests.whole_api import demo_application, failures

EXAMPLES = int(os.environ.get("SWEEP_EXAMPLES", "15"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
KEEP = ("user", "role_assignment")      # whoever changes these at random soon may do nothing any more
CALM = settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
                phases=(Phase.generate, Phase.shrink))


@pytest.fixture(scope="module")
def application(database: Settings) -> Iterator[Application]:
    """The demo's application in this process."""
    with demo_application(database) as found:
        yield found


def token(engine: Engine, login: str) -> dict[str, str]:
    with engine.begin() as connection:
        connection.execute(text("insert into sys.token (hash, account_id, name) select :hash, id, 'sweep'"
                                " from sys.account where login = :login on conflict do nothing"),
                           {"hash": digest(f"sweep-{login}"), "login": login})
    return {"Authorization": f"Bearer sweep-{login}"}


def ids(application: Application, headers: dict[str, str], path: str) -> list[int]:
    """Some records that are there; of a query none, for its rows have no address."""
    table = path.split("/")[3]
    if table in ("query", "files"):
        return []
    answer = Client(application).get(f"/api/v1/{table}?fields=id&limit=20", headers=headers)
    return [] if table in KEEP else [record["id"] for record in answer.json["records"]]


def like(application: Application, headers: dict[str, str], case: Case, number: int) -> dict[str, Any]:
    """A body that may well be taken: what a record that is there holds, with a few of the values made up."""
    table = case.operation.path.split("/")[3]
    record = Client(application).get(f"/api/v1/{table}/{number}", headers=headers).json
    described = case.operation.schema.raw_schema["components"]["schemas"]
    written = described[f"{table}.{'new' if case.method == 'POST' else 'change'}"]["properties"]
    body = {name: value for name, value in record.items() if name in written and name != "_version"}
    if case.method == "PATCH":
        body["_version"] = record.get("_version")
    made_up = dict(list(case.body.items())[:number % 3]) if isinstance(case.body, dict) else {}
    return body | {name: value for name, value in made_up.items() if name != "_version"}


@pytest.mark.parametrize("login", ["admin", "jonas"])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
def test_every_answer_is_as_described(application: Application, login: str, mode: GenerationMode) -> None:
    headers = token(application.engine, login) if mode is GenerationMode.POSITIVE else {
        "Authorization": f"Bearer sweep-{login}"}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, headers=headers)
    failures: list[str] = []
    operations, seen = 0, Counter[str]()
    for found in schema.get_all_operations():
        operation = found.ok()
        operations += 1
        try:
            check(application, headers, operation, mode, seen)
        except Exception as error:
            failures.append(f"{operation.label}: {_all(error)}")
    assert operations > 50
    if mode is GenerationMode.POSITIVE:
        assert min(seen["POST 201"], seen["PATCH 200"], seen["GET 200"]) > 0, seen
    assert not failures, f"{len(failures)} of {operations}:\n" + "\n\n".join(failures[:8])


def check(application: Application, headers: dict[str, str], operation: Any, mode: GenerationMode,
          seen: Counter[str]) -> None:
    """Try one operation; half the time about a record that is there."""
    there = ids(application, headers, operation.path)
    number = st.none() | st.sampled_from(there) if there else st.none()

    @CALM
    @given(case=operation.as_strategy(generation_mode=mode), number=number)
    def run(case: Case, number: int | None) -> None:
        if number is not None:
            if "{id}" in operation.path:
                case.path_parameters = {"id": number}
            if mode is GenerationMode.POSITIVE and case.method in ("POST", "PATCH"):
                case.body = like(application, headers, case, number)
                case.headers = None
        answer = case.call_and_validate(headers=headers, checks=CHECKS)
        seen[f"{case.method} {answer.status_code}"] += 1
    run()


SIMPLE = ("currency", "tag", "team", "position", "product_category")


def test_every_boundary_of_small_tables_is_kept(application: Application) -> None:
    """Each limit of each parameter and value, just kept and just broken: too many for tables with lines in lines."""
    headers = token(application.engine, "admin")
    paths = [f"/api/v1/{table}{more}" for table in SIMPLE for more in ("", "/{id}")]
    found, seen = failures(application, headers, examples=0, coverage=True, paths=[*paths, "/api/v1/files"])
    assert not found, "\n\n".join(found)
    assert seen["GET 200"] > 0 and seen["POST 422"] > 0, seen


@pytest.mark.parametrize("login", ["jonas", "admin"])        # who may do anything has soon taken it from themselves
def test_schemathesis_finds_nothing(application: Application, login: str) -> None:
    headers = token(application.engine, login)
    found, seen = failures(application, headers, examples=EXAMPLES, stateful=4 * EXAMPLES, seed=EXAMPLES)
    assert not found, "\n\n".join(found)
    assert min(seen[answer] for answer in ("GET 200", "POST 201", "PATCH 200", "DELETE 204", "GET 401")) > 0, seen


def _all(error: BaseException) -> str:
    parts = getattr(error, "exceptions", None)
    return "\n".join(map(_all, parts)) if parts else f"{type(error).__name__}: {error}"[:1500]
