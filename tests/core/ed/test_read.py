"""Reading records and pages: fields, paths, bases, formulas, sets, order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from core.errors import BadRequest, NotFound
from core.types.file import FileValue
from tests.core.ed.world import World


def names(page: object) -> list[str]:
    return [record["name"] for record in page.records]  # type: ignore[attr-defined]


def test_a_record_has_its_fields_the_titles_of_links_and_its_lines(world: World, connection: Connection) -> None:
    records = world.records(connection)
    [deal] = records.read("deal", [world.ids["anvils"]])
    assert deal["name"] == "Anvils" and deal["_version"] == 1 and deal["_type"] == "deal"
    assert (deal["company"], deal["company_title"]) == (world.ids["acme"], "Acme")
    assert (deal["amount"], deal["weighted"]) == (Decimal("1000.00"), Decimal("500.00"))
    assert deal["profit"] == Decimal("100.00")
    assert deal["line_total"] == Decimal("2100.00") and deal["big_lines"] == 1 and deal["late"] is False
    assert [(line["product"], line["total"]) for line in deal["lines"]] == [
        ("Anvil", Decimal("600.00")), ("Crate", Decimal("1500.00"))]


def test_records_come_in_the_order_of_their_ids_and_missing_ones_are_left_out(
        world: World, connection: Connection) -> None:
    ids = [world.ids["zeta"], 999_999, world.ids["acme"], world.ids["gone"]]
    found = world.records(connection).read("company", ids, ["name"])
    assert [record["name"] for record in found] == ["zeta", "Acme"]
    assert [r["name"] for r in world.records(connection).read("company", ids, ["name"], trash=True)] == ["Gone"]


def test_an_id_of_another_table_is_not_found(world: World, connection: Connection) -> None:
    assert world.records(connection).read("company", [world.ids["carl"]], ["name"]) == []
    assert len(world.records(connection).read("party", [world.ids["carl"]], ["name"])) == 1


def test_paths_follow_links_to_any_depth(world: World, connection: Connection) -> None:
    paths = ["company.parent.city", "company.owner.manager.name", "company.owner"]
    page = world.records(connection).page("contact", paths, order=["name"])
    assert page.records[0]["company.parent.city"] is None
    assert page.records[0]["company.owner.manager.name"] == "Sue"
    assert page.records[0]["company.owner_title"] == "Bob"
    assert page.records[1]["company.parent.city"] == "Berlin"


def test_a_plural_link_has_its_titles_in_its_own_order(world: World, connection: Connection) -> None:
    [acme] = world.records(connection).read("company", [world.ids["acme"]], ["tags", "kinds"])
    assert acme["tags"] == [world.ids["old"], world.ids["gold"]] and acme["tags_title"] == ["old", "gold"]
    assert acme["kinds"] == ["customer"]


def test_a_link_into_the_trash_keeps_its_title_and_says_so(world: World, connection: Connection) -> None:
    ropes, anvils = world.records(connection).read("deal", [world.ids["ropes"], world.ids["anvils"]], ["company"])
    assert ropes["company_title"] == "Gone" and ropes["company_trashed"] is True
    assert "company_trashed" not in anvils


def test_a_base_shows_all_its_kinds_with_their_own_fields_and_titles(world: World, connection: Connection) -> None:
    page = world.records(connection).page("ticket", ["name", "client", "severity", "amount", "stage"], order=["name"])
    found = {record["name"]: record for record in page.records}
    assert found["Leak"]["_type"] == "request" and found["Leak"]["severity"] == 3 and found["Leak"]["amount"] is None
    assert found["Leak"]["client_title"] == "Carl @ Acme"
    assert found["Anvils"]["_type"] == "deal" and found["Anvils"]["client_title"] == "Acme"


def test_a_kind_shows_only_its_own_records(world: World, connection: Connection) -> None:
    assert names(world.records(connection).page("request", ["name"])) == ["Leak"]


def test_conditions_may_ask_for_the_kind(world: World, connection: Connection) -> None:
    records = world.records(connection)
    assert names(records.page("ticket", ["name"], "client is contact")) == ["Leak"]
    assert records.count("ticket", "client is company") == (5, False)
    assert records.count("ticket", "client is not contact") == (5, False)


@pytest.mark.parametrize(("where", "expected"), [
    ("stage == 'won'", ["Anvils", "Cranes"]),
    ("amount > 400 and company.city == 'Berlin'", ["Anvils", "Bolts"]),
    ("amount is None", ["Drills"]),
    ("amount != 1000", ["Bolts", "Cranes", "Drills", "Ropes"]),
    ("count(lines[price > 1000]) == 1", ["Anvils", "Cranes"]),
    ("line_total > amount", ["Anvils"]),
    ("company.owner.manager.name == 'Sue'", ["Anvils", "Bolts"]),
    ("exists(company.contacts[birthday is not None])", ["Anvils", "Bolts"]),
    ("late", ["Bolts", "Ropes"]),
    ("company.won_total > 1000", ["Cranes", "Drills"]),
    ("sum(all.deal[company == outer.company].amount) == 1500", ["Anvils", "Bolts"]),
    ("contains(name, 'RO')", ["Ropes"]),
])
def test_conditions_choose_records(world: World, connection: Connection, where: str, expected: list[str]) -> None:
    assert names(world.records(connection).page("deal", ["name"], where, order=["name"])) == expected


def test_several_conditions_and_filters_must_all_hold(world: World, connection: Connection) -> None:
    records = world.records(connection)
    page = records.page("deal", ["name"], ["amount > 400", "stage == 'won'"], filters={"company": world.ids["zeta"]})
    assert names(page) == ["Cranes"]
    assert names(records.page("deal", ["name"], filters={"stage": ["offer", "lost"]}, order=["-name"])) == [
        "Ropes", "Bolts"]
    assert names(records.page("deal", ["name"], filters={"amount": None})) == ["Drills"]
    assert names(records.page("company", ["name"], filters={"kinds": "vendor"})) == ["zeta"]
    assert names(records.page("company", ["name"], filters={"tags": world.ids["gold"]})) == ["Acme"]
    assert names(records.page("deal", ["name"], filters={"company.city": "Ulm"}, order=["name"])) == [
        "Cranes", "Drills"]


def test_a_user_is_known_to_conditions(world: World, connection: Connection) -> None:
    records = world.records(connection, "bob")
    assert names(records.page("deal", ["name"], "owner == user", order=["name"])) == ["Anvils", "Bolts"]
    assert records.count("deal", "owner.manager == user") == (1, False)
    assert records.count("deal", "user.manager.name == 'Sue'") == (3, False)


def test_lists_sort_by_folded_text_with_empty_values_last(world: World, connection: Connection) -> None:
    records = world.records(connection)
    assert names(records.page("company", ["name"], order=["name"])) == ["Acme", "Émile & Co", "华为技术", "zeta"]
    assert names(records.page("deal", ["name"], order=["amount"])) == ["Ropes", "Bolts", "Anvils", "Cranes", "Drills"]
    assert names(records.page("deal", ["name"], order=["-amount"])) == ["Cranes", "Anvils", "Bolts", "Ropes", "Drills"]


def test_lists_sort_by_the_title_of_a_link(world: World, connection: Connection) -> None:
    page = world.records(connection).page("deal", ["name"], order=["-company", "name"])
    assert names(page) == ["Cranes", "Drills", "Ropes", "Anvils", "Bolts"]


def test_the_trash_is_a_view_of_its_own(world: World, connection: Connection) -> None:
    page = world.records(connection).page("company", ["name"], trash=True)
    assert names(page) == ["Gone"]
    assert page.records[0]["_deleted_on"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_file_comes_with_its_name_and_size(world: World, connection: Connection) -> None:
    from core.ed import tables
    file_id = connection.scalar(tables.file.insert().values(hash="x", name="a.pdf", type="application/pdf", size=3)
                                .returning(tables.file.c.id))
    stored = world.system.stored("deal")
    connection.execute(stored.table.update().where(stored.column("id") == world.ids["anvils"]).values(
        {stored.name("contract"): file_id}))
    [deal] = world.records(connection).read("deal", [world.ids["anvils"]], ["contract"])
    assert deal["contract"] == FileValue(file_id, "a.pdf", "application/pdf", 3)


def test_money_in_base_currency_is_a_path_of_its_own(world: World, connection: Connection) -> None:
    stored = world.system.stored("deal")
    connection.execute(stored.table.update().where(stored.column("id") == world.ids["anvils"]).values(
        {stored.name("amount", "base"): 900}))
    page = world.records(connection).page("deal", ["amount.base"], "amount.base == 900")
    assert [record["amount.base"] for record in page.records] == [Decimal(900)]


@pytest.mark.parametrize(("arguments", "message"), [
    ({"fields": ["nmae"]}, 'There is no field "nmae" on "deal" (did you mean "name"?)'),
    ({"fields": ["company.nope"]}, 'There is no field "nope" on "company" (did you mean "note"?)'),
    ({"fields": ["name.x"]}, '"name" leads to no single record, so that nothing can follow it.'),
    ({"fields": ["name", ""]}, 'There is no field "" on "deal"'),
    ({"fields": ["_secret"]}, 'There is no field "_secret" on "deal" (did you mean "secret"?)'),
    ({"order": ["lines"]}, 'Records cannot be sorted by "lines".'),
    ({"order": ["contract"]}, 'Records cannot be sorted by "contract".'),
    ({"order": ["operators"]}, 'Records cannot be sorted by "operators".'),
    ({"order": ["--name"]}, 'There is no field "-name" on "deal" (did you mean "name"?)'),
    ({"limit": 0}, "A page has between 1 and 1000 records."),
    ({"limit": 1001}, "A page has between 1 and 1000 records."),
    ({"offset": 10_001}, "Skip at most 10000 records; go on with `after` beyond that."),
    ({"filters": {"company": "acme"}}, '"company" is filtered by the id of a record.'),
    ({"filters": {"company": 2**70}}, '"company" is filtered by the id of a record.'),
    ({"search": "a\x00b"}, "This text holds characters that no record can hold."),
    ({"search": "x" * 201}, "Search for at most 200 characters."),
])
def test_what_is_not_understood_is_told(world: World, connection: Connection, arguments: dict[str, object],
                                        message: str) -> None:
    arguments = {"fields": ["name"], **arguments}
    fields = arguments.pop("fields")
    with pytest.raises(BadRequest) as raised:
        world.records(connection).page("deal", fields, **arguments)  # type: ignore[arg-type]
    assert str(raised.value) == message


def test_a_condition_that_is_not_understood_says_where(world: World, connection: Connection) -> None:
    with pytest.raises(BadRequest) as raised:
        world.records(connection).page("deal", ["name"], "stage == 'won' and amonut > 3")
    assert raised.value.at == "where" and raised.value.column == 20
    assert "amount" in str(raised.value)


@pytest.mark.parametrize("table", ["nothing", "", "sys.account", "user; drop"])
def test_an_unknown_table_is_not_found(world: World, connection: Connection, table: str) -> None:
    with pytest.raises(NotFound):
        world.records(connection).page(table, ["name"])


def test_counts_stop_at_their_cap(world: World, connection: Connection) -> None:
    records = world.records(connection)
    assert records.count("deal") == (5, False)
    assert records.count("deal", cap=5) == (5, False)
    assert records.count("deal", cap=4) == (4, True)


def test_a_page_is_one_statement_whatever_its_links(
        world: World, connection: Connection, statements: list[str]) -> None:
    records = world.records(connection, "bob")
    statements.clear()
    records.page("deal", ["name", "company", "company.parent", "client", "owner", "operators", "weighted", "line_total",
                          "contract"], "stage != 'lost'", order=["-close_date"], search="o")
    assert len(statements) == 1
    records.read("deal", [world.ids["anvils"], world.ids["bolts"]])
    assert len(statements) == 3                 # the records, and the lines of all of them
    records.lookup("company", "a")
    records.search("a")
    records.count("deal")
    assert len(statements) == 6


def test_a_statement_is_built_once_for_all_users_of_the_same_roles(world: World, connection: Connection) -> None:
    world.records(connection, "bob").page("deal", ["name", "starts"], "amount > 17", order=["name"])
    before = world.system.cache.misses
    page = world.records(connection, "sue").page("deal", ["name", "starts"], "amount > 17", order=["name"])
    assert world.system.cache.misses - before <= 1          # who Sue is, and nothing else
    assert names(page) == ["Anvils", "Bolts", "Cranes", "Ropes"]


def test_dates_are_dates(world: World, connection: Connection) -> None:
    [deal] = world.records(connection).read("deal", [world.ids["anvils"]], ["close_date", "created_on", "created_by"])
    assert deal["close_date"] == date(2026, 3, 1)
    assert deal["created_on"].tzinfo is not None and deal["created_by_title"] is None
