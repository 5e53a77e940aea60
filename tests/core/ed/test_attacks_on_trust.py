"""What people with few rights try around locks, lines, links through a table, history, stored formulas and searches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from sqlalchemy import text

from core.ed import history, locked, versions
from core.ed.export_formats import built_in
from core.ed.exporting import Wanted, export
from core.ed.records import Records
from core.ed.search_index import index_queue
from core.errors import BadRequest, Denied, Invalid, NotFound, RecordLocked
from core.settings import Settings
from tests.small_system import Small, small_system

FILES = {
    "tables/vault.yaml": """
table: vault
title: Vault
plural: Vaults
display: "{name}"
keeps: [history, timeline]
lock: {if: closed}
fields:
  name:   {type: text, required: true}
  code:   {type: text}
  label:  {type: text, stored: true, search: words, formula: "concat(name, ' ', coalesce(code, ''))"}
  closed: {type: boolean, default: false}
  owner:  {type: link, to: user}
  keys:   {type: lines, of: vault_key, by: vault}
  guards: {type: links, to: guard, through: watch}
  about:  {type: any_link}
roles:
  owner: {is: owner}
""",
    "tables/vault_key.yaml": """
table: vault_key
title: Key
plural: Keys
display: "{name}"
keeps: [history]
access: {through: [vault]}
fields:
  vault: {type: link, to: vault, required: true, on_delete: cascade}
  name:  {type: text, required: true}
""",
    "tables/guard.yaml": """
table: guard
title: Guard
plural: Guards
display: "{name}"
fields:
  name:  {type: text, required: true}
  phone: {type: text}
""",
    "tables/merger.yaml": """
table: merger
title: Merger
plural: Mergers
display: "{name}"
fields:
  name: {type: text, required: true}
""",
    "tables/watch.yaml": """
table: watch
title: Watch
plural: Watches
display: "{vault}"
fields:
  vault: {type: link, to: vault, required: true, on_delete: cascade}
  guard: {type: link, to: guard, required: true, on_delete: cascade}
""",
    "tables/thing.yaml": """
table: thing
title: Thing
plural: Things
abstract: true
display: "{name}"
fields:
  name: {type: text, required: true}
""",
    "tables/box.yaml": "table: box\ntitle: Box\nplural: Boxes\nbase: thing\n",
    "tables/crate.yaml": "table: crate\ntitle: Crate\nplural: Crates\nbase: thing\n",
    "roles/keys_by_ada.yaml": """
restrict: keys_by_ada
of: vault_key
where: vault.name == 'Hers'
only: {create: [administrator]}
""",
    "roles/codes_stay.yaml": """
restrict: codes_stay
of: guard
fields: [phone]
only: {export: false}
""",
    "roles/clerk.yaml": """
role: clerk
title: Clerk
grants:
  user:   {read: true}
  vault:  {read: true, change: true, create: true}
  vault.code:   {read: false}
  vault.keys:   {read: [owner], change: false}
  vault.guards: {change: false}
  guard:  {read: true, export: true}
  watch:  {read: true, create: true, change: true, delete: true}
  thing:  {read: true, change: true, delete: true}
  box:    {read: false}
""",
    "roles/smith.yaml": """
role: smith
title: Smith
grants:
  vault: {read: true, change: true, create: true}
""",
    "roles/guest.yaml": """
role: guest
title: Guest
kind: portal
grants:
  vault:      {read: true}
  vault.name: {read: true}
""",
}


@pytest.fixture(scope="module")
def small(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """The system with its people: `ada` administers, `kim` is a clerk, `gus` a guest from outside."""
    from tests.databases import fresh_database
    with fresh_database(server, tmp_path_factory) as database, \
            small_system(database, tmp_path_factory.mktemp("trust"), FILES) as made:
        for login, role in (("kim", "clerk"), ("gus", "guest"), ("sid", "smith")):
            made.users[login] = made.create("user", name=login.title())
            made.create("role_assignment", user=made.users[login], role=role)
        yield made


def index(small: Small) -> None:
    with small.session() as session:
        while index_queue(session.connection, session.system):
            pass


# Locks

def test_links_through_a_table_do_not_write_around_a_lock(small: Small) -> None:
    one, other = small.create("guard", name="One"), small.create("guard", name="Other")
    vault = small.create("vault", name="Shut", guards=[one])
    with small.records() as records:
        records.update("vault", [{"id": vault, "closed": True}])
    for guards in ([other], [], {"add": [other]}, {"remove": [one]}):
        with pytest.raises(RecordLocked), small.records() as records:
            records.update("vault", [{"id": vault, "guards": guards}])
    with small.records() as records:
        records.update("vault", [{"id": vault, "guards": [one]}])          # nothing is written by that
    assert small.read("vault", vault)["guards"] == [one]
    with small.session() as session:
        locked.unlock(session, "vault", vault, "a new guard")
    with small.records() as records:
        records.update("vault", [{"id": vault, "guards": [other]}])
    with pytest.raises(RecordLocked), small.records() as records:          # the unlocking ended with that save
        records.update("vault", [{"id": vault, "guards": [one]}])


def test_rows_between_do_not_write_around_a_lock(small: Small) -> None:
    one, other = small.create("guard", name="A"), small.create("guard", name="B")
    vault, free = small.create("vault", name="Closed", guards=[one]), small.create("vault", name="Free", guards=[one])
    [row] = [watch["id"] for watch in small.all("watch", f"vault == {vault}", ("id",))]
    [loose] = [watch["id"] for watch in small.all("watch", f"vault == {free}", ("id",))]
    with small.records() as records:
        records.update("vault", [{"id": vault, "closed": True}])
    writes: list[Callable[[Records], object]] = [
        lambda records: records.create("watch", [{"vault": vault, "guard": other}]),
        lambda records: records.update("watch", [{"id": row, "guard": other}]),
        lambda records: records.update("watch", [{"id": row, "vault": free}]),
        lambda records: records.update("watch", [{"id": loose, "vault": vault}]),
        lambda records: records.delete("watch", [row]),
        lambda records: records.delete("guard", [one])]
    for write in writes:
        with pytest.raises(RecordLocked), small.records() as records:
            write(records)


# Rights on lines and links through a table

def test_lines_that_may_not_be_changed_are_not_written_with_their_record(small: Small) -> None:
    vault = small.create("vault", name="Lines", owner=small.users["kim"], keys=[{"name": "k"}])
    [key] = small.read("vault", vault)["keys"]
    for lines in ([{"name": "new"}], [{"id": key["id"], "name": "x"}], [{"id": key["id"], "_delete": True}]):
        with pytest.raises(Invalid) as error, small.records("kim") as records:
            records.update("vault", [{"id": vault, "keys": lines}])
        assert [(p.field, p.code) for p in error.value.problems] == [("keys", "not_writable")]
    with pytest.raises(Invalid), small.records("kim") as records:
        records.create("vault", [{"name": "n", "keys": [{"name": "new"}]}])
    assert [one["name"] for one in small.read("vault", vault)["keys"]] == ["k"]


def test_links_that_may_not_be_changed_are_not_written_with_their_record(small: Small) -> None:
    guard = small.create("guard", name="G")
    vault = small.create("vault", name="Links", owner=small.users["kim"], guards=[guard])
    several: list[object] = [[], {"remove": [guard]}]
    for guards in several:
        with pytest.raises(Invalid) as error, small.records("kim") as records:
            records.update("vault", [{"id": vault, "guards": guards}])
        assert [(p.field, p.code) for p in error.value.problems] == [("guards", "not_writable")]
    assert small.read("vault", vault)["guards"] == [guard]


def test_lines_that_may_be_read_in_some_records_are_not_read_in_others(small: Small) -> None:
    mine = small.create("vault", name="Mine", owner=small.users["kim"], keys=[{"name": "k"}])
    other = small.create("vault", name="Other", keys=[{"name": "k"}])
    with small.session("kim") as session, small.records("kim") as records:
        found = {one["id"]: one["keys"] for one in records.read("vault", [mine, other], ["keys.name"])}
        assert [len(found[id]) for id in (mine, other)] == [1, 0]
        assert records.read("vault", [other])[0].get("keys", []) == []
        for id, seen in ((mine, 1), (other, 0)):
            changes = history.timeline(session, "vault", id).changes
            assert sum(len(change.lines) for change in changes) == seen
            then = versions.past(session, "vault", id, 1)
            assert len(versions.lines(session, "vault", id, then, "keys")) == seen


def test_what_may_not_be_created_is_not_created_as_a_line(small: Small) -> None:
    vault, other = small.create("vault", name="Hers"), small.create("vault", name="His")
    with small.records("sid") as records:
        records.update("vault", [{"id": other, "keys": [{"name": "k"}]}])
    with pytest.raises(Denied), small.records("sid") as records:
        records.create("vault_key", [{"vault": vault, "name": "k"}])
    with pytest.raises(Denied), small.records("sid") as records:
        records.update("vault", [{"id": vault, "keys": [{"name": "k"}]}])
    with pytest.raises(Denied), small.records("sid") as records:
        records.create("vault", [{"name": "Hers", "keys": [{"name": "k"}]}])


def test_a_field_that_nobody_may_export_is_in_no_export(small: Small) -> None:
    guard = small.create("guard", name="Gee", phone="12345")
    for user in ("ada", "kim"):
        with small.session(user) as session:
            assert Records(session).read("guard", [guard])[0]["phone"] == "12345"
            out = BytesIO()
            export(session, Wanted("guard"), built_in()["csv"], out)
            assert b"Gee" in out.getvalue() and b"12345" not in out.getvalue()
            with pytest.raises(BadRequest):
                export(session, Wanted("guard", ["phone"]), built_in()["csv"], BytesIO())


# What is not there and what may not be read are told alike

def test_a_record_of_a_kind_that_may_not_be_read_is_as_unknown_as_none(small: Small) -> None:
    box, none = small.create("box", name="B"), 10**15
    said = []
    for id in (box, none):
        with pytest.raises(NotFound) as error, small.records("kim") as records:
            records.update("thing", [{"id": id, "name": "x"}])
        said.append(str(error.value).replace(str(id), "#"))
        with pytest.raises(NotFound) as error, small.records("kim") as records:
            records.delete("thing", [id])
        said.append(str(error.value).replace(str(id), "#"))
        with pytest.raises(NotFound) as error, small.records("kim") as records:
            records.restore("thing", [id])
        said.append(str(error.value).replace(str(id), "#"))
    assert len(set(said)) == 1


def test_an_open_link_does_not_tell_of_tables_that_are_hidden(small: Small) -> None:
    merger, guard = small.create("merger", name="M"), small.create("guard", name="G")
    to_hidden, to_known = small.create("vault", name="H", about=merger), small.create("vault", name="K", about=guard)
    with small.records("kim") as records:
        found = {one["id"]: one for one in records.read("vault", [to_hidden, to_known], ["about"])}
        assert (found[to_hidden]["about_table"], found[to_hidden]["about_title"]) == (None, None)
        assert (found[to_known]["about_table"], found[to_known]["about_title"]) == ("guard", "G")
        assert [one["id"] for one in records.page("vault", ["id"], "about.guard is not None").records] == [to_known]
        said = set()
        for name in ("merger", "margin"):
            for where in ("about.X is not None", "about.X.name == 'M'", "about is X"):
                with pytest.raises(BadRequest) as error:
                    records.page("vault", ["id"], where.replace("X", name))
                said.add((where, str(error.value).replace(name, "X").partition(" (did you")[0]))
            for fields, order in ((["about.X.name"], []), (["id"], ["about.X.name"]), (["about.X"], [])):
                with pytest.raises(BadRequest) as error:
                    records.page("vault", [one.replace("X", name) for one in fields],
                                 order=[one.replace("X", name) for one in order])
                said.add((str(fields + order), str(error.value).replace(name, "X").partition(" (did you")[0]))
        assert len(said) == 6


# Stored formulas

def test_words_of_a_stored_formula_are_searched_by_those_who_may_read_all_of_it(small: Small) -> None:
    vault = small.create("vault", name="Safe", code="zanzibar")
    index(small)
    with small.records("ada") as records:
        assert [one["id"] for one in records.page("vault", ["id"], search="zanzibar").records] == [vault]
    with small.records("kim") as records:
        assert records.page("vault", ["id"], search="zanzibar").records == []
        assert records.count("vault", search="zanzibar") == (0, False)
        assert records.search("zanzibar") == []
        assert records.lookup("vault", "zanzibar", None, 5) == []
        assert [one["id"] for one in records.page("vault", ["id"], search="safe").records] == []
        assert "label" not in records.read("vault", [vault])[0]


# History

def test_reasons_of_unlockings_are_not_for_outsiders(small: Small) -> None:
    vault = small.create("vault", name="Open", closed=True)
    with small.session() as session:
        locked.unlock(session, "vault", vault, "the auditor found a mistake")
        assert "auditor" in str(history.timeline(session, "vault", vault).changes)
    with small.session("gus") as session:
        assert "auditor" not in str(history.timeline(session, "vault", vault).changes)
        assert "auditor" not in str(history.history(session, "vault", vault))


def test_who_serves_requests_cannot_have_history_forgotten(small: Small) -> None:
    vault = small.create("vault", name="Kept")
    count = "select count(*) from sys.history where record_id = :id"
    [(before,)] = small.sql(count, id=vault)
    with small.engine.connect() as connection:
        connection.execute(text("delete from sys.physical"))                # which is theirs to write
        connection.execute(text("select sys.forget_history(cast(:ids as bigint[]))"), {"ids": [vault]})
        left = connection.scalar(text(count), {"id": vault})
        connection.rollback()
    assert left == before > 0
