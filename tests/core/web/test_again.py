"""A request that lost a race in the database is carried out again; one that failed leaves a clean connection."""

from __future__ import annotations

import json
import threading
from io import BytesIO

import pytest
from sqlalchemy import text
from werkzeug.test import Client
from werkzeug.wrappers import Response

from core.web.api.routes import ROUTES
from core.web.application import Application
from core.web.context import Context
from core.web.routing import Route
from tests.core.web.api.conftest import token_for
from tests.small_system import Small

WAIT = 10


def client(small: Small, endpoint, *, alone: bool = False) -> Client:
    return Client(Application(small.settings, small.engine, small.systems, (
        Route("/-/try", ("POST",), endpoint, "token", "records", alone=alone), *ROUTES)))


def ask(small: Small, client: Client, body: object = None) -> Response:
    return client.post("/-/try", data=json.dumps(body), headers={
        "Authorization": f"Bearer {token_for(small, 'ada')}", "Content-Type": "application/json"})


@pytest.fixture(autouse=True)
def tokens(small: Small) -> None:
    with small.owner.begin() as connection:
        connection.execute(text("delete from sys.token"))


def fail_with(context: Context, code: str) -> None:
    context.connection.execute(text("do $$ begin raise sqlstate '" + code + "'; end $$"))


def test_two_requests_that_block_each_other_are_both_carried_out(small: Small) -> None:
    ids = [small.create("company", name=f"race {n}") for n in range(2)]
    both = threading.Barrier(2)
    attempts: list[str] = []

    def endpoint(context: Context) -> Response:
        body = json.loads(context.request.get_data())
        attempts.append(body["name"])
        context.records.update("company", [{"id": body["ids"][0], "city": body["name"]}])
        if attempts.count(body["name"]) == 1:
            both.wait(WAIT)
        context.records.update("company", [{"id": body["ids"][1], "city": body["name"]}])
        return Response("done")

    answers: list[int] = []
    application, token = client(small, endpoint).application, token_for(small, "ada", used_on="now()")

    def run(name: str, order: list[int]) -> None:
        answers.append(Client(application).post("/-/try", data=json.dumps({"name": name, "ids": order}), headers={
            "Authorization": f"Bearer {token}", "Content-Type": "application/json"}).status_code)
    threads = [threading.Thread(target=run, args=one) for one in (("a", ids), ("b", ids[::-1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert answers == [200, 200] and sorted(attempts) in (["a", "a", "b"], ["a", "b", "b"])
    first, second = (small.read("company", id) for id in ids)
    assert first["city"] == second["city"] and first["_version"] == second["_version"] == 3


@pytest.mark.parametrize(("code", "attempts", "status"), [
    ("40001", 3, 409), ("40P01", 3, 409), ("55P03", 1, 409), ("23505", 1, 500), ("53300", 1, 503)])
def test_only_lost_races_are_tried_again_and_not_without_end(
        small: Small, code: str, attempts: int, status: int) -> None:
    seen: list[int] = []

    def endpoint(context: Context) -> Response:
        context.records.create("company", [{"name": f"attempt {len(seen)} of {code}"}])
        seen.append(1)
        fail_with(context, code)
        return Response("never")
    assert ask(small, client(small, endpoint)).status_code == status
    assert len(seen) == attempts
    assert small.all("company", f"name == 'attempt 0 of {code}'") == []


def test_an_attempt_that_was_taken_back_leaves_nothing(small: Small) -> None:
    seen: list[int] = []

    def endpoint(context: Context) -> Response:
        seen.append(1)
        [id_] = context.records.create("company", [{"name": f"try {len(seen)}"}])
        if len(seen) < 3:
            fail_with(context, "40001")
        return Response(str(id_))
    answer = ask(small, client(small, endpoint))
    assert answer.status_code == 200
    assert [r["name"] for r in small.all("company", "name in ['try 1', 'try 2', 'try 3']")] == ["try 3"]


def test_forms_and_files_are_read_anew(small: Small) -> None:
    seen: list[tuple[str, bytes]] = []

    def endpoint(context: Context) -> Response:
        seen.append((context.request.form["word"], context.request.files["paper"].stream.read()))
        if len(seen) < 3:
            fail_with(context, "40P01")
        return Response("done")
    answer = client(small, endpoint).post(
        "/-/try", data={"word": "w", "paper": (BytesIO(b"content"), "a.txt")},
        headers={"Authorization": f"Bearer {token_for(small, 'ada')}"})
    assert answer.status_code == 200 and seen == [("w", b"content")] * 3


def test_what_runs_outside_the_transaction_runs_once(small: Small) -> None:
    seen: list[int] = []

    def endpoint(context: Context) -> Response:
        seen.append(1)
        fail_with(context, "40001")
        return Response("never")
    with small.owner.begin() as connection:
        connection.execute(text("select 1"))
    assert ask(small, client(small, endpoint, alone=True)).status_code == 409
    assert len(seen) == 1


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyboardInterrupt(), SystemExit(1), GeneratorExit()])
def test_whatever_ends_a_request_its_connection_goes_back_clean(small: Small, error: BaseException) -> None:
    """Even what is no Exception, in the middle of a transaction that wrote."""
    def endpoint(context: Context) -> Response:
        context.records.create("company", [{"name": "half done"}])
        context.connection.execute(text("set local application_name = 'somebody'"))
        raise error
    before = small.engine.pool.checkedout()  # type: ignore[attr-defined]
    web = client(small, endpoint)
    if isinstance(error, Exception):
        assert ask(small, web).status_code == 500
    else:
        with pytest.raises(type(error)):
            ask(small, web)
    assert small.engine.pool.checkedout() == before  # type: ignore[attr-defined]
    assert small.all("company", "name == 'half done'") == []
    with small.engine.connect() as connection:
        assert connection.scalar(text("show application_name")) == "tessera"


def test_the_log_of_a_failed_request_holds_no_values(small: Small, caplog: pytest.LogCaptureFixture) -> None:
    def endpoint(context: Context) -> Response:
        context.connection.execute(text("select 1 / 0 where cast(:secret as text) is not null"), {"secret": "".join(("can", "ary"))})
        return Response("never")
    assert ask(small, client(small, endpoint)).status_code == 500
    assert "division by zero" in caplog.text and "canary" not in caplog.text
