"""What people ask of a promotion that runs in another process, and what becomes of it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from core.bm import actions, service
from core.bm.engine import journal, wishes
from core.bm.engine.run import Action, Run
from core.bm.engine.steps import Step
from core.bm.engine.wishes import Cancelled
from core.errors import NotFound, Refused
from tests.core.bm.conftest import Live

# A step of every kind that comes before the flip, with columns that come and columns that return.
CHANGE = """
    change: table deal
    fields:
      region: {type: text, after: company}
      buyer: {type: link, to: company}
      half: {type: decimal, stored: true, formula: amount / 2}
    indexes: {by_amount: {fields: [amount]}}
    """
NEW = """
    table: visit
    title: Visit
    plural: Visits
    display: "{name}"
    fields: {name: {type: text}, company: {type: link, to: company}}
    """


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def number(system: Live) -> int:
    return int(system.sql("select max(id) from bm.promotion")[0][0])


def state(system: Live) -> str:
    return str(system.sql("select state from bm.promotion order by id desc limit 1")[0][0])


def ask(system: Live, wish: wishes.Wish, by: str = "anna") -> None:
    with system.engine.begin() as connection:
        wishes.ask(connection, number(system), wish, by)


def catalog(system: Live) -> list[object]:
    """All that a promotion could leave behind, but for its journal and the version that nobody uses."""
    return [system.sql(statement) for statement in (
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'ed'"
        " order by 1, 2",
        "select indexname, indexdef from pg_indexes where schemaname = 'ed' order by 1",
        "select conname, conrelid::regclass::text, convalidated from pg_constraint"
        " where connamespace = 'ed'::regnamespace order by 1, 2",
        "select tgname, tgrelid::regclass::text from pg_trigger where not tgisinternal and tgrelid in"
        " (select oid from pg_class where relnamespace = 'ed'::regnamespace) order by 1, 2",
        "select id, part, table_name, column_name, state, pending from sys.physical order by 1, 2",
        "select id, path, state from bm.member order by 1")]


@contextmanager
def promoting(system: Live) -> Iterator[list[BaseException]]:
    """A promotion in a thread, as in another process; what it raised, once the block is over."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            system.promote(author="bob")
        except BaseException as error:
            raised.append(error)
    thread = threading.Thread(target=run)
    thread.start()
    yield raised
    thread.join(30)
    assert not thread.is_alive()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The prepare step, which is the last before the flip, waits between batches: (it is there, it may go on)."""
    there, go_on = threading.Event(), threading.Event()
    original = actions.ACTIONS["prepare"]

    def prepare(run: Run, step: Step) -> None:
        there.set()
        end = time.monotonic() + 20
        while not go_on.is_set():
            assert time.monotonic() < end, "nobody let it go on"
            run.batches(step).breathe()
        original.do(run, step)
    monkeypatch.setitem(actions.ACTIONS, "prepare",
                        Action(prepare, original.undo))  # type: ignore[arg-type]
    yield there, go_on
    go_on.set()


Held = tuple[threading.Event, threading.Event]


def change(system: Live) -> None:
    system.site.write("deal.yaml", CHANGE)
    system.site.write("visit.yaml", NEW)


def test_requirement_13_cancelled_before_the_flip_all_that_was_made_is_gone(system: Live, held: Held) -> None:
    system.create("deal", title="Pilot", amount=10)
    change(system)
    kinds = [step.kind for step in system.plan().plan.steps]
    assert {"expand", "index", "suspend", "prepare"} <= set(kinds)
    before = catalog(system)
    with promoting(system) as raised:
        assert held[0].wait(20)
        assert catalog(system) != before
        ask(system, "cancel")
        wait_for(lambda: state(system) == "cancelled")
    [error] = raised
    assert isinstance(error, Cancelled) and str(error) == "cancelled by anna; nothing was changed"
    assert catalog(system) == before and system.version == 1
    done = kinds[1:kinds.index("prepare") + 1]
    assert system.sql("select kind, state from bm.step where promotion_id = 2 and state <> 'waiting' order by number"
                      ) == [("stage", "done"), *((kind, "undone") for kind in done)]
    with system.engine.connect() as connection:
        ran = journal.statements(connection, 2)
    undone = [one.step for one in ran if one.undo]
    assert undone == sorted(undone, reverse=True) and len(set(undone)) >= 4
    held[1].set()
    assert system.promote() == 2 and system.plan().plan.empty


def test_what_returns_from_being_parked_is_parked_again_by_a_cancel(system: Live, held: Held) -> None:
    change(system)
    held[1].set()
    system.promote()
    system.site.write("deal.yaml", None)
    system.promote()
    held[0].clear()
    held[1].clear()
    before = catalog(system)
    change(system)
    with promoting(system):
        assert held[0].wait(20)
        ask(system, "cancel")
    assert catalog(system) == before


def test_requirement_13_paused_it_rests_and_goes_on_when_asked(system: Live, held: Held) -> None:
    change(system)
    with promoting(system) as raised:
        assert held[0].wait(20)
        ask(system, "pause")
        wait_for(lambda: system.sql("select paused ->> 'by' from bm.promotion where id = 2") == [("anna",)])
        held[1].set()
        with system.engine.connect() as connection:
            found = journal.progress(connection, 2)
        assert found.asked == "pause" and found.paused is not None and found.paused["why"] == "asked"
        time.sleep(1)
        assert system.version == 1
        ask(system, "continue")
    assert not raised and system.version == 2
    assert system.sql("select paused from bm.promotion where id = 2") == [(None,)]
    assert system.sql("select wish, by_name from bm.wish order by id") == [("pause", "anna"), ("continue", "anna")]


def test_paused_and_cancelled(system: Live, held: Held) -> None:
    before = catalog(system)
    change(system)
    with promoting(system) as raised:
        assert held[0].wait(20)
        ask(system, "pause")
        wait_for(lambda: system.sql("select paused ->> 'by' from bm.promotion where id = 2") == [("anna",)])
        ask(system, "cancel")
    assert isinstance(raised[0], Cancelled) and catalog(system) == before


def test_after_the_flip_cancelling_is_refused_and_names_the_way_out(system: Live) -> None:
    change(system)
    told: list[str] = []

    def say(step: Step) -> None:
        if step.kind == "validate":
            with pytest.raises(Refused) as refused:
                ask(system, "cancel")
            told.append(str(refused.value))
    system.promote(say=say)
    assert set(told) == {"the version of promotion 2 is live already; roll back instead"}
    with pytest.raises(Refused, match="promotion 2 has ended already"):
        ask(system, "pause")
    with system.engine.begin() as connection, pytest.raises(NotFound):
        wishes.ask(connection, 77, "pause", "anna")


def test_a_wish_to_cancel_that_comes_with_the_flip_is_obeyed_or_refused_never_lost(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked after the last look and before the flip: the transaction of the flip looks itself."""
    from core.bm import switching
    original = switching.flip_in

    def late(run: Run, connection: object, step: Step) -> None:
        ask(system, "cancel")
        original(run, connection, step)  # type: ignore[arg-type]
    monkeypatch.setattr(switching, "flip_in", late)
    before = catalog(system)
    change(system)
    with pytest.raises(Cancelled):
        system.promote()
    assert system.version == 1 and catalog(system) == before


def test_a_long_index_is_cancelled_in_its_midst(system: Live) -> None:
    """It waits for a transaction that has an old snapshot; the page shows that, and cancelling does not wait for it."""
    change(system)
    before = catalog(system)
    with system.engine.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
        reader.execute(text("select 1 from bm.live"))
        with promoting(system) as raised:
            wait_for(lambda: system.sql("select 1 from bm.step where kind = 'index' and state = 'running'"
                                        " and note::text like '%waits for%'") == [(1,)])
            ask(system, "cancel")
            wait_for(lambda: state(system) in ("undoing", "cancelled"))
            reader.rollback()
    assert isinstance(raised[0], Cancelled)
    assert catalog(system) == before
    assert system.sql("select count(*) from pg_index where not indisvalid") == [(0,)]


def test_a_process_told_to_end_leaves_the_rest_to_another(system: Live, held: Held) -> None:
    change(system)
    held[1].set()
    stopping: list[str] = []

    def say(step: Step) -> None:
        if step.kind == "prepare":
            stopping.append("leave")
            time.sleep(0.5)
    with pytest.raises(wishes.Left):
        system.promote(say=say, stop=lambda: stopping[-1] if stopping else "")
    assert state(system) in ("running", "preparing") and system.version == 1
    assert service.finish_earlier(system.engine, system.plugins)
    assert system.version == 2 and state(system) == "done"


def test_ctrl_c_takes_back_what_is_not_live_and_leaves_what_is(system: Live) -> None:
    from core.cli.interrupting import interruptible
    before = catalog(system)
    change(system)

    def press(kind: str) -> Callable[[Step], None]:
        def say(step: Step) -> None:
            if step.kind == kind:
                signal.raise_signal(signal.SIGINT)
                time.sleep(0.5)
        return say
    with pytest.raises(Cancelled, match="cancelled; nothing was changed"), interruptible() as stop:
        system.promote(say=press("prepare"), stop=stop)
    assert catalog(system) == before and state(system) == "cancelled"
    with pytest.raises(Refused, match="live already; what is left is done by the work process"), \
            interruptible() as stop:
        system.promote(say=press("compute"), stop=stop)
    assert system.version == 2 and state(system) == "flipped"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert service.finish_earlier(system.engine, system.plugins) and state(system) == "done"
