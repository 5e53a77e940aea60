"""Finding records: words, Chinese, phone numbers, look-ups, the queue."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, func, insert, select

from core.database.prepared import Prepared
from core.ed import budget, tables
from core.ed.highlight import pieces
from core.ed.search import everywhere
from core.ed.search_index import index_queue, queue_all
from core.ed.statement import Statement
from core.ed.words import to_query, to_vector, words
from core.errors import BadRequest, NotFound
from tests.core.ed.world import World
from tests.fixtures.sample import add


def search(world: World, connection: Connection, text: str, user: str | None = "ada") -> list[str]:
    return sorted(world.names([one.id for one in world.records(connection, user).search(text)]))


@pytest.mark.parametrize(("text", "expected"), [
    ("Rockets", ["acme"]), ("rocket", ["acme"]), ("anvils rockets", ["acme"]), ("rockets bolts", []),
    ("berlin", ["acme"]), ("INFO@acme.example", ["acme"]), ("acme.exam", ["acme"]), ("emile", ["empty"]),
    ("华为", ["huawei"]), ("为技", ["huawei"]), ("华技", []), ("深", ["huawei"]), ("深圳", ["huawei"]), ("州", []),
    ("+49 30 1234567", ["acme"]), ("030 1234567", ["acme"]), ("0049301234567", ["acme"]), ("12345", ["acme"]),
    ("7654321", ["carl"]), ("999999", []), ("gone", []), ("anvil", ["acme", "anvils"]), ("o'neil & (co) | !x", []),
    ("' :* <-> !", []), ("%", []), ("_", []), ("\\", []), ("*", []),
])
def test_a_search_finds_words_pairs_of_characters_and_digits(
        world: World, connection: Connection, text: str, expected: list[str]) -> None:
    assert search(world, connection, text) == expected


def test_nothing_is_found_for_nothing(world: World, connection: Connection) -> None:
    assert search(world, connection, "") == [] and search(world, connection, "  ") == []


def test_a_search_finds_only_what_may_be_read(world: World, connection: Connection) -> None:
    assert search(world, connection, "cranes", "bob") == []
    assert search(world, connection, "cranes", "sue") == ["cranes"]
    assert search(world, connection, "hiddenanvils", "bob") == []
    assert search(world, connection, "hiddenanvils", "ada") == ["anvils"]
    assert search(world, connection, "hintanvils", "bob") == []             # of eve's deals only
    assert search(world, connection, "hintdrills", "bob") == ["drills"]
    assert search(world, connection, "noteofbob", "bob") == ["bob"]
    assert search(world, connection, "noteofsue", "bob") == []
    assert search(world, connection, "emile", "pat") == ["empty"] and search(world, connection, "acme", "pat") == []
    assert search(world, connection, "diary", "sue") == [] and search(world, connection, "diary", "bob") == ["diary"]


def test_a_search_gives_table_and_title(world: World, connection: Connection) -> None:
    [found] = world.records(connection, "ada").search("7654321")
    assert (found.table, found.id, found.title) == ("contact", world.ids["carl"], "Carl @ Acme")


def test_the_search_box_of_a_list_narrows_it(world: World, connection: Connection) -> None:
    records = world.records(connection, "ada")
    page = records.page("company", ["name"], "active", search="acm")
    assert [record["name"] for record in page.records] == ["Acme"]
    assert records.count("party", search="+49") == (2, False)
    assert records.count("party", search="49 17") == (1, False)
    assert records.count("deal", search="%") == (0, False)
    assert records.count("ticket", search="r") == (1, False)              # Ropes: few letters begin words
    assert records.count("ticket", search="rop") == records.count("ticket", search="ope") == (1, False)
    assert records.count("company", search="技") == (1, False)


def test_a_field_with_contains_is_found_before_the_index_is(world: World, connection: Connection) -> None:
    add(connection, world.system, "company", name="Brand new", city="Nowhere")
    assert len(world.records(connection, "ada").search("rand ne")) == 1
    assert world.records(connection, "ada").search("nowhere") == []


def test_the_queue_brings_the_index_up_to_date(world: World, connection: Connection) -> None:
    id = add(connection, world.system, "company", name="Brand new", city="Nowhere", phone="+49 30 555000")
    stored = world.system.stored("company")
    def queue() -> None:
        connection.execute(insert(tables.search_queue).values(
            record_id=id, table_id=stored.type_id, queued_on=func.now()))
    queue()
    queue()
    assert index_queue(connection, world.system) == 2 and index_queue(connection, world.system) == 0
    assert [one.id for one in world.records(connection, "ada").search("nowhere")] == [id]
    assert [one.id for one in world.records(connection, "ada").search("555000")] == [id]
    connection.execute(stored.table.update().where(stored.column("id") == id).values(
        {stored.name("city"): "Elsewhere", "_deleted_on": None}))
    queue()
    index_queue(connection, world.system)
    assert world.records(connection, "ada").search("nowhere") == []
    connection.execute(stored.table.update().where(stored.column("id") == id).values({"_deleted_on": func.now()}))
    queue()
    index_queue(connection, world.system)
    assert connection.scalars(select(tables.search.c.part).where(tables.search.c.record_id == id)).all() == []


def test_a_table_that_is_gone_leaves_the_queue(world: World, connection: Connection) -> None:
    connection.execute(insert(tables.search_queue).values(record_id=1, table_id=99_999, queued_on=func.now()))
    assert index_queue(connection, world.system) == 1


def test_the_index_can_be_built_anew(world: World, connection: Connection) -> None:
    rows = select(tables.search.c.record_id, tables.search.c.part, tables.search.c.label)
    before = set(connection.execute(rows).all())
    connection.execute(tables.search.delete())
    queue_all(connection, world.system)
    while index_queue(connection, world.system, 3):
        pass
    after = set(connection.execute(rows).all())
    assert before == after and before


@pytest.mark.parametrize(("user", "text", "expected"), [
    ("bob", "ac", ["acme"]), ("bob", "", ["acme", "empty", "huawei", "zeta"]), ("bob", "TECH", []),
    ("bob", "技", ["huawei"]), ("bob", "%", []), ("bob", "berlin", ["acme"]), ("dan", "berlin", []),
    ("dan", "ac", ["acme"]), ("dan", "mi", ["empty"]),
])
def test_a_look_up_finds_by_title_and_peeks(
        world: World, connection: Connection, user: str, text: str, expected: list[str]) -> None:
    found = world.records(connection, user).lookup("company", text)
    assert world.names([id for id, _ in found]) == expected


def test_a_look_up_gives_titles_and_keeps_to_its_condition(world: World, connection: Connection) -> None:
    ada = world.records(connection, "ada")
    assert ada.lookup("contact", "carl") == [(world.ids["carl"], "Carl @ Acme")]
    assert ada.lookup("contact", "acme") == [(world.ids["carl"], "Carl @ Acme")]
    assert world.names([id for id, _ in ada.lookup("company", "", "active")]) == ["acme"]
    assert [title for _, title in ada.lookup("company", "", "kinds is not None", limit=1)] == ["Acme"]
    assert world.names([id for id, _ in ada.lookup("party", "c")])[0] == "acme"


def test_a_look_up_of_what_may_neither_be_read_nor_peeked_at_is_not_found(world: World, connection: Connection) -> None:
    with pytest.raises(NotFound):
        world.records(connection, "eve").lookup("deal", "a")


@pytest.mark.parametrize("text", ["x" * 201, "a\x00b", "a\ud800"])
def test_a_search_for_what_no_record_holds_is_refused(world: World, connection: Connection, text: str) -> None:
    with pytest.raises(BadRequest):
        world.records(connection, "ada").search(text)


def test_words_are_what_people_type() -> None:
    assert list(words("VIP客户 Müller-Lüdenscheidt")) == ["vip", "客户", "户", "muller", "ludenscheidt"]
    assert to_vector(["a b", "a"]) == "'a':1,13 'b':2"
    assert to_vector([], ["+49 301"]) == "'49301' '9301' '301'"
    assert to_query("Ab 客户端") == "'ab':* & ('客户' <-> '户端')"
    assert to_query("030 99") == "'03099':* | '3099':* | ('030':* & '99':*)"
    assert to_query("!?") == ""
    assert to_vector(["b"], titles=["a b"]) == "'a':1A 'b':2A,13" and to_query("Ab 客户端", "A") == (
        "'ab':*A & ('客户':A <-> '户端':A)")
    assert to_query("+49 (0)30 99").startswith("'4903099':* | '493099':* | (")


def index(world: World, connection: Connection) -> None:
    queue_all(connection, world.system)
    while index_queue(connection, world.system):
        pass


def put(world: World, connection: Connection, table: str, short: str, /, **values: str | None) -> None:
    """Write fields of a record past the record service, and index it."""
    stored = world.system.stored(table)
    for field, value in values.items():
        connection.execute(stored.table.update().where(stored.column("id") == world.ids[short]).values(
            {stored.name(field): value}))
    index(world, connection)


@pytest.mark.parametrize("part", ["0815", "815", "2026-0815", "R-2026-0815", "r20260815", "26-08", "20260815", "260815"])
def test_a_document_is_found_by_any_part_of_its_number(world: World, connection: Connection, part: str) -> None:
    put(world, connection, "company", "zeta", note="order R-2026-0815 came late")
    assert search(world, connection, part) == ["zeta"]
    assert world.records(connection, "ada").count("company", search=part) == (1, False)


@pytest.mark.parametrize("number", ["+49 30 123", "030/123", "30123", "(030) 12 34", "0049 30 1234567", "+49 (0)30 1234567",
                                    "030-123 45", "234567"])
def test_a_phone_is_found_in_any_spelling(world: World, connection: Connection, number: str) -> None:
    assert search(world, connection, number) == ["acme"]


@pytest.mark.parametrize("part", ["info", "acme.example", "info@acme", "exampl", "INFO@ACME.EXAMPLE"])
def test_an_address_is_found_by_its_parts(world: World, connection: Connection, part: str) -> None:
    assert "acme" in search(world, connection, part)


def test_what_begins_a_title_comes_before_titles_and_these_before_the_rest(world: World, connection: Connection) -> None:
    put(world, connection, "company", "zeta", note="rocket")
    put(world, connection, "company", "huawei", name="Big rocket")
    put(world, connection, "company", "empty", name="Rocket parts")
    [hits] = [one for one in everywhere(world.records(connection, "ada").session, "rocket") if one.table == "company"]
    assert world.names([one.id for one in hits.found]) == ["empty", "huawei", "zeta", "acme"]
    few = everywhere(world.records(connection, "ada").session, "rocket", 2)
    assert [(one.table, len(one.found), one.count, one.more) for one in few] == [("company", 2, 4, False)]


def test_texts_are_those_that_may_be_read(world: World, connection: Connection) -> None:
    for user, fields in (("ada", {"name", "secret", "hint"}), ("bob", {"name"})):
        [hits] = everywhere(world.records(connection, user).session, "bolts")
        assert {field.name for field, _ in hits.found[0].texts} == fields, user


def test_past_case_2_a_unique_token_in_a_hidden_field(
        world: World, connection: Connection, statements: list[str]) -> None:
    """Directus CVE-2025-30352: a free search looked into columns that the user may not read."""
    def asked(user: str, token: str) -> tuple[object, ...]:
        records = world.records(connection, user)
        statements.clear()
        found = [(hits.table, [one.id for one in hits.found], hits.count) for hits in everywhere(records.session, token)]
        listed = [record["id"] for record in records.page("deal", ["name"], search=token).records]
        return found, listed, records.count("deal", search=token), tuple(statements)
    before = asked("bob", "xyzzyplugh"), asked("bob", "xyz")            # three letters and more, and fewer
    put(world, connection, "deal", "bolts", secret="xyzzyplugh", hint="xyzzyplugh")
    assert asked("ada", "xyzzyplugh")[:3] == ([("deal", [world.ids["bolts"]], 1)], [world.ids["bolts"]], (1, False))
    assert (asked("bob", "xyzzyplugh"), asked("bob", "xyz")) == before
    assert before[0][:3] == ([], [], (0, False))


@pytest.mark.parametrize("text", ["%", "%%%", "_", "___", "\\", "%q%", "' or 1=1 --", "a'b\"c", "*", ":*", "%" * 200])
def test_signs_are_looked_for_as_they_are(world: World, connection: Connection, text: str) -> None:
    ada = world.records(connection, "ada")
    assert ada.count("company", search=text) == (0, False)
    put(world, connection, "company", "zeta", name=f"before {text} after")
    assert ada.count("company", search=text) == (1, False)
    ada.search(text)
    ada.lookup("company", text)


def test_row_48_a_search_that_takes_too_long_is_stopped_with_advice(world: World, connection: Connection) -> None:
    slow = Statement("select pg_sleep(%(seconds)s)", {})
    for fixed in (None, Prepared(slow.sql, {})):
        ada = world.records(connection, "ada").session
        with pytest.raises(BadRequest, match="longer word"), connection.begin_nested():
            budget.rows(ada, replace(slow, fixed=fixed), {"seconds": 30})
    core = world.records(connection).session
    budget.rows(core, slow, {"seconds": 0})
    budget.rows(world.records(connection, "ada").session, slow, {"seconds": 0}, typed=False)
    assert connection.exec_driver_sql("show statement_timeout").scalar_one() == "0"


@pytest.mark.parametrize(("text", "wanted", "expected"), [
    ("Rockets and anvils", "anv", "Rockets and [anv]ils"), ("Émile & Co", "emile", "[Émile] & Co"),
    ("华为技术", "为技", "华[为技]术"), ("R-2026-0815", "0815", "R-2026-[0815]"), ("R-2026-0815", "26-08", "R-20[26-08]15"),
    ("+49 30 123-45", "30123", "+49 [30 123]-45"), ("+49 30 123", "030/123", "+49 [30 123]"), ("a banana an", "an", "a banana [an]"), ("a banana", "ana", "a b[anana]"),
    ("ﬁne", "fine", "[ﬁne]"), ("nothing", "xyz", "nothing"), ("", "a", ""),
    ("info@acme.example", "acme", "info@[acme].example"), ("x " * 100 + "needle here", "needle", "…" + "x " * 19 + "[needle] here"),
])
def test_what_was_looked_for_is_marked(text: str, wanted: str, expected: str) -> None:
    assert "".join(f"[{piece}]" if marked else piece for piece, marked in pieces(text, wanted)) == expected
