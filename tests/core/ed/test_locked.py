"""Locked records: nothing writes them, in whatever way it is tried, until somebody unlocks them with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, text

from core.ed import locked
from core.ed.records import Records
from core.errors import Denied, Invalid, NotFound, RecordLocked, Refused
from core.settings import Settings
from tests.fixtures.rights import House, house


@pytest.fixture(scope="module")
def home(engine: Engine, app_engine: Engine, database: Settings) -> House:
    place = house(engine, app_engine)
    place.person("cora", "contractor", "employee")
    place.person("abe", "approver", "employee")
    place.person("ada", "administrator")
    place.put("case", "case", name="Partner", owner=place["cora"])
    return place


@pytest.fixture
def approved(home: House) -> House:
    """An approved contract with an item (and a part of it), a comment, an annex and a contract below it."""
    with home.records("ada") as records:
        [home.ids["contract"]] = records.create("contract", [{
            "name": "Deal", "owner": home["abe"], "partner": home["case"], "comments": [{"text": "fine"}],
            "items": [{"name": "Item", "parts": [{"name": "Part"}]}]}])
        [home.ids["sketch"]] = records.create("contract", [{"name": "Draft", "items": [{"name": "Loose"}]}])
        [home.ids["annex"]] = records.create("annex", [{"name": "Annex", "contract": home["contract"]}])
        [home.ids["under"]] = records.create("contract", [{"name": "Under", "above": home["contract"]}])
        for name, table, where in (("item", "contract_item", "name == 'Item'"), ("part", "contract_part", None),
                                   ("comment", "contract_comment", None), ("loose", "contract_item", "name == 'Loose'")):
            home.ids[name] = records.page(table, ["id"], where, order=["-id"]).records[0]["id"]
        records.update("contract", [{"id": home["contract"], "state": "approved"}])     # what locks is written
    return home


def change(table: str, short: str, /, **values: object) -> Callable[[House, Records], object]:
    """A change of a record by its short name; values that are short names are ids."""
    def call(home: House, records: Records) -> object:
        known = {key: home.ids[value] if isinstance(value, str) and value in home.ids else value
                 for key, value in values.items()}
        return records.update(table, [{"id": home[short], **known}])
    return call


WRITES: dict[str, Callable[[House, Records], object]] = {
    "a field": change("contract", "contract", name="Other"),
    "the state that locks it": change("contract", "contract", state="draft"),
    "a link": change("contract", "contract", owner="cora"),
    "a field beside one that is open": change("contract", "contract", remark="x", name="Other"),
    "a new line": change("contract", "contract", items=[{"name": "More"}]),
    "a line by itself": change("contract_item", "item", name="Other"),
    "a line of a line": change("contract_part", "part", name="Other"),
    "a new line by itself": lambda home, r: r.create("contract_item", [{"contract": home["contract"], "name": "x"}]),
    "a line that comes": change("contract_item", "loose", contract="contract"),
    "a line that goes": change("contract_item", "item", contract="sketch"),
    "a line removed": lambda home, r: r.update("contract", [{"id": home["contract"], "items": [
        {"id": home["item"], "_delete": True}]}]),
    "a line into the trash": lambda home, r: r.delete("contract_item", [home["item"]]),
    "a line of a line into the trash": lambda home, r: r.delete("contract_part", [home["part"]]),
    "into the trash": lambda home, r: r.delete("contract", [home["contract"]]),
    "among others": lambda home, r: r.update("contract", [{"id": home["sketch"], "name": "x"},
                                                          {"id": home["contract"], "name": "y"}]),
    "among others, first": lambda home, r: r.update("contract", [{"id": home["contract"], "name": "y"},
                                                                 {"id": home["sketch"], "name": "x"}]),
    "among others into the trash": lambda home, r: r.delete("contract", [home["sketch"], home["contract"]]),
    "a link emptied by trashing what it leads to": lambda home, r: r.delete("case", [home["case"]]),
    "what is locked with it": change("annex", "annex", name="Other"),
    "what is locked with it, let go": change("annex", "annex", contract=None),
    "what is locked with it, into the trash": lambda home, r: r.delete("annex", [home["annex"]]),
    "something new that is locked with it": lambda home, r: r.create(
        "annex", [{"name": "New", "contract": home["contract"]}]),
}


@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("how", ["page", "api", "import", "agent"])
def test_row_44_nobody_writes_a_locked_record(approved: House, unchanged, what: str, how: str) -> None:
    for user in ("cora", "ada"):
        with unchanged(), pytest.raises(RecordLocked), approved.records(user, how) as records:
            WRITES[what](approved, records)
    with unchanged(), pytest.raises(RecordLocked), approved.records() as records:      # nor does core by itself
        WRITES[what](approved, records)


def test_row_44_a_field_that_is_read_only_is_not_set(approved: House, unchanged) -> None:
    with unchanged(), pytest.raises(Invalid), approved.records("cora") as records:
        records.update("contract", [{"id": approved["sketch"], "fixed": "x"}])
    with unchanged(), pytest.raises(Invalid), approved.records("cora") as records:
        records.create("contract", [{"name": "x", "fixed": "x"}])


def test_rights_are_asked_before_the_lock(approved: House) -> None:
    approved.person("eve", "employee")
    with pytest.raises(NotFound), approved.records("eve") as records:
        records.update("contract", [{"id": approved["contract"], "name": "x"}])


def test_what_is_excepted_is_written_and_nothing_more(approved: House) -> None:
    with approved.records("cora") as records:
        records.update("contract", [{"id": approved["contract"], "remark": "seen"}])
        records.update("contract", [{"id": approved["contract"], "comments": [{"text": "more"}]}])
        records.update("contract_comment", [{"id": approved["comment"], "text": "changed"}])
        records.update("contract", [{"id": approved["contract"], "name": "Deal", "remark": "again"}])    # as it is
        records.update("contract", [{"id": approved["under"], "name": "No line of it"}])
        [read] = records.read("contract", [approved["contract"]], ["name", "remark", "comments"])
    assert (read["remark"], len(read["comments"])) == ("again", 2)


def test_the_refusal_says_why_and_who_may_unlock(approved: House) -> None:
    for table, name, said in (("contract", "contract", "This record is locked: Deal was approved."),
                              ("contract_item", "item", "“Deal”, to which this belongs, is locked: Deal was approved.")):
        with pytest.raises(RecordLocked) as refused, approved.records("cora") as records:
            records.update(table, [{"id": approved[name], "name": "x"}])
        assert str(refused.value) == f"{said} These roles may unlock it: Administrator, Approver."
        assert (refused.value.table, refused.value.id) == ("contract", approved["contract"])


# Unlocking


def unlock(home: House, user: str, reason: str = "a typing error") -> datetime:
    with home.records(user) as records:
        return locked.unlock(records.session, "contract", home["contract"], reason)


def test_unlocking_takes_a_right_and_a_reason(approved: House, unchanged) -> None:
    with unchanged(), pytest.raises(Denied, match=r"You may not unlock this contract\. These roles may"):
        unlock(approved, "cora")
    for reason in ("", "  ", "x" * 1001, "\x00", "\ud800"):
        with unchanged(), pytest.raises(Invalid):
            unlock(approved, "abe", reason)
    for name in ("sketch", "under"):
        with unchanged(), pytest.raises(Refused), approved.records("ada") as records:
            locked.unlock(records.session, "contract", approved[name], "why not")
    with approved.records("ada") as records:
        records.update("contract", [{"id": approved["sketch"], "state": "approved"}])
    with unchanged(), pytest.raises(Denied), approved.records("abe") as records:         # the right is for his own
        locked.unlock(records.session, "contract", approved["sketch"], "why not")
    for table, id in (("contract", 2**62), ("nothing", 1), ("contract", approved["annex"])):
        with unchanged(), pytest.raises(NotFound), approved.records("ada") as records:
            locked.unlock(records.session, table, id, "x")


@pytest.mark.parametrize("what", [name for name in WRITES if "trashing what" not in name])
def test_whoever_unlocked_it_writes_it_and_nobody_else_does(approved: House, what: str) -> None:
    unlock(approved, "ada")
    with pytest.raises(RecordLocked), approved.records("cora") as records:
        WRITES[what](approved, records)
    with approved.records("ada") as records:
        WRITES[what](approved, records)


def test_it_is_locked_again_after_the_next_save(approved: House) -> None:
    unlock(approved, "abe")
    with approved.records("abe") as records:
        records.update("contract", [{"id": approved["contract"], "remark": "this is open anyway"}])
        records.update("contract", [{"id": approved["contract"], "name": "Mended", "items": [{"name": "One more"}]}])
    for values in ({"name": "Again"}, {"items": [{"name": "Again"}]}):
        with pytest.raises(RecordLocked), approved.records("abe") as records:
            records.update("contract", [{"id": approved["contract"], **values}])


def test_a_save_of_a_line_ends_it_too(approved: House) -> None:
    unlock(approved, "abe")
    with approved.records("abe") as records:
        records.update("contract_item", [{"id": approved["item"], "name": "Mended"}])
    with pytest.raises(RecordLocked), approved.records("abe") as records:
        records.update("contract_item", [{"id": approved["item"], "name": "Again"}])


def test_it_ends_after_an_hour_or_when_its_maker_says_so(approved: House) -> None:
    until = unlock(approved, "abe")
    assert timedelta(minutes=59) < until - datetime.now(UTC) <= timedelta(hours=1)
    with approved.records("abe") as records:
        standing = locked.standing(records.session, "contract", approved["contract"])
        assert standing and standing.by is None and standing.until == until and standing.reason == "a typing error"
    with approved.owner.begin() as connection:
        connection.execute(text("update sys.unlocked set until = now()"))
    with pytest.raises(RecordLocked), approved.records("abe") as records:
        WRITES["a field"](approved, records)
    unlock(approved, "abe")
    with approved.records("abe") as records:
        locked.lock_again(records.session, "contract", approved["contract"])
    with pytest.raises(RecordLocked), approved.records("abe") as records:
        WRITES["a field"](approved, records)


def test_history_keeps_the_reason(approved: House) -> None:
    unlock(approved, "abe", "a wrong name")
    with approved.records("abe") as records:
        change("contract", "contract", name="Right name")(approved, records)
        told = records.history("contract", approved["contract"])
    assert [(c.user_title, dict(c.fields)) for c in told[:2]] == [
        ("abe", {"name": ("Deal", "Right name")}), ("abe", {"_unlocked": (None, "a wrong name")})]


def test_out_of_the_trash_it_comes_unlocked_only(approved: House) -> None:
    unlock(approved, "ada")
    with approved.records("ada") as records:
        records.delete("contract", [approved["contract"]])
    with pytest.raises(RecordLocked), approved.records("ada") as records:
        records.restore("contract", [approved["contract"]])
    unlock(approved, "ada")
    with approved.records("ada") as records:
        records.restore("contract", [approved["contract"]])
        assert records.read("contract_item", [approved["item"]], ["name"])


def test_what_a_form_needs_to_know(approved: House) -> None:
    with approved.records("abe") as records:
        own = locked.standing(records.session, "contract", approved["contract"])
        line = locked.standing(records.session, "contract_part", approved["part"])
        free = locked.standing(records.session, "contract", approved["sketch"])
        comment = locked.standing(records.session, "contract_comment", approved["comment"])
        assert own and own.by and own.may_unlock and own.fields == {"remark", "comments"}
        assert line and line.by and line.by.id == approved["contract"] and not line.may_unlock
        assert free and free.by is None and comment and comment.by is None
        assert locked.standing(records.session, "user", approved["abe"]) is None


def test_tables_without_locks_cost_no_statement(home: House, statements_of) -> None:
    with home.records("cora") as records:
        records.read("user", [home["cora"]], ["name"])
        with statements_of(records.session.connection) as sent:
            assert locked.standing(records.session, "case", home["case"]) is None
        assert sent == []


def test_a_line_waits_for_the_approval_of_its_record(approved: House) -> None:
    """Approving and adding a line at the same moment: whichever comes second sees the first."""
    with approved.records("ada") as records:
        records.update("contract", [{"id": approved["sketch"], "state": "draft"}])
    refused, start = [], Barrier(2)

    def add() -> None:
        try:
            with approved.records("ada") as records:
                start.wait()
                records.create("contract_item", [{"contract": approved["sketch"], "name": "late"}])
        except RecordLocked as error:
            refused.append(error)
    other = Thread(target=add)
    with approved.records("ada") as records:
        records.update("contract", [{"id": approved["sketch"], "state": "approved"}])
        other.start()
        start.wait()
        other.join(0.3)
        assert other.is_alive()
    other.join(10)
    assert len(refused) == 1
