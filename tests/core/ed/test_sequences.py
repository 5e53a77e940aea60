"""Sequences of definitions: formats, years and months in the right zone, series apart, gaps or none, many at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from core.bm.versions import live
from core.database import engine as engines
from core.ed.records import Records
from core.ed.session import Session
from core.errors import Invalid
from core.settings import Settings
from tests.small_system import Small, small_system

MORE = {
    "tables/order.yaml": """
table: order
title: Order
plural: Orders
fields:
  name:         {type: text, required: true}
  organisation: {type: link, to: organisation}
  kind:         {type: text}
  size:         {type: integer, min: 0}
  year_code:    {type: sequence, sequence: by_year}
  month_code:   {type: sequence, sequence: by_month}
  own_code:     {type: sequence, sequence: by_organisation}
  kind_code:    {type: sequence, sequence: by_kind}
  exact:        {type: sequence, sequence: exact}
  loose:        {type: sequence, sequence: loose}
rules:
  small: {check: size < 10, message: "Too large."}
""",
    "sequences/by_year.yaml": 'sequence: by_year\nformat: "Y{year}-{number:3}"\nrestart: year\n',
    "sequences/by_month.yaml": 'sequence: by_month\nformat: "M{year}{month}-{number}"\nrestart: month\nstart: 10\n',
    "sequences/by_organisation.yaml": 'sequence: by_organisation\nformat: "{organisation.name}/{year}/{number}"\n'
                                      "restart: year\nper: organisation\ngaps: none\n",
    "sequences/by_kind.yaml": 'sequence: by_kind\nformat: "{kind}-{number}"\nper: kind\nwas: old_kind\n',
    "sequences/exact.yaml": 'sequence: exact\nformat: "{number}"\ngaps: none\n',
    "sequences/loose.yaml": 'sequence: loose\nformat: "{number}"\n',
}
CODES = ["year_code", "month_code", "own_code", "kind_code", "exact", "loose"]


@pytest.fixture(scope="module")
def small(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_system(database, tmp_path_factory.mktemp("sequences"), MORE) as found:
        yield found


@pytest.fixture(autouse=True)
def from_one(small: Small) -> None:
    with small.owner.begin() as connection:
        connection.execute(text("delete from sys.sequence"))


def create(small: Small, moment: datetime, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Make orders at a moment; the codes they got."""
    with engines.transaction(small.engine) as connection, small.systems.pin(live.current(connection)[0]) as system:
        assert system is not None
        records = Records(Session.open(system, connection, Session.system_session(system, connection).user, now=moment))
        ids = records.create("order", [{"name": "x", **row} for row in rows])
        found = {one["id"]: one for one in records.read("order", ids, CODES)}
        return [dict(found[id_]) for id_ in ids]


def test_numbers_begin_again_each_year_and_month_of_the_systems_zone(small: Small) -> None:
    moments = [datetime(2025, 12, 31, 22, 59, tzinfo=UTC), datetime(2025, 12, 31, 23, 1, tzinfo=UTC),
               datetime(2026, 1, 31, 22, 59, tzinfo=UTC), datetime(2026, 1, 31, 23, 1, tzinfo=UTC)]
    made = [create(small, moment, [{}])[0] for moment in moments]               # the zone is Berlin's
    assert [one["year_code"] for one in made] == ["Y2025-001", "Y2026-001", "Y2026-002", "Y2026-003"]
    assert [one["month_code"] for one in made] == ["M202512-10", "M202601-10", "M202601-11", "M202602-10"]


def test_each_organisation_counts_by_itself_and_in_its_own_zone(small: Small) -> None:
    tokyo = small.create("organisation", name="T", time_zone="Asia/Tokyo")
    lima = small.create("organisation", name="L", time_zone="America/Lima")
    lost = small.create("organisation", name="X", time_zone="Moon/Base")
    made = create(small, datetime(2025, 12, 31, 20, tzinfo=UTC), [
        {"organisation": tokyo}, {"organisation": lima}, {}, {"organisation": tokyo}, {"organisation": lost}])
    assert [one["own_code"] for one in made] == ["T/2026/1", "L/2025/1", "/2025/1", "T/2026/2", "X/2025/1"]


def test_each_value_counts_by_itself(small: Small) -> None:
    made = create(small, datetime(2026, 1, 1, tzinfo=UTC), [{"kind": kind} for kind in ("a", "b", "a", None)])
    assert [one["kind_code"] for one in made] == ["a-1", "b-1", "a-2", "-1"]


def test_a_renamed_sequence_goes_on_counting(small: Small) -> None:
    with small.owner.begin() as connection:
        connection.execute(text("insert into sys.sequence values ('old_kind/a', 41)"))
    made = create(small, datetime(2026, 1, 1, tzinfo=UTC), [{"kind": "a"}, {"kind": "b"}])
    assert [one["kind_code"] for one in made] == ["a-42", "b-1"]
    assert create(small, datetime(2026, 1, 1, tzinfo=UTC), [{"kind": "a"}])[0]["kind_code"] == "a-43"


def test_a_record_that_is_given_up_leaves_a_gap_only_where_that_is_allowed(small: Small) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    create(small, moment, [{}])
    with pytest.raises(Invalid, match="Too large"):
        create(small, moment, [{"size": 99}])
    [made] = create(small, moment, [{}])
    assert (made["exact"], made["loose"]) == ("2", "3")


def test_who_draws_a_number_without_gaps_waits_and_nobody_else_does(small: Small) -> None:
    order: list[str] = []
    drawn, go = threading.Event(), threading.Event()

    def first() -> None:
        with small.records() as records:
            records.create("order", [{"name": "first"}])
            drawn.set()
            assert go.wait(20)
            order.append("first is saved")

    def second() -> None:
        with small.records() as records:
            records.create("order", [{"name": "second"}])
        order.append("second is saved")
    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert drawn.wait(20)
    with small.owner.connect() as connection:               # what is drawn aside is free again already
        assert connection.scalar(text("select value from sys.sequence where name = 'loose'")) == 1
        connection.execute(text("select value from sys.sequence where name = 'loose' for update nowait"))
        connection.rollback()
    threads[1].start()
    while small.sql("select count(*) from pg_locks where not granted")[0][0] == 0 and threads[1].is_alive():
        pass
    assert order == []
    go.set()
    for thread in threads:
        thread.join()
    assert order == ["first is saved", "second is saved"]


@pytest.mark.parametrize(("code", "whole"), [("exact", True), ("loose", False)])
def test_many_at_once_never_get_the_same(small: Small, code: str, whole: bool) -> None:
    before = len(small.all("order"))

    def work(number: int) -> None:
        for turn in range(8):
            rows = [{"name": f"{number}.{turn}", "size": 99 if (number + turn) % 4 == 0 else 1}] * (1 + turn % 3)
            try:
                with small.records() as records:
                    records.create("order", rows)
            except Invalid:
                continue
    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = small.all("order", fields=("name", code))[before:]
    numbers = sorted(int(one[code]) for one in made)
    assert len(numbers) > 20 and len(set(numbers)) == len(numbers)
    assert (numbers == list(range(1, len(numbers) + 1))) is whole


def test_the_code_of_a_record_stays_when_it_changes(small: Small) -> None:
    id_ = small.create("order", name="one", kind="a")
    with small.records() as records:
        version = records.read("order", [id_], ["id"])[0]["_version"]
        records.update("order", [{"id": id_, "_version": version, "kind": "b"}])
    assert small.read("order", id_)["kind_code"] == "a-1"
