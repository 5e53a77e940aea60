"""A promotion that changes who may read what also changes who may find it."""

from __future__ import annotations

from core.bm.versions import live
from core.ed.search_index import index_queue
from tests.core.bm.conftest import Live

NOTE = "change: table company\nfields:\n  note: {type: memo, search: words}\n"
ROLE = "role: reader\ntitle: Reader\ngrants:\n  company: {read: true}\n"
PARTS = "select part from sys.search order by part"
JOBS = "select task_name from jobs.procrastinate_jobs where status = 'todo'"


def index(system: Live) -> None:
    with system.engine.begin() as connection:
        index_queue(connection, live.system(connection, live.current(connection)[0], system.plugins))


def test_words_of_a_field_that_got_a_right_of_its_own_are_found_by_nobody_until_indexed_anew(system: Live) -> None:
    system.site.write("company.yaml", NOTE)
    system.site.write("reader.yaml", ROLE)
    system.promote()
    assert system.sql(JOBS) == [("rebuild_search",)]        # there may be records: theirs are to be indexed
    system.create("company", name="Acme", note="zanzibar")
    index(system)
    assert system.sql(PARTS) == [(0,)]

    system.site.write("title.yaml", "change: table company\ntitle: Firm\n")
    system.promote()
    assert system.sql(PARTS) == [(0,)]

    system.site.write("reader.yaml", ROLE + "  company.note: {read: false}\n")
    system.promote()
    assert system.sql(PARTS) == []
    assert system.sql(JOBS) == [("rebuild_search",)]        # one that waits is enough
