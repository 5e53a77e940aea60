"""Faults 3 to 8 and 28: what lies between the server and its database is slow, silent, cut, or ends on its own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import URLError

import pytest
from psycopg2 import sql
from sqlalchemy import Engine, text

from core.cli import DEMO_PASSWORD
from core.database import address, embedded
from core.database import engine as engines
from core.settings import Settings
from tests.scenarios.client import Answer, Person, Site
from tests.scenarios.hostile import Browser
from tests.sweep.proxy import Proxy

HANGS = 60.0                    # seconds after which we call it that; all limits together are well below


@dataclass
class Wired:
    """The demo, served by two workers whose database is behind a wire of ours."""

    site: Site
    wire: Proxy
    owner: Engine

    def count(self, name: str) -> int:
        """How many companies of that name there are, in the trash or not, by their history."""
        with self.owner.connect() as connection:
            return connection.execute(text(
                "select count(*) from sys.history where change::text like '%' || :name || '%'"), {"name": name}).scalar_one()

    def log(self) -> str:
        return (self.site.home / "serve.log").read_text()


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    site = Site.make(tmp_path_factory.mktemp("wired"))
    site.run("init", "--demo")
    settings = Settings(home=site.home)
    with embedded.ensure(settings):
        wire = Proxy(address.port(site.home))
        url = address.url(settings, "owner")
        site.more = {"TESSERA_DATABASE": url.set(port=wire.port).render_as_string(hide_password=False)}
        owner = engines.connect_to(url)
        for login in ("admin", "jonas"):
            site.token(login)
        site.serve(workers=2, work=False)
        try:
            yield Wired(site, wire, owner)
        finally:
            wire.hole(closed=False)
            site.stop()
            wire.close()
            owner.dispose()


def create(person: Person, name: str, **headers: str) -> Answer:
    return person.send("POST", "/api/v1/company", {"name": name}, **headers)


def patiently(ask: Callable[[], Answer]) -> Answer:
    """The first answer but 503; what a client does that was told to try again."""
    end = time.monotonic() + HANGS
    while (answer := ask()).status == 503:
        assert "retry-after" in {name.lower() for name in answer.headers}
        assert time.monotonic() < end, answer.text
        time.sleep(0.2)
    return answer


@pytest.mark.parametrize(("when", "replayed"), [("before", False), ("after", True)])
def test_faults_3_and_4_a_commit_that_is_cut_off_is_carried_out_once(wired: Wired, when, replayed: bool) -> None:
    person = wired.site.person("admin")
    for number in range(5):
        name, cuts = f"Cut {when} {number}", wired.wire.cuts
        wired.wire.cut_commit(name, when)
        answer = create(person, name, Idempotency_Key=name.replace(" ", "-"))
        assert answer.status == 503 and answer.json()["request_id"], answer.text
        assert wired.wire.cuts == cuts + 1
        assert wired.count(name) == int(when == "after")
        again = patiently(lambda: create(person, name, Idempotency_Key=name.replace(" ", "-")))  # noqa: B023  # at once
        assert again.status == 201, again.text
        assert (again.headers.get("idempotency-replayed") == "true") is replayed
        assert wired.count(name) == 1
        assert person.get("/api/v1/company", where=f"name == '{name}'").json()["records"][0]["id"] == again.json()["id"]


def test_fault_4_a_form_whose_commit_is_cut_off_can_be_sent_again(wired: Wired) -> None:
    browser = Browser(wired.site.address)
    browser.sign_in("admin", DEMO_PASSWORD)
    wired.wire.cut_commit("Cut form", "before")
    answer = browser.post("/companies/new", ("name", "Cut form"))
    assert answer.status == 503 and wired.count("Cut form") == 0
    assert patiently(lambda: browser.post("/companies/new", ("name", "Cut form"))).status == 303
    assert wired.count("Cut form") == 1


def test_fault_5_a_silent_database_holds_nobody_for_long(wired: Wired) -> None:
    """Connections that were open are given up, new ones time out, and none is missing from the pool afterwards."""
    person = wired.site.person("admin")
    wired.wire.hole(closed=True)
    try:
        with ThreadPoolExecutor(24) as people:
            asked = [people.submit(create if number % 2 else lambda person, _: person.get("/api/v1/company", limit="5"),
                                   person, f"Silent {number}") for number in range(48)]
            answers = [one.result(HANGS) for one in asked]
    finally:
        wired.wire.hole(closed=False)
    assert {answer.status for answer in answers} == {503}, {answer.status for answer in answers}
    for answer in answers:
        assert answer.headers["retry-after"] and answer.json()["request_id"]
    recovered(person)
    assert "the database does not answer" in wired.log()
    with ThreadPoolExecutor(24) as people:
        later = list(people.map(lambda number: create(person, f"Later {number}").status, range(100)))
    assert later == [201] * 100
    assert wired.count("Later ") == 100


def recovered(person: Person) -> None:
    """Wait until both workers answer; each may have connections yet that it does not know to be lost."""
    end = time.monotonic() + HANGS
    while [person.get("/api/v1/company", limit="1").status for _ in range(20)] != [200] * 20:
        assert time.monotonic() < end, "the database answers, the server does not"


def test_fault_5_a_statement_that_only_takes_long_is_not_given_up(wired: Wired) -> None:
    """It waits for a lock, and the database answers others."""
    person = wired.site.person("admin")
    record = create(person, "Locked for long").json()
    before = wired.log().count("the database does not answer")
    with wired.owner.connect() as connection, ThreadPoolExecutor(1) as people:
        table = connection.execute(text(
            "select table_name from sys.physical where column_name is null and table_name like 'party%'")).scalar_one()
        driver = connection.connection.cursor()
        driver.execute(sql.SQL("select 1 from {} where id = %s for update").format(sql.Identifier("ed", table)),
                       (record["id"],))
        changing = people.submit(person.send, "PATCH", f"/api/v1/company/{record['id']}",
                                 {"city": "Here", "_version": record["_version"]})
        time.sleep(5)
        assert not changing.done()
        connection.rollback()
        assert changing.result(HANGS).status == 200
    assert wired.log().count("the database does not answer") == before


def test_fault_6_a_slow_wire_costs_its_time_a_few_times_and_no_more(wired: Wired) -> None:
    """BEGIN, who asks, the page, and its end: whoever is far from the database waits for these only."""
    person, browser = wired.site.person("admin"), Browser(wired.site.address)
    browser.sign_in("admin", DEMO_PASSWORD)
    asks: dict[str, Callable[[], Answer]] = {
        "list": lambda: browser.get("/companies"), "api": lambda: person.get("/api/v1/company", limit="50")}
    for ask in asks.values():
        for _ in range(12):                              # both workers' connections are warm
            assert ask().status == 200
    wired.wire.latency = 0.2
    try:
        for name, ask in asks.items():
            wired.wire.trips.clear()
            with ThreadPoolExecutor(20) as people:
                assert {one.status for one in people.map(lambda _: ask(), range(20))} == {200}  # noqa: B023  # at once
            trips = wired.wire.trips.total()
            assert 20 * 3 <= trips <= 20 * 8 + 40, (name, wired.wire.trips)      # 40: the workers' own, new connections
    finally:
        wired.wire.latency = 0


def test_fault_7_terminated_backends_give_503_and_nobody_elses_rows(wired: Wired) -> None:
    admin, seller = wired.site.person("admin"), wired.site.person("jonas")
    mine = {login: wired.site.person(login).get("/api/v1/user", limit="200").json() for login in ("admin", "jonas")}
    whole = {person: person.get("/api/v1/opportunity", limit="200", order="id").json() for person in (admin, seller)}
    assert mine["admin"] and whole[admin] != whole[seller]
    stop, wrong, seen = threading.Event(), [], []

    def reads(person: Person) -> None:
        while not stop.is_set():
            try:
                answer = person.get("/api/v1/opportunity", limit="200", order="id")
            except (URLError, HTTPException, ConnectionError) as error:
                wrong.append(repr(error))
                continue
            seen.append(answer.status)
            if answer.status == 200 and answer.json() != whole[person]:
                wrong.append("rows of somebody else")
            elif answer.status not in (200, 503):
                wrong.append(f"{answer.status} {answer.text}")
            elif answer.status == 503 and not answer.json()["request_id"]:
                wrong.append("503 without an id")
    with ThreadPoolExecutor(8) as people:
        for number in range(8):
            people.submit(reads, admin if number % 2 else seller)
        killed = 0
        for _ in range(60):
            killed += terminate(wired)
            time.sleep(0.15)
        stop.set()
    assert not wrong, wrong[:5]
    assert killed > 30 and seen.count(200) > 20
    recovered(admin)


def terminate(wired: Wired) -> int:
    """End one of the server's backends; the owner is a member of the role, so it may."""
    with wired.owner.begin() as connection:
        return len(connection.execute(text(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tessera_app' and datname ="
            " current_database() order by random() limit 1")).all())


@pytest.mark.parametrize(("code", "times", "status"), [
    ("40001", 2, 201), ("40P01", 2, 201), ("40001", 3, 409), ("40P01", 99, 409), ("55P03", 1, 409), ("53100", 1, 507),
    ("53200", 1, 503), ("57014", 1, 422), ("XX000", 1, 500)])
def test_faults_8_and_14_a_forced_failure_is_tried_again_three_times_at_most(wired: Wired, code: str, times: int,
                                                                            status: int) -> None:
    """A trigger fails as often as is wanted; its count is a sequence, which no rollback takes back."""
    person, name = wired.site.person("admin"), f"Forced {code} {times}"
    with failing(wired, code, times):
        before = wired.count(name)
        answer = create(person, name, Idempotency_Key=name.replace(" ", "-"))
        assert (answer.status, before) == (status, 0), answer.text
        assert tried(wired) == (min(times + 1, 3) if code in ("40001", "40P01") else 1)
        if status != 201:
            assert answer.json()["request_id"] and wired.count(name) == 0
            assert ("retry-after" in answer.headers) is (status == 503)
            assert code not in answer.text
    again = create(person, name, Idempotency_Key=name.replace(" ", "-"))
    assert again.status == 201 and wired.count(name) == 1, again.text


class failing:
    """While it lasts, writing history fails with that code, the first so many times."""

    def __init__(self, wired: Wired, code: str, times: int) -> None:
        self.wired, self.code, self.times = wired, code, times

    def __enter__(self) -> None:
        self._run("create sequence sys.forced; grant usage on sequence sys.forced to tessera_app", f"""
            create function sys.force() returns trigger language plpgsql as $$ begin
              if nextval('sys.forced') <= {int(self.times)} then
                raise exception 'forced' using errcode = '{self.code}'; end if;
              return null; end $$""", "create trigger forced after insert on sys.history execute function sys.force()")

    def __exit__(self, *_: object) -> None:
        self._run("drop function sys.force() cascade; drop sequence sys.forced")

    def _run(self, *statements: str) -> None:
        with self.wired.owner.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)


def tried(wired: Wired) -> int:
    with wired.owner.connect() as connection:
        return int(connection.execute(text("select last_value from sys.forced")).scalar_one())


def test_fault_28_a_statement_that_is_stopped_and_an_idle_transaction_leave_a_good_pool(wired: Wired) -> None:
    """What waits for a lock too long is stopped by the server's limit, told as 422, and the connection goes on."""
    person = wired.site.person("admin")
    record = create(person, "Stopped").json()
    with wired.owner.connect() as connection:
        pids = backends(wired)
        driver = connection.connection.cursor()
        driver.execute("lock table sys.history in access exclusive mode")
        answer = person.send("PATCH", f"/api/v1/company/{record['id']}", {"city": "Here", "_version": record["_version"]})
        assert answer.status == 422 and "stopped" in answer.text, answer.text
        connection.rollback()
    for _ in range(20):
        assert person.get("/api/v1/company", limit="1").status == 200
    assert pids & backends(wired) == pids, "a connection was thrown away that could have been used"
    changed = person.send("PATCH", f"/api/v1/company/{record['id']}", {"city": "Here", "_version": record["_version"]})
    assert changed.status == 200, changed.text


def backends(wired: Wired) -> set[int]:
    with wired.owner.connect() as connection:
        return set(connection.scalars(text(
            "select pid from pg_stat_activity where usename = 'tessera_app' and application_name = 'tessera'")))


def test_no_fault_was_told_without_an_id_in_the_log(wired: Wired) -> None:
    """Each failure that an administrator has to look at names the request."""
    lines = [json.loads(line) for line in wired.log().splitlines() if line.startswith("{")]
    failed = [line for line in lines if line.get("event") == "request failed"]
    assert failed and all(line.get("request_id") for line in failed)
