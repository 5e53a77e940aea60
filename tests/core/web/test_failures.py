"""What an error is to a person and to a program; never a word about the inside."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.database import engine as engines
from core.errors import BadRequest, Conflict, Denied, FieldProblem, Invalid, NotFound
from core.web.application import Application
from core.web.failures import failure_of
from core.web.routing import Route
from tests.core.web.site import Site


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid([FieldProblem("a", "b", "c")]), 422),
        (Denied("no"), 403),
        (NotFound("no"), 404),
        (Conflict("no"), 409),
        (BadRequest("no", "where", 3), 400),
        (OperationalError("s", {}, Exception()), 503),
        (KeyError("x"), 500),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    assert failure_of(error).status == status


def failing(site: Site, error: Exception) -> Application:
    def endpoint(context: object) -> None:
        raise error

    return Application(
        site.settings, site.engine, site.systems, [Route("/fail", ("GET",), endpoint, "public", "everyone")]
    )


def test_what_takes_too_long_is_stopped_and_told(site: Site) -> None:
    pool = engines.open(site.settings, "app", seconds=1)
    with pytest.raises(OperationalError) as caught, pool.connect() as connection:
        connection.execute(text("select pg_sleep(30)"))
    pool.dispose()
    assert failure_of(caught.value).status == 422
    assert "took too long" in failure_of(caught.value).detail


def test_the_inside_of_an_error_stays_inside(site: Site) -> None:
    browser = site.browser()
    browser.client.application = failing(site, RuntimeError("secret table ed.salary"))
    answer = browser.client.get("/fail")
    assert answer.status_code == 500 and "salary" not in answer.get_data(as_text=True)
    assert answer.headers["X-Request-Id"] in answer.get_data(as_text=True)


def test_programs_get_problem_details(site: Site) -> None:
    browser = site.browser()
    browser.client.application = failing(
        site, Invalid([FieldProblem("amount", "range", "This must be {least} or more.", {"least": 1})])
    )
    answer = browser.client.get("/fail", headers={"Accept": "application/json"})
    assert answer.content_type == "application/problem+json"
    body = json.loads(answer.get_data())
    assert (body["status"], body["errors"]) == (
        422,
        [{"field": "amount", "code": "range", "message": "This must be 1 or more."}],
    )


def test_a_database_that_is_gone_is_a_503_and_comes_back(site: Site) -> None:
    browser = site.browser("ada")
    browser.get("/deals")
    with site.owner.connect() as connection:
        connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
    status = browser.client.get("/deals").status_code
    assert status in (200, 503)
    assert browser.client.get("/deals").status_code == 200
