"""What broke the rights of others before us, each as a test named after its row."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core.definition import load
from core.ed.decisions import decisions
from core.ed.grouping import group
from core.ed.records import Records
from core.ed.search_index import index_queue, queue_all
from core.errors import BadRequest, Denied, Invalid, NotFound, TesseraError
from core.settings import Settings
from tests.fixtures.rights import ADDONS, House, house

REFUSED = (Denied, NotFound, BadRequest, Invalid)


@pytest.fixture(scope="module")
def home(engine: Engine, app_engine: Engine, database: Settings) -> House:
    place = house(engine, app_engine)
    place.person("ada", "administrator")
    place.person("olga", "by_owner")
    for name, role in (("maya", "combined"), ("gus", "guest"), ("aud", "auditor"), ("sam", "by_owner"),
                       ("emil", "employee")):
        place.person(name, role)
    place.person("nil")
    for number, fee in enumerate((30, 10, 20)):
        place.put(f"case{number}", "case", name=f"Case {number}", fee=fee, plan=f"zebra{number} crossing", secret=True,
                  owner=place["olga"], members=[place["maya"], place["gus"]])
        place.put(f"open{number}", "case", name=f"Open {number}", fee=fee, plan="plain", secret=False,
                  owner=place["sam"], members=[place["maya"], place["gus"]])
    place.put("contract", "contract", name="C", state="draft")
    place.put("team", "team", name="T")
    _index(place)
    return place


def _index(place: House) -> None:
    with place.owner.begin() as connection:
        queue_all(connection, place.system)
        while index_queue(connection, place.system):
            pass


def _answers(home: House, user: str) -> list[str]:
    """All that somebody can learn about cases by every kind of question; a refusal is an answer too."""
    asks: list[Callable[[Records], Any]] = [
        *(lambda r, o=order: r.page("case", ["name"], order=[o]) for order in ("fee", "-fee", "plan", "-plan")),
        *(lambda r, w=where: r.page("case", ["name"], w, order=["name"]) for where in (
            "fee > 15", "fee is None", "plan == 'zebra1 crossing'", "contains(plan, 'zebra')", "sum(all.case.fee) > 50",
            "exists(all.case[fee == 20])", "first(all.case).fee == 10", "count(all.case[plan is not None]) > 2")),
        *(lambda r, b=by: group(r.session, "case", by=[b], aggregates={"n": ("count", "id")}) for by in ("fee", "plan")),
        *(lambda r, f=of: group(r.session, "case", by=[], aggregates={"x": (f, "fee")}) for of in ("sum", "max", "min")),
        lambda r: r.count("case", filters={"fee": 10}), lambda r: r.page("case", ["fee", "plan"], order=["name"]),
        lambda r: r.search("zebra1"), lambda r: r.page("case", ["name"], search="zebra1"),
        lambda r: r.lookup("case", "zebra1"), lambda r: r.history("case", home["open1"]),
        lambda r: r.read("case", [home["open1"], home["case1"]])]
    found = []
    for ask in asks:
        with home.records(user) as records:
            try:
                found.append(repr(ask(records)))
            except TesseraError as error:
                found.append(repr(error))
    return found


@pytest.mark.parametrize("user", ["gus", "maya", "nil", "emil"])
def test_past_case_1_no_order_nor_group_tells_a_hidden_value(home: House, user: str) -> None:
    """Hidden values are changed in the database: whatever is asked, every answer stays as it was, byte for byte."""
    before = _answers(home, user)
    stored = home.system.stored("case")
    with home.owner.begin() as connection:
        connection.execute(text(f"update {stored.table} set {stored.name('fee')} = 100 - {stored.name('fee')}"))
        connection.execute(stored.table.update().values({stored.name("plan"): "other"}).where(
            stored.column("secret")))
    _index(home)
    try:
        after = _answers(home, user)
    finally:
        with home.owner.begin() as connection:
            connection.execute(text(f"update {stored.table} set {stored.name('fee')} = 100 - {stored.name('fee')}"))
            for number in range(3):
                connection.execute(stored.table.update().where(stored.column("id") == home[f"case{number}"]).values(
                    {stored.name("plan"): f"zebra{number} crossing"}))
        _index(home)
    assert after == before


def test_past_case_2_a_search_finds_nothing_in_what_is_hidden(home: House) -> None:
    for user, seen in (("olga", 1), ("aud", 0), ("maya", 0), ("gus", 0), ("ada", 0)):
        with home.records(user) as records:
            assert len(records.page("case", ["name"], search="zebra1").records) == seen, user
            assert records.count("case", search="zebra1")[0] == seen, user
            assert len(records.search("zebra1")) == seen, user


def test_past_case_9_a_batch_is_asked_for_each_record(home: House, unchanged) -> None:
    """Maya may read both records, and change and delete the ones that she made: alone, but not beside another's."""
    with home.records("maya") as records:
        mine, more = records.create("case", [{"name": f"Maya's {n}", "members": [home["maya"]]} for n in range(2)])
    home.put("others", "case", name="Another's", members=[home["gus"]], created_by=home["ada"], owner=home["maya"])
    home.put("seen", "case", name="Seen", members=[home["maya"]], created_by=home["ada"])
    for theirs in (home["others"], home["seen"]):
        for ids in ((mine, theirs), (theirs, mine), (mine, more, theirs)):
            calls: tuple[Callable[[Records], Any], ...] = (
                lambda r, i=ids: r.delete("case", list(i)), lambda r, i=ids: r.delete("case", dict.fromkeys(i)))
            for call in calls:
                with unchanged(), pytest.raises((Denied, NotFound)), home.records("maya") as records:
                    call(records)
    for ids in ((mine, home["others"]), (home["others"], mine)):        # of which she is no member
        with unchanged(), pytest.raises((Denied, NotFound)), home.records("gus") as records:
            records.update("case", [{"id": one, "name": "x"} for one in ids])
    for ids in ((home["case0"], home["open0"]), (home["open0"], home["case0"])):
        with unchanged(), pytest.raises((Denied, NotFound)), home.records("olga") as records:
            records.update("case", [{"id": one, "fee": 1} for one in ids])
    with home.records("maya") as records:
        assert records.may("case", "read", home["seen"])
        records.delete("case", [mine, more])
    with home.records("olga") as records:
        records.update("case", [{"id": home["case0"], "name": "Case 0"}])


def test_past_case_11_without_a_role_nothing_is_allowed(home: House, unchanged) -> None:
    """Every table, every call; what may be answered is an empty list or a refusal."""
    with home.records("nil") as records:
        assert {one.verdict for one in decisions(records.session.gate)} == {"never"}
    calls: list[Callable[[Records, str], Any]] = [
        lambda r, t: r.page(t, ["id"]), lambda r, t: r.read(t, [home["case0"]]), lambda r, t: r.count(t),
        lambda r, t: r.lookup(t, "a"), lambda r, t: r.history(t, home["case0"]), lambda r, t: r.create(t, [{}]),
        lambda r, t: r.update(t, [{"id": home["case0"]}]), lambda r, t: r.delete(t, [home["case0"]]),
        lambda r, t: r.restore(t, [home["case0"]]), lambda r, t: group(
            r.session, t, by=[], aggregates={"n": ("count", "id")})]
    with unchanged():
        for table, call in itertools.product(home.system.model.tables, calls):
            with pytest.raises(REFUSED), home.records("nil") as records:
                call(records, table)
    with home.records("nil") as records:
        assert records.search("Case") == []


@pytest.mark.parametrize("source", [
    "user.password == 'x'", "owner.__class__ == 1", "record.session", "name.format(1)", "owner.write(name='x')",
    "().__class__", "user.__dict__", "record.sudo()", "env", "self", "owner.delete()", "name.__len__()"])
def test_past_case_12_expressions_see_values_and_no_objects(home: House, source: str) -> None:
    with pytest.raises(BadRequest), home.records("ada") as records:
        records.page("case", ["name"], source)


def test_past_case_12_what_expressions_are_given_is_plain(home: House) -> None:
    with home.records("ada") as records:
        environment = records.session.environment
        values = [*environment.user.values(), *environment.variables.values(), environment.zone]
        assert all(value is None or isinstance(value, (str, int, float, bool, list, tuple)) for value in values)


def test_past_case_18_a_person_is_no_login(home: House) -> None:
    with home.owner.begin() as connection:
        connection.execute(text("insert into sys.account (user_id, login, active) values (:user, 'ada', true)"),
                           {"user": home["ada"]})
        before = connection.execute(text("select * from sys.account order by id")).all()
    with home.records("ada") as records:
        records.update("user", [{"id": home["ada"], "name": "Ada L", "email": "other@example.com"}])
    with home.owner.begin() as connection:
        assert connection.execute(text("select * from sys.account order by id")).all() == before
    fields = set(home.system.model.tables["user"].fields)
    assert not fields & {"login", "password", "password_hash", "token", "reset_token"}


def test_past_case_19_nothing_is_written_but_declared_fields(home: House, unchanged) -> None:
    """System fields and what is no field, in every table, new or not: told by the name, whoever sends them."""
    strange = ("created_by", "created_on", "changed_by", "changed_on", "_type", "_deleted_on", "is_admin", "__class__",
               "password", "_connector", "", "self")
    good = {"case": {"name": "x"}, "contract": {"name": "x"}, "user": {"name": "x"}, "team": {"name": "x"},
            "role_assignment": {"user": home["ada"], "role": "by_owner"}}
    there = {"case": home["open0"], "contract": home["contract"], "user": home["sam"], "team": home["team"],
             "role_assignment": home["sam by_owner"]}
    with unchanged():
        for table, name in itertools.product(good, strange):
            for call in (lambda r, t=table, n=name: r.create(t, [{**good[t], n: home["ada"]}]),
                         lambda r, t=table, n=name: r.update(t, [{"id": there[t], n: home["ada"]}])):
                with pytest.raises(Invalid) as error, home.records("ada") as records:
                    call(records)
                assert [p.field for p in error.value.problems] == [name], (table, name)
        for name, value in (("fee", 1), ("secret", True), ("plan", "x"), ("owner", home["gus"])):
            with pytest.raises(REFUSED), home.records("gus") as records:
                records.update("case", [{"id": home["open0"], name: value}])


SYSTEM = "system: main\naddons: [base]\n"
TABLE = "table: thing\nfields:\n  name: {type: text}\n"


def _site(folder: Path, **files: str) -> Any:
    for name, content in {"system": SYSTEM, **files}.items():
        (folder / f"{name}.yaml").write_text(content)
    return load([ADDONS / "base"], folder, root=folder)


def test_past_case_20_a_right_does_not_outlive_its_field(tmp_path: Path) -> None:
    """A grant that names a field which is gone is an error, so none waits for another field of that name."""
    role = "role: low\ngrants:\n  thing: {read: true}\n  thing.salary: {read: true}\n"
    with_it = _site(tmp_path, thing=TABLE + "  salary: {type: integer}\n", low=role)
    assert not with_it.problems
    without = _site(tmp_path, thing=TABLE, low=role)
    assert ["salary" in str(problem) for problem in without.problems] == [True]
    restricted = _site(tmp_path, thing=TABLE, low="role: low\n", no="restrict: no\nof: thing\nfields: [salary]\n"
                                                                  "only: {read: false}\n")
    assert ["salary" in str(problem) for problem in restricted.problems] == [True]


def test_past_case_23_nothing_that_a_caller_sends_turns_rules_off(home: House, unchanged) -> None:
    """A session takes its rights from the user's assignments alone; rows take no flags."""
    for key in ("_sudo", "_context", "_bypass", "_gate", "_system", "context", "roles", "_all"):
        for value in (True, {"sudo": True}, ["administrator"]):
            with unchanged(), pytest.raises(REFUSED), home.records("sam") as records:
                records.update("case", [{"id": home["case0"], "name": "x", key: value}])
            with unchanged(), pytest.raises(REFUSED), home.records("sam") as records:
                records.create("case", [{"name": "x", key: value}])
