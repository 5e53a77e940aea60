"""Fault 1: a worker is killed at every statement of a create, an update and a delete, and after the last."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from http.client import HTTPException
from urllib.error import URLError

import pytest
from psycopg2 import sql
from sqlalchemy import Engine

from core.database import engine as engines
from core.settings import Settings
from tests.scenarios.client import Answer, Person, Site
from tests.unchanged import digests

MORE = ("sys.idempotency", "jobs.procrastinate_jobs")
Ask = Callable[[Person, str, dict[str, str]], Answer]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo, served by two workers that die on request; nobody works off its queues."""
    site = Site.make(tmp_path_factory.mktemp("dying"))
    site.server = ("-m", "tests.sweep.dying")
    site.run("init", "--demo")
    site.serve(workers=2, work=False)
    try:
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def owner(site: Site) -> Iterator[Engine]:
    engine = engines.open(Settings(home=site.home), "owner")
    yield engine
    engine.dispose()


def state(owner: Engine) -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a digest of them: records, history, queues, jobs, keys."""
    found = {name: pair(value) for name, value in digests(owner).items()
             if name != "sys.sequence"}            # numbers that may have gaps are drawn beside the transaction
    with owner.connect() as connection:
        cursor = connection.connection.cursor()
        for name in MORE:
            cursor.execute(sql.SQL("select count(*), md5(string_agg(t::text, '|' order by t::text)) from {} t").format(
                sql.Identifier(*name.split("."))))
            found[name] = cursor.fetchone()
    return found


def pair(text: str) -> tuple[int, str]:
    """The two values that `digests` wrote into one string."""
    count, _, digest = text.strip("()").partition(", ")
    return int(count), digest


def changed(before: dict[str, tuple[int, str]], after: dict[str, tuple[int, str]]) -> dict[str, int]:
    """The tables that are not as they were, and how many rows came to each."""
    return {name: after[name][0] - before[name][0] for name in before if before[name] != after[name]}


def create(person: Person, name: str, headers: dict[str, str]) -> Answer:
    body = {"name": name, "stage": "offer", "amount": "90.00",
            "lines": [{"description": "one", "quantity": "2", "price": "45.00"}]}
    return send(person, "POST", "/api/v1/opportunity", body, headers)


def send(person: Person, method: str, path: str, body: object, headers: dict[str, str]) -> Answer:
    return person.ask(method, path, None if body is None else json.dumps(body).encode(),
                      {"Content-Type": "application/json", **headers})


def made(person: Person, name: str) -> dict[str, object]:
    answer = create(person, name, {})
    assert answer.status == 201, answer.text
    return dict(answer.json())


def deed(kind: str, person: Person, name: str) -> Callable[[dict[str, str]], Answer]:
    """A request that can be sent again and again as it is."""
    if kind == "create":
        return lambda headers: create(person, name, headers)
    record = made(person, name)
    path = f"/api/v1/opportunity/{record['id']}"
    if kind == "delete":
        return lambda headers: send(person, "DELETE", f"{path}?_version={record['_version']}", None, headers)
    line = record["lines"][0]["id"]  # type: ignore[index]  # it has one
    body = {"_version": record["_version"], "name": name + "!", "lines": [
        {"id": line, "quantity": "3"}, {"description": "two", "quantity": "1"}]}
    return lambda headers: send(person, "PATCH", path, body, headers)


@pytest.mark.parametrize("kind", ["create", "update", "delete"])
def test_fault_1_a_worker_killed_at_any_statement_leaves_all_or_nothing(site: Site, owner: Engine, kind: str) -> None:
    person = site.person("admin")
    ask = deed(kind, person, f"{kind} whole")
    before = state(owner)
    assert ask({"Idempotency-Key": f"{kind}-whole"}).status in (200, 201, 204)
    whole = changed(before, state(owner))
    assert {"sys.history", "sys.search_queue", "sys.idempotency"} <= set(whole)
    moment = next(moment for moment in itertools.count(1) if killed_at(site, owner, kind, str(moment), whole))
    assert moment > 10
    assert not killed_at(site, owner, kind, "answer", whole)


def killed_at(site: Site, owner: Engine, kind: str, moment: str, whole: dict[str, int]) -> bool:
    """Kill the worker there, look, and ask again with the same key; whether there was no such moment any more."""
    person = site.person("admin")
    ask = deed(kind, person, f"{kind} {moment}")
    before = state(owner)
    key = {"Idempotency-Key": f"{kind}-{moment}"}
    try:
        answer = ask({**key, "X-Die-At": moment})
    except (URLError, HTTPException, ConnectionError):
        site.wait_until_ready()
    else:
        assert answer.status in (200, 201, 204), answer.text
        assert int(moment) > int(answer.headers["x-moments"])
        return True
    done = changed(before, state(owner))
    assert done == (whole if moment == "answer" else {}), f"killed at {moment}: {done}"
    again = ask(key)
    assert again.status in (200, 201, 204), again.text
    assert (again.headers.get("idempotency-replayed") == "true") is (moment == "answer")
    assert changed(before, state(owner)) == whole
    return False
