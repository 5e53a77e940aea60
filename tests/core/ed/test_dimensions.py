"""The eight dimensions of rights that `base` declares: who stands so to a record has what is granted to such, no other.

Role, department, project group, member, position, relative position, team and author; and all of them together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from core.bm.versions.live import current
from core.ed.records import Records
from core.errors import BadRequest, Denied, NotFound
from core.settings import Settings
from tests.fixtures.rights import TODAY, House, house

PEOPLE = ("olga", "mia", "bert", "hana", "sol", "lena", "dirk", "anton", "anja", "hugo", "tim", "petra", "paul", "carla",
          "dora", "rita", "rob", "ron", "maya", "kurt", "cleo", "sam")
# Dimension -> role that grants by it -> who has it on the case.
MATRIX: dict[str, dict[str, set[str]]] = {
    "role": {"role": set(PEOPLE)},
    "department": {"department": {"petra"}, "division": {"petra", "carla"}},
    "project group": {"project_group": {"rob"}, "project_leader": {"rita"}},
    "member": {"member": {"maya"}},
    "position": {"position": {"kurt"}, "position_above": {"cleo"}},
    "relative position": {
        "owner": {"olga"}, "boss": {"mia", "bert"}, "manager": {"mia"}, "owner_department": {"olga", "sol"},
        "owner_head": {"hana"}, "owner_position": {"lena", "dirk"}, "author_boss": {"anja"}, "author_head": {"hugo"},
        "department_head": {"paul"}, "division_head": {"paul", "dora"}},
    "team": {"team": {"tim"}},
    "author": {"author": {"anton"}},
}
CELLS = [(dimension, role, people) for dimension, roles in MATRIX.items() for role, people in roles.items()]


@pytest.fixture(scope="module")
def home(engine: Engine, app_engine: Engine, database: Settings) -> House:
    place = house(engine, app_engine)
    _people(place)
    _case(place)
    return place


def _people(place: House) -> None:
    for name in PEOPLE:
        place.person(name, *(("combined",) if name in ("olga", "paul", "maya", "anton", "sam") else ()))
    put = place.put
    put("commerce", "department", name="Commerce", head=place["dora"])
    put("sales", "department", name="Sales", parent=place["commerce"], head=place["hana"])
    put("purchasing", "department", name="Purchasing", parent=place["commerce"], head=place["paul"])
    put("service", "department", name="Service", head=place["hugo"])
    for name, values in {"olga": {"manager": "mia", "department": "sales"}, "mia": {"manager": "bert"},
                         "sol": {"department": "sales"}, "petra": {"department": "purchasing"},
                         "carla": {"department": "commerce"},
                         "anton": {"manager": "anja", "department": "service"}}.items():
        _set(place, "user", name, **{field: place[value] for field, value in values.items()})
    put("director", "position", name="Director")
    put("lead", "position", name="Sales lead", superior=place["director"])
    put("seller", "position", name="Seller", superior=place["lead"])
    put("cfo", "position", name="CFO")
    put("controller", "position", name="Controller", superior=place["cfo"])
    for position, user in (("director", "dirk"), ("lead", "lena"), ("seller", "olga"), ("cfo", "cleo"),
                           ("controller", "kurt")):
        put(f"post {position}", "post", position=place[position], user=place[user])
    put("post of ron", "post", position=place["controller"], user=place["ron"], until=date(2026, 11, 19))
    put("rocket", "project_group", name="Rocket", leader=place["rita"])
    put("rob in rocket", "project_member", project_group=place["rocket"], user=place["rob"], until=TODAY)
    put("ron in rocket", "project_member", project_group=place["rocket"], user=place["ron"], since=date(2026, 11, 21))
    put("north", "team", name="North", members=[place["tim"]])


def _case(place: House) -> None:
    put = place.put
    put("case", "case", name="Rocket fuel", fee=10, plan="quiet launch", secret=False, owner=place["olga"],
        created_by=place["anton"], team=place["north"], department=place["purchasing"],
        project_group=place["rocket"], members=[place["maya"]], position=place["controller"])
    put("note", "case_note", case=place["case"], text="burns")
    put("other", "case", name="Other", secret=False)


def _set(place: House, table: str, short: str, /, **values: Any) -> None:
    stored = place.system.stored(table)
    with place.owner.begin() as connection:
        connection.execute(stored.table.update().where(stored.column("id") == place[short]).values(
            {stored.name(field): value for field, value in values.items()}))
    place.changed()


def as_role(records: Records, *roles: str) -> Records:
    """The same person with other roles."""
    records.session.user = replace(records.session.user, roles=frozenset(roles))
    return records


USES: dict[str, Callable[[House, Records], bool]] = {
    "list": lambda home, r: [one["name"] for one in r.page("case", ["name"], "name == 'Rocket fuel'").records] != [],
    "read": lambda home, r: r.read("case", [home["case"]], ["name"]) != [],
    "count": lambda home, r: r.count("case", filters={"name": "Rocket fuel"}) == (1, False),
    "sort": lambda home, r: "Rocket fuel" in [o["name"] for o in r.page("case", ["name"], order=["-fee"]).records],
    "search": lambda home, r: r.page("case", ["name"], search="ocket fu").records != [],
    "look up": lambda home, r: ("Rocket fuel" in [title for _, title in r.lookup("case", "ocket")]),
    "expression": lambda home, r: r.count("case", "exists(all.case[name == 'Rocket fuel'])")[0] > 0,
    "aggregate": lambda home, r: r.count("case", "sum(all.case[fee > 0].fee) == 10")[0] > 0,
    "history": lambda home, r: _unless(NotFound, lambda: r.history("case", home["case"])),
    "lines": lambda home, r: r.count("case_note")[0] == 1,
    "through a path": lambda home, r: [o.get("case.name") for o in r.page("case_note", ["case.name"]).records] != [],
    "change": lambda home, r: _unless((NotFound, Denied), lambda: r.update("case", [{"id": home["case"], "fee": 10}])),
    "export": lambda home, r: r.may("case", "export", home["case"]),
    "rights": lambda home, r: "change" in r.rights("case", home["case"]),
}


def _unless(errors: Any, call: Callable[[], object]) -> bool:
    try:
        call()
    except errors:
        return False
    return True


@pytest.mark.parametrize(("dimension", "role", "people"), CELLS, ids=[role for _, role, _ in CELLS])
def test_past_case_s4_rights_by_every_dimension(home: House, dimension: str, role: str, people: set[str]) -> None:
    """The rights matrix of the mission: each person with a role that grants by one dimension, and nothing else."""
    seen = set()
    for person in PEOPLE:
        with home.records(person) as records:
            if USES["list"](home, as_role(records, f"by_{role}")):
                seen.add(person)
    assert seen == people


@pytest.mark.parametrize("use", USES)
def test_a_right_holds_at_every_use_or_at_none(home: House, use: str) -> None:
    for _, role, people in CELLS:
        for person, allowed in (("sam", "sam" in people), (min(people), True)):
            with home.records(person) as records:
                try:
                    assert USES[use](home, as_role(records, f"by_{role}")) is allowed, (role, person)
                except NotFound:
                    assert not allowed, (role, person)


def test_dimensions_add_up_and_an_included_role_counts(home: House) -> None:
    """`combined` is the owner's by the role that it includes, the head's and the members' by itself."""
    def rights(person: str) -> tuple[bool, bool, bool]:
        with home.records(person) as records:
            may = [records.may("case", right, home["case"]) for right in ("read", "change", "delete")]
            return may[0], may[1], may[2]
    assert rights("olga") == (True, True, False)
    assert rights("paul") == (True, False, False)
    assert rights("maya") == (True, True, False)
    assert rights("anton") == (False, False, True)
    assert rights("sam") == (False, False, False)


def test_a_field_follows_its_own_dimension_at_every_use(home: House) -> None:
    with home.records("paul") as records:
        assert records.read("case", [home["case"]], ["fee"])[0]["fee"] == 10
    with home.records("maya") as records:            # a member reads the case, not its fee
        assert records.read("case", [home["case"]], ["name", "fee"])[0]["fee"] is None
        assert records.count("case", "fee == 10") == (0, False)
        assert records.count("case", "sum(all.case.fee) == 10") == (0, False)
        assert [r["name"] for r in records.page("case", ["name"], order=["-fee"]).records] == ["Rocket fuel"]
        assert all("fee" not in change.fields for change in records.history("case", home["case"]))


def test_what_begins_tomorrow_or_ended_yesterday_gives_nothing(home: House) -> None:
    role = "by_project_group"
    for person, day, seen in (("rob", TODAY, True), ("rob", date(2026, 11, 21), False), ("ron", TODAY, False),
                              ("ron", date(2026, 11, 21), True)):
        with home.records(person, today=day) as records:
            assert USES["list"](home, as_role(records, role)) is seen, (person, day)
    with home.records("ron", today=date(2026, 11, 19)) as records:
        assert USES["list"](home, as_role(records, "by_position"))


def test_a_role_for_a_while(home: House) -> None:
    home.person("tom")
    home.put("tom auditor", "role_assignment", user=home["tom"], role="auditor", since=TODAY, until=TODAY)
    home.changed()
    for day, roles in ((date(2026, 11, 19), set()), (TODAY, {"auditor"}), (date(2026, 11, 21), set())):
        with home.records("tom", today=day) as records:
            assert records.session.user.roles == roles


# Restrictions: for everybody, whatever is granted


@pytest.fixture
def secret(home: House) -> Any:
    _set(home, "case", "case", secret=True)
    yield
    _set(home, "case", "case", secret=False)


def test_a_restriction_beats_every_grant(home: House, secret: None) -> None:
    home.person("ada", "administrator")
    home.changed()
    for person, role in (("ada", "administrator"), ("sam", "by_role"), ("maya", "by_member"), ("mia", "by_boss")):
        with home.records(person) as records:
            if role != "administrator":
                as_role(records, role)
            else:
                assert records.session.user.all
            found = {use: _quietly(lambda u=use, r=records: USES[u](home, r)) for use in USES if use != "rights"}
            assert not any(found.values()), (person, found)


def test_a_restriction_leaves_those_it_names_what_is_granted_to_them(home: House, secret: None) -> None:
    with home.records("olga") as records:
        assert USES["list"](home, as_role(records, "by_owner")) and USES["change"](home, records)
    with home.records("sam") as records:             # named by a role, but that one grants reading alone
        assert USES["list"](home, as_role(records, "auditor")) and not USES["change"](home, records)
    with home.records("olga") as records:            # named, and nothing is granted
        assert not _quietly(lambda: USES["list"](home, as_role(records, "employee")))


def test_a_field_is_restricted_where_it_says(home: House, secret: None) -> None:
    with home.records("sam") as records:
        as_role(records, "auditor", "by_role")
        assert [r["plan"] for r in records.page("case", ["plan"], "name == 'Rocket fuel'").records] == [None]
        assert records.count("case", "plan == 'quiet launch'") == (0, False)
    with home.records("olga") as records:
        as_role(records, "by_owner")
        assert records.read("case", [home["case"]], ["plan"])[0]["plan"] == "quiet launch"
        with pytest.raises(Exception, match=r"plan: You may not set this field\.|not change|This cannot"):
            records.update("case", [{"id": home["case"], "plan": "loud"}])


def test_a_record_is_not_made_past_a_restriction(home: House, unchanged) -> None:
    with unchanged(), pytest.raises(Denied), home.records("sam") as records:
        as_role(records, "by_role", "employee").create("case", [{"name": "x", "secret": True, "owner": home["olga"]}])
    with home.records("sam") as records:
        as_role(records, "by_role", "employee").create("case", [{"name": "x", "secret": True, "owner": home["sam"]}])
        with pytest.raises(Denied):
            records.create("case", [{"name": "y", "plan": "p", "secret": True, "owner": home["olga"]}])


def test_a_portal_role_lists_what_it_shows(home: House) -> None:
    with home.records("maya") as records:
        as_role(records, "guest")
        assert records.readable("case") == ("name",)
        assert USES["list"](home, records)
        for hidden in ("fee", "plan", "owner", "notes"):
            with pytest.raises(BadRequest):
                records.page("case", [hidden])
        with pytest.raises(NotFound):
            records.page("case_note", ["text"])


def test_past_case_10_who_may_write_people_is_asked_at_both_ends(home: House, unchanged) -> None:
    for table, row in (("role_assignment", {"user": home["sam"], "role": "administrator"}),
                       ("post", {"user": home["sam"], "position": home["cfo"]}),
                       ("project_member", {"user": home["sam"], "project_group": home["rocket"]})):
        with unchanged(), pytest.raises((Denied, NotFound)), home.records("sam") as records:
            records.create(table, [row])
    for table, row in (("user", {"id": home["sam"], "roles": [{"role": "administrator"}]}),
                       ("user", {"id": home["sam"], "manager": home["mia"]}),
                       ("position", {"id": home["cfo"], "holders": [{"user": home["sam"]}]}),
                       ("team", {"id": home["north"], "members": [home["sam"]]}),
                       ("department", {"id": home["sales"], "head": home["sam"]})):
        for roles in (("employee",), ("by_role",)):
            with unchanged(), pytest.raises(Exception) as refused, home.records("sam") as records:
                as_role(records, *roles).update(table, [row])
            assert isinstance(refused.value, (Denied, NotFound, BadRequest)) or "may not" in str(refused.value)


def test_the_epoch_rises_with_every_table_that_says_who_people_are(home: House) -> None:
    """In the same transaction as the change, so that every process sees both or neither."""
    changes = {"role_assignment": {"user": home["sam"], "role": "auditor"},
               "post": {"user": home["sam"], "position": home["cfo"]},
               "project_member": {"user": home["sam"], "project_group": home["rocket"]},
               "team": {"name": "South", "members": [home["sam"]]}, "department": {"name": "New"},
               "position": {"name": "New"}, "project_group": {"name": "New"}, "user": {"name": "New"}}
    for table, row in changes.items():
        with home.records() as records:
            before = current(records.session.connection)[1]
            [made] = records.create(table, [row])
            assert current(records.session.connection)[1] > before, table
            records.delete(table, [made])
    assert {name for name, table in home.system.model.tables.items() if table.people or table.during} <= {
        name for name, table in home.system.model.tables.items() if table.epoch}


def _quietly(call: Callable[[], bool]) -> bool:
    try:
        return call()
    except NotFound:
        return False


def test_core_knows_none_of_the_words() -> None:
    from pathlib import Path

    import core
    words = ("position", "project_group", "department", "of_members", "division", "post")
    tables = [f'"{word}"' for word in words[1:]] + ["'position'"]
    for path in Path(core.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not [word for word in tables if f"stored({word}" in text or f"tables[{word}" in text], path
