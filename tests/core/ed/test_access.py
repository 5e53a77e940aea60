"""The gate: who sees which records and which fields, however they ask."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from core.ed.records import Records
from core.errors import BadRequest, Denied, NotFound, TesseraError
from tests.core.ed.world import World


def found(records: Records, table: str, field: str = "name") -> list[Any]:
    return [record[field] for record in records.page(table, [field], order=[field]).records]


# Records


@pytest.mark.parametrize(("user", "expected"), [
    ("ada", ["Anvils", "Bolts", "Cranes", "Drills", "Ropes"]),
    ("bob", ["Anvils", "Bolts", "Drills"]),                             # his own, and those of eve below him
    ("sue", ["Anvils", "Bolts", "Cranes", "Drills", "Ropes"]),          # those of bob and eve below her too
    ("dan", ["Anvils", "Bolts", "Cranes", "Drills", "Ropes"]),          # by his grant on the base
])
def test_record_roles_decide_which_records_are_seen(
        world: World, connection: Connection, user: str, expected: list[str]) -> None:
    records = world.records(connection, user)
    assert found(records, "deal") == expected
    assert records.count("deal") == (len(expected), False)
    read = records.read("deal", [world.ids[name.lower()] for name in ("Anvils", "Bolts", "Cranes", "Drills", "Ropes")])
    assert [record["name"] for record in read] == expected


@pytest.mark.parametrize("user", ["eve", "pat", "nil"])
def test_without_a_grant_a_table_is_as_unknown_as_one_that_is_not_there(
        world: World, connection: Connection, user: str) -> None:
    records = world.records(connection, user)
    for call in (lambda name: records.page(name, ["name"]), lambda name: records.read(name, [1]),
                 lambda name: records.count(name), lambda name: records.lookup(name, "a")):
        with pytest.raises(NotFound) as hidden:
            call("deal")
        with pytest.raises(NotFound) as missing:
            call("dela")
        assert str(hidden.value).replace("deal", "dela") == str(missing.value)


def test_a_base_shows_each_kind_by_its_own_grants(world: World, connection: Connection) -> None:
    assert found(world.records(connection, "bob"), "ticket") == ["Anvils", "Bolts", "Drills"]
    assert found(world.records(connection, "dan"), "ticket") == ["Anvils", "Bolts", "Cranes", "Drills", "Leak", "Ropes"]
    assert found(world.records(connection, "bob"), "party") == ["Acme", "Carl", "Émile & Co", "华为技术", "zeta"]


def test_rights_through_another_record_need_that_record(world: World, connection: Connection) -> None:
    assert found(world.records(connection, "bob"), "deal_line", "product") == ["Anvil", "Crate"]
    assert found(world.records(connection, "sue"), "deal_line", "product") == ["Anvil", "Crane", "Crate"]
    assert not world.records(connection, "eve").may("deal_line", "read")
    bob = world.records(connection, "bob")
    assert bob.may("deal_line", "change") and bob.may("deal", "change", world.ids["anvils"])


def test_only_beats_every_grant(world: World, connection: Connection) -> None:
    assert found(world.records(connection, "bob"), "diary", "title") == ["Bob's diary"]
    assert found(world.records(connection, "sue"), "diary", "title") == []
    assert found(world.records(connection, "ada"), "diary", "title") == []


def test_rights_are_asked_of_one_record(world: World, connection: Connection) -> None:
    bob = world.records(connection, "bob")
    assert bob.may("deal", "change", world.ids["anvils"]) and not bob.may("deal", "change", world.ids["drills"])
    assert not bob.may("deal", "read", world.ids["cranes"]) and not bob.may("deal", "export")
    assert bob.may("company", "export") and bob.may("company", "read", world.ids["gone"])


def test_a_portal_role_shows_what_it_names_and_nothing_else(world: World, connection: Connection) -> None:
    pat = world.records(connection, "pat")
    assert found(pat, "company") == ["Émile & Co"]
    assert pat.readable("company") == ("name", "city")
    with pytest.raises(BadRequest, match='There is no field "founded" on "company"'):
        pat.page("company", ["founded"])
    with pytest.raises(NotFound):
        pat.page("user", ["name"])
    assert pat.read("company", [world.ids["empty"]], ["name", "_title"])[0]["_title"] == "Émile & Co"


# Links


def test_a_link_shows_no_title_of_a_record_that_may_not_be_read(world: World, connection: Connection) -> None:
    [leak] = world.records(connection, "dan").read("request", [world.ids["leak"]], ["client", "operators", "owner"])
    assert leak["client"] == world.ids["carl"]
    assert leak["client_title"] == "Carl @ "                # peeked at by name, and only that
    with pytest.raises(BadRequest, match='no field "email" on "party"'):
        world.records(connection, "dan").page("request", ["client.email"])
    assert world.records(connection, "dan").page("request", ["client.name"]).records[0]["client.name"] == "Carl"


def test_a_path_shows_only_records_that_may_be_read(world: World, connection: Connection) -> None:
    bob = world.records(connection, "bob")
    page = bob.page("company", ["name", "contact_count", "won_total"], order=["name"])
    shown = {record["name"]: (record["contact_count"], record["won_total"]) for record in page.records}
    assert shown["Acme"] == (1, Decimal("1000.00")) and shown["zeta"] == (0, Decimal("0.00"))
    assert bob.count("company", "exists(contacts[name == 'Cora'])") == (0, False)


def test_a_masked_link_tells_nothing_of_what_lies_behind(world: World, connection: Connection) -> None:
    stored = world.system.stored("contact")
    connection.execute(stored.table.update().where(stored.column("id") == world.ids["carl"]).values(
        {stored.name("company"): world.ids["zeta"], stored.name("owner"): world.ids["sue"]}))
    bob = world.records(connection, "bob")
    assert bob.count("contact") == (0, False) and bob.count("contact", "company.city == 'Ulm'") == (0, False)


# Fields


HIDDEN: list[tuple[str, Callable[[Records, str], object]]] = [
    ("select", lambda records, name: records.page("deal", [name])),
    ("select a path", lambda records, name: records.page("deal_line", [f"deal.{name}"])),
    ("read", lambda records, name: records.read("deal", [1], [name])),
    ("filter", lambda records, name: records.page("deal", ["name"], f"{name} is None")),
    ("filter in a set", lambda records, name: records.page("company", ["name"], f"exists(deals[{name} is None])")),
    ("filter in all", lambda records, name: records.page("company", ["name"], f"count(all.deal[{name} is None]) > 1")),
    ("filter by a sum", lambda records, name: records.page("company", ["name"], f"count(deals.{name}) > 1")),
    ("filter by value", lambda records, name: records.page("deal", ["name"], filters={name: None})),
    ("sort", lambda records, name: records.page("deal", ["name"], order=[f"-{name}"])),
    ("sort by a path", lambda records, name: records.page("deal_line", ["product"], order=[f"deal.{name}"])),
    ("count", lambda records, name: records.count("deal", f"{name} is None")),
    ("look up", lambda records, name: records.lookup("deal", "a", f"{name} is None")),
]


@pytest.mark.parametrize(("use", "call"), HIDDEN, ids=[use for use, _ in HIDDEN])
@pytest.mark.parametrize("field", ["margin", "secret", "rating"])
def test_a_hidden_field_answers_exactly_as_one_that_is_not_there(
        world: World, connection: Connection, use: str, call: Callable[[Records, str], object], field: str) -> None:
    unknown = {"margin": "mqrgxn", "secret": "secrut", "rating": "rqtxng"}[field]
    bob = world.records(connection, "bob")
    errors = []
    for name in (field, unknown):
        with pytest.raises(TesseraError) as raised:
            call(bob, name)
        error = raised.value
        place = getattr(error, "at", ""), getattr(error, "column", 0)
        errors.append((type(error), str(error).replace(name, "it"), place))
    assert errors[0] == errors[1]
    assert errors[0][0] is BadRequest
    call(world.records(connection, "ada"), field)           # and it is there for those who may


def test_a_hidden_field_is_never_suggested(world: World, connection: Connection) -> None:
    bob, ada = world.records(connection, "bob"), world.records(connection, "ada")
    with pytest.raises(BadRequest, match='did you mean "secret"'):
        ada.page("deal", ["secrets"])
    for call in (lambda: bob.page("deal", ["secrets"]), lambda: bob.page("deal", ["name"], "secrets == 'x'")):
        with pytest.raises(BadRequest) as raised:
            call()
        assert "secret\"" not in str(raised.value)


def test_a_condition_of_the_model_over_a_hidden_field_is_refused(world: World, connection: Connection) -> None:
    from core.expression import check
    condition = check("margin > 5", world.system.model.scope("deal"), "boolean")
    assert world.records(connection, "ada").count("deal", condition) == (5, False)
    with pytest.raises(BadRequest, match="or you may not read it"):
        world.records(connection, "bob").count("deal", condition)


def test_readable_fields_leave_out_what_is_hidden_and_what_is_worked_out_of_it(
        world: World, connection: Connection) -> None:
    names = world.records(connection, "bob").readable("deal")
    assert not {"margin", "secret", "rating"} & set(names)
    assert {"name", "weighted", "profit", "hint", "lines"} <= set(names)
    assert {"margin", "secret", "rating"} <= set(world.records(connection, "ada").readable("deal"))


def test_a_formula_with_a_grant_of_its_own_is_shown_though_its_inputs_are_not(
        world: World, connection: Connection) -> None:
    page = world.records(connection, "bob").page("deal", ["name", "profit"], order=["name"])
    shown = {record["name"]: record["profit"] for record in page.records}
    assert shown == {"Anvils": Decimal("100.00"), "Bolts": Decimal("50.00"), "Drills": None}


def test_a_field_right_of_one_role_does_not_take_away_what_another_gives(world: World, connection: Connection) -> None:
    from tests.fixtures.sample import add
    add(connection, world.system, "role_assignment", user=world.ids["dan"], role="seller")
    dan = world.records(connection, "dan")
    hints = {r["name"]: r["hint"] for r in dan.page("deal", ["name", "hint"]).records}
    assert hints["Anvils"] == "hintanvils"                  # the desk reads every field of every ticket
    with pytest.raises(BadRequest):
        dan.page("deal", ["margin"])                        # which both roles take away


def test_a_masked_field_is_empty_wherever_it_may_not_be_read(world: World, connection: Connection) -> None:
    eve, bob = world.records(connection, "eve"), world.records(connection, "bob")
    shown = {r["name"]: r["salary"] for r in bob.page("user", ["name", "salary"]).records}
    assert shown == {"Ada": None, "Bob": Decimal("1000.00"), "Sue": None, "Dan": None, "Eve": Decimal("1000.00"),
                     "Pat": None, "Nil": None}
    assert eve.count("user", "salary == 1000") == (1, False)
    assert bob.count("user", "salary == 1000") == (2, False)
    assert bob.count("user", filters={"salary": Decimal(1000)}) == (2, False)
    assert bob.count("deal", "owner.salary == 1000") == (3, False)
    assert bob.count("user", "manager.salary is not None") == (1, False)
    assert bob.page("deal", ["owner.salary"], order=["name"]).records[0]["owner.salary"] == Decimal("1000.00")
    assert eve.count("user", "sum(all.user.salary) == 1000") == (7, False)


def test_a_masked_field_sorts_as_if_it_were_empty(world: World, connection: Connection) -> None:
    stored = world.system.stored("user")
    eve = world.records(connection, "eve")
    before = found_by(eve, ["salary", "name"])
    for name, salary in (("ada", 5), ("sue", 7_000), ("dan", 1)):
        connection.execute(stored.table.update().where(stored.column("id") == world.ids[name]).values(
            {stored.name("salary"): salary}))
    assert found_by(eve, ["salary", "name"]) == before
    assert found_by(eve, ["-salary", "name"])[0] == "Eve"


def found_by(records: Records, order: list[str]) -> list[str]:
    return [record["name"] for record in records.page("user", ["name"], order=order).records]


# Whatever is asked, a hidden value changes nothing


QUESTIONS: list[Callable[[Records, dict[str, int]], object]] = [
    lambda r, ids: r.page("deal", ["name", "amount", "profit", "hint", "company", "_title"], order=["name"]),
    lambda r, ids: r.page("deal", ["name"], order=["-hint", "-profit", "name"]),
    lambda r, ids: r.page("deal", ["name"], "hint != 'x'", order=["id"]),
    lambda r, ids: r.page("deal", ["name"], "hint > 'h' or hint is None", order=["hint"]),
    lambda r, ids: r.page("ticket", ["name", "hint", "stage"], order=["hint"]),
    lambda r, ids: r.page("company", ["name"], "exists(deals[hint > 'a'])", order=["name"]),
    lambda r, ids: r.page("user", ["name", "salary", "note"], order=["-salary"]),
    lambda r, ids: r.page("deal", ["owner.salary", "owner.note", "owner"], order=["owner.salary", "owner"]),
    lambda r, ids: r.page("deal_line", ["product", "deal.hint", "deal.owner.salary"], order=["deal.hint"]),
    lambda r, ids: r.count("user", "salary > 500"),
    lambda r, ids: r.count("user", "sum(all.user.salary) > 2500"),
    lambda r, ids: r.count("user", "max(all.user[name != user.name].salary) > 500"),
    lambda r, ids: [r.search(text) for text in ("hidden", "hiddenanvils", "hint", "noteof", "changed", "anvils")],
    lambda r, ids: [r.page("deal", ["name"], search=text) for text in ("hidden", "hint", "changed", "cranes", "anv")],
    lambda r, ids: [r.page("user", ["name"], search=text) for text in ("noteof", "changed", "sue")],
    lambda r, ids: [r.lookup("deal", text) for text in ("hidden", "hint", "changed", "an", "")],
    lambda r, ids: r.read("deal", [ids["anvils"], ids["cranes"]]),
    lambda r, ids: r.read("user", sorted(ids.values())),
    lambda r, ids: r.history("deal", ids["anvils"]),
]


def test_changing_what_a_user_may_not_read_changes_no_answer(world: World, connection: Connection) -> None:
    """Bob may read no margin or secret, the hint of eve's deals only, the salaries of himself and eve."""
    from core.ed.search_index import index_queue, queue_all

    def answers() -> list[object]:
        bob = world.records(connection, "bob")
        return [question(bob, world.ids) for question in QUESTIONS]

    before = answers()
    deal, user = world.system.stored("deal"), world.system.stored("user")
    connection.execute(deal.table.update().where(deal.column("owner") != world.ids["bob"]).values(
        {deal.name("margin"): 77}))
    connection.execute(deal.table.update().values({deal.name("secret"): "changed"}))
    connection.execute(deal.table.update().where(deal.column("owner") != world.ids["eve"]).values(
        {deal.name("hint"): "changed", deal.name("hint", "key"): "changed"}))
    connection.execute(user.table.update().where(user.column("id").not_in([world.ids["bob"], world.ids["eve"]])).values(
        {user.name("salary"): 123_456}))
    connection.execute(user.table.update().where(user.column("id") != world.ids["bob"]).values(
        {user.name("note"): "changed"}))
    queue_all(connection, world.system)
    while index_queue(connection, world.system):
        pass
    assert [repr(answer) for answer in answers()] == [repr(answer) for answer in before]
    assert repr(world.records(connection, "ada").read("deal", [world.ids["cranes"]])).count("changed") == 2


def test_rights_belong_to_fields_not_to_names(world: World, connection: Connection) -> None:
    """A field that a role does not name follows its table; another one in its place starts from there."""
    gate = world.records(connection, "bob").session.gate
    assert gate.field_rule("deal", "amount") == gate.rule("deal", "read") == frozenset({"owner", "boss", "assignee"})
    assert gate.field_rule("deal", "margin") is False


def test_denied_is_raised_where_a_table_is_asked_for_inside(world: World, connection: Connection) -> None:
    from core.ed.columns import RecordColumns, live
    gate = world.records(connection, "eve").session.gate
    with pytest.raises(Denied):
        live(RecordColumns(world.system, gate, "deal"))
