"""Processes that follow promotions without a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from core.bm import follow
from core.bm.engine.steps import Step
from core.bm.follow import Systems
from core.bm.versions import live
from core.database import engine as engines
from core.ed.records import Records
from core.ed.session import Session
from core.errors import Refused
from core.plugins import Plugins
from tests.core.bm.conftest import Live

REGION = "change: table deal\nfields:\n  region: {type: text, after: company}\n"


@pytest.fixture
def workers(system: Live) -> Iterator[list[Systems]]:
    """Two processes' worth of following, as the role that serves."""
    pools = [engines.open(system.settings, "app") for _ in range(2)]
    made = [Systems(pool, Plugins()) for pool in pools]
    for one in made:
        one.start()
    wait_for(lambda: system.sql("select count(*) from sys.worker where prepared = 1") == [(2,)])
    yield made
    for one, pool in zip(made, pools, strict=True):
        one.stop()
        pool.dispose()


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def test_requirement_7_every_worker_has_the_new_version_built_before_it_is_live(system: Live, workers: list[Systems]) -> None:
    system.site.write("deal.yaml", REGION)
    system.promote()
    for worker in workers:
        assert worker._known(2) is not None
        built = worker.get(2)
        assert built is not None and "region" in built.model.tables["deal"].fields
        assert worker.get(1) is not built
    wait_for(lambda: system.sql("select count(*) from sys.worker where version = 2") == [(2,)])


def test_a_version_is_built_once_however_many_ask(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = engines.open(system.settings, "app")
    systems = Systems(pool, Plugins())
    built: list[int] = []
    original = live.system
    monkeypatch.setattr(live, "system", lambda *a: (built.append(1), time.sleep(0.1), original(*a))[2])
    threads = [threading.Thread(target=systems.get, args=(1,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1 and systems.get(0) is None
    pool.dispose()


def test_a_worker_that_cannot_build_the_version_stops_the_promotion_and_live_stays(
        system: Live, workers: list[Systems], monkeypatch: pytest.MonkeyPatch) -> None:
    original = live.system

    def broken(connection: object, version: int, plugins: Plugins) -> object:
        if version == 2:
            raise Refused("version 2 needs the Python code (plugin.py) of: rating; it is not here")
        return original(connection, version, plugins)  # type: ignore[arg-type]
    monkeypatch.setattr(live, "system", broken)
    system.site.write("deal.yaml", REGION)
    with pytest.raises(Refused, match=r"cannot run the new version: .*plugin\.py"):
        system.promote()
    assert system.version == 1
    monkeypatch.undo()
    assert system.promote() == 2


def test_requirement_2_hygiene_waits_for_requests_that_still_run_on_the_old_version(system: Live, workers: list[Systems]) -> None:
    text_of = (system.site.folder / "addons/shop/company.yaml").read_text()
    system.site.addon("company.yaml", text_of.replace("  size: {type: integer}\n", ""))
    done = threading.Thread(target=system.promote)
    with workers[0].pin(1):
        done.start()
        wait_for(lambda: system.version == 2)
        time.sleep(0.3)
        assert system.sql("select p.state from sys.physical p join bm.member using (id) where path = 'company.size'"
                          ) == [("live",)]
    done.join(timeout=5)
    assert not done.is_alive()
    assert system.sql("select p.state from sys.physical p join bm.member using (id) where path = 'company.size'"
                      ) == [("parked",)]


def test_a_worker_that_lost_its_connection_follows_again(system: Live, workers: list[Systems]) -> None:
    with system.engine.begin() as connection:
        connection.execute(text("select pg_terminate_backend(pid) from pg_stat_activity where usename like '%_app'"
                                " and datname = current_database()"))
    system.site.write("deal.yaml", REGION)
    system.promote()
    wait_for(lambda: system.sql("select count(*) from sys.worker where version = 2") == [(2,)])


def test_a_worker_that_died_is_waited_for_no_longer_than_its_lease(system: Live) -> None:
    with system.engine.begin() as connection:
        connection.execute(text("insert into sys.worker (id, pid, kind, lease_until)"
                                " values (gen_random_uuid(), 1, 'serve', now() + interval '1 second')"))
    system.site.write("deal.yaml", REGION)
    started = time.monotonic()
    assert system.promote() == 2
    assert time.monotonic() - started < 5


def test_stopping_takes_a_worker_off_the_list(system: Live, workers: list[Systems]) -> None:
    for worker in workers:
        worker.stop()
    assert system.sql("select count(*) from sys.worker") == [(0,)]


def test_a_version_that_comes_back_is_built_again_for_it_must_not_show_what_was_parked_since(
        system: Live, workers: list[Systems]) -> None:
    first = workers[0].get(1)
    system.site.write("firm.yaml", """
        table: firm
        title: Firm
        plural: Firms
        display: "{name}"
        base: company
        fields: {code: {type: text}}
        """)
    system.promote()
    system.create("firm", name="Acme")
    system.rollback()
    again = workers[0].get(1)
    assert again is not first and again is not None
    with system.engine.connect() as connection:
        records = Records(Session.system_session(again, connection))
        assert records.page("company", ["name"]).records == []


def test_a_request_that_promotes_does_not_wait_for_itself(system: Live, workers: list[Systems]) -> None:
    text_of = (system.site.folder / "addons/shop/company.yaml").read_text()
    system.site.addon("company.yaml", text_of.replace("  size: {type: integer}\n", ""))
    started = time.monotonic()
    with workers[0].pin(1), workers[0].aside(1):
        system.promote()
    assert time.monotonic() - started < 5


def test_fault_24_and_requirement_7_a_worker_that_heard_nothing_is_right_with_its_next_request(system: Live) -> None:
    """What a request reads first counts: no message came, and its lease was over long ago."""
    pool = engines.open(system.settings, "app")
    asleep = Systems(pool, Plugins())                       # never started: it neither listens nor reports
    assert asleep.get(1) is not None
    system.site.write("deal.yaml", REGION)
    system.promote()
    with pool.connect() as connection:
        version, _ = live.current(connection)
    with asleep.pin(version) as found:
        assert found is not None and "region" in found.model.tables["deal"].fields
    pool.dispose()


def test_fault_24_workers_are_on_the_new_version_when_promoting_returns(
        system: Live, workers: list[Systems]) -> None:
    system.site.write("deal.yaml", REGION)
    system.site.write("company.yaml", "change: table company\nindexes: {size: {fields: [size]}}\n")
    system.promote()
    system.site.write("company.yaml", None)                 # an index that goes: what follows the flip waits for all
    system.promote()
    assert system.sql("select distinct version, oldest from sys.worker") == [(3, None)]


def test_requirement_7_a_worker_that_starts_during_the_flip_follows(system: Live, workers: list[Systems]) -> None:
    pool = engines.open(system.settings, "app")
    late = Systems(pool, Plugins())

    def say(step: Step) -> None:
        if step.kind == "flip":
            late.start()
    system.site.write("deal.yaml", REGION)
    system.promote(say=say)
    wait_for(lambda: system.sql("select count(*) from sys.worker where version = 2") == [(3,)])
    late.stop()
    pool.dispose()


def test_requirement_7_a_version_of_many_tables_is_built_by_no_request(
        system: Live, workers: list[Systems], monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        system.site.write(f"many_{number}.yaml", f"table: many_{number}\ndisplay: '{{name}}'\n"
                                                 "fields: {name: {type: text}, company: {type: link, to: company}}\n")
    built: list[str] = []
    original = live.system
    monkeypatch.setattr(live, "system", lambda *given: (built.append(threading.current_thread().name),
                                                        original(*given))[1])
    system.promote()
    before = len([name for name in built if name == "MainThread"])
    for worker in workers:
        with worker.pin(2) as found:
            assert found is not None and "many_39" in found.model.tables
    assert len([name for name in built if name == "MainThread"]) == before
    assert "tessera-follow" in built


def test_a_request_that_is_about_to_say_its_version_is_waited_for(
        system: Live, workers: list[Systems], monkeypatch: pytest.MonkeyPatch) -> None:
    """It read what was live right before the flip, and has not pinned it yet when its process looks."""
    monkeypatch.setattr(follow, "ARRIVAL", 0.05)
    read, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def version() -> int:
        found = system.version
        read.set()
        assert go_on.wait(20)
        return found

    def request() -> None:
        with workers[0].request(version) as found:
            assert found is not None and found.version == 1
            assert ended.wait(20)
    thread = threading.Thread(target=request)
    thread.start()
    assert read.wait(20)
    text_of = (system.site.folder / "addons/shop/company.yaml").read_text()
    system.site.addon("company.yaml", text_of.replace("  size: {type: integer}\n", ""))
    promoting = threading.Thread(target=system.promote)
    promoting.start()
    wait_for(lambda: system.version == 2)
    wait_for(lambda: system.sql("select count(*) from sys.worker where oldest = 0") == [(1,)])
    go_on.set()
    wait_for(lambda: system.sql("select count(*) from sys.worker where oldest = 1") == [(1,)])
    assert system.sql("select state from bm.step where promotion_id = 2 and kind = 'acknowledge'") == [("running",)]
    ended.set()
    thread.join(20)
    promoting.join(20)
    assert system.sql("select state from bm.promotion where id = 2") == [("done",)]


def test_a_job_holds_its_version_until_its_transaction_is_over(system: Live) -> None:
    pool = engines.open(system.settings, "app")
    systems = Systems(pool, Plugins())
    with pool.begin() as connection:
        assert systems.hold(connection, lambda: 1) is systems.hold(connection, lambda: 1) is not None
        assert systems._older_than(2) == 1
    assert systems._older_than(2) is None
    with pytest.raises(ZeroDivisionError), pool.begin() as connection:
        systems.hold(connection, lambda: 1)
        1 / 0  # noqa: B018
    assert systems._older_than(2) is None
    pool.dispose()
