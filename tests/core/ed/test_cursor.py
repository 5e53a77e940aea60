"""Pages behind a cursor: nothing twice, nothing left out, empty values last both ways."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date
from itertools import product
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from core.ed import cursor
from core.ed.records import Records
from core.errors import BadRequest
from tests.core.ed.world import World
from tests.fixtures.sample import add


def walk(records: Records, order: list[str], limit: int) -> list[int]:
    ids, after = [], None
    while True:
        page = records.page("deal", ["name"], order=order, limit=limit, after=after)
        ids += [record["id"] for record in page.records]
        after = page.next
        assert (after is not None) == page.more
        if after is None:
            return ids


ORDERS = [[], ["id"], ["-id"], ["amount"], ["-amount"], ["close_date", "-amount"], ["-close_date", "name"],
          ["company", "-stage"], ["weighted"],
          ["-late", "id"], ["-created_on"], ["company.city", "-line_total"], ["probability", "-name"],
          ["-owner", "starts"]]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_small_pages_give_what_one_large_page_gives(world: World, connection: Connection, order: list[str]) -> None:
    for number, (amount, close) in enumerate(product([None, 5, 7], [None, "2026-01-01", "2026-05-05"])):
        add(connection, world.system, "deal", name=f"more {number % 4}", owner=world.ids["bob"], amount=amount,
            close_date=close, stage="offer")
    records = world.records(connection, "bob")
    whole = [record["id"] for record in records.page("deal", ["name"], order=order, limit=1000).records]
    assert len(whole) == len(set(whole)) == 12
    assert walk(records, order, 1) == walk(records, order, 5) == walk(records, order, 12) == whole


def test_offsets_give_the_same_pages(world: World, connection: Connection) -> None:
    records = world.records(connection)
    whole = [r["id"] for r in records.page("deal", ["name"], order=["name"]).records]
    assert [r["id"] for r in records.page("deal", ["name"], order=["name"], offset=2, limit=2).records] == whole[2:4]


def test_empty_values_come_last_both_ways(world: World, connection: Connection) -> None:
    records = world.records(connection)
    for order in (["close_date"], ["-close_date"]):
        dates = [r["close_date"] for r in records.page("deal", ["close_date"], order=order).records]
        assert dates[-2:] == [None, None] and None not in dates[:-2]


def made(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


STAMP = cursor._stamp(["-close_date"])


@pytest.mark.parametrize("text", [
    "", "x", "===", "\u00e9", "A" * 5000, made(), made(1, 2), made(STAMP),
    made(STAMP, "2026-01-01"), made(STAMP, "x", 3), made(STAMP, 3, 3), made(STAMP, "2026-01-01", "3"),
    made(STAMP, "2026-01-01", True), made(STAMP, "2026-01-01", 2**64),
    made(STAMP, ["2026-01-01"], 1), made(STAMP, "2026-13-01", 1), made(STAMP, "\x00", 1), made(0, "2026-01-01", 1),
    base64.urlsafe_b64encode(b"[" * 3000).decode(), base64.urlsafe_b64encode(b"\xff\xfe").decode(),
])
def test_what_is_no_cursor_of_this_order_is_a_bad_request(world: World, connection: Connection, text: str) -> None:
    with pytest.raises(BadRequest) as raised:
        world.records(connection).page("deal", ["name"], order=["-close_date"], after=text)
    assert raised.value.at == "after"


@pytest.mark.parametrize(("kind", "value"), [
    ("money", "NaN"), ("money", "1e999"), ("decimal", "Infinity"), ("datetime", "2026-01-01T00:00:00"), ("boolean", 1),
    ("text", "\ud800"), ("integer", 1.5), ("date", "tomorrow")])
def test_values_of_a_cursor_are_checked_before_the_database_sees_them(kind: str, value: object) -> None:
    text = made(cursor._stamp(["x"]), value, 1)
    with pytest.raises(BadRequest):
        cursor.decode(text, ["x"], [kind, "link"])


PATHS = ["name", "amount", "close_date", "company", "company.city", "weighted", "late", "owner.name", "probability", "stage",
         "created_on", "line_total", "company.parent.name"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), paths=st.lists(st.sampled_from(PATHS), max_size=3, unique=True),
       down=st.integers(0, 7), limit=st.integers(1, 7), user=st.sampled_from([None, "bob"]))
def test_pages_of_any_size_in_any_order_are_the_whole_both_ways(
        world: World, connection: Connection, seed: int, paths: list[str], down: int, limit: int,
        user: str | None) -> None:
    """Rows with empty values, written while somebody turns pages: nothing twice, nothing left out, the same way back."""
    chance = Random(seed)
    companies = [None, *(world.ids[name] for name in ("acme", "zeta", "huawei", "empty"))]
    def row() -> None:
        add(connection, world.system, "deal", owner=world.ids[chance.choice(["bob", "eve"])],
            name=chance.choice(["a", "A", "é", "华", "b", None]), company=chance.choice(companies),
            amount=chance.choice([None, 1, 2]), probability=chance.choice([None, 50]),
            stage=chance.choice([None, "won", "offer"]),
            close_date=chance.choice([None, date(2026, 1, 1), date(2026, 2, 2)]))
    with connection.begin_nested() as savepoint:
        for _ in range(chance.randint(3, 15)):
            row()
        order = [("-" if down >> number & 1 else "") + path for number, path in enumerate(paths)]
        records = world.records(connection, user)
        whole = [record["id"] for record in records.page("deal", ["name"], order=order, limit=1000).records]
        forward, place = turned(records, order, limit, "next", None, row)
        assert [id for page in forward for id in page if id in whole] == whole
        back = turned(records, order, limit, "previous", place, row)[0] if place is not None else []
        assert [id for page in (*reversed(back), forward[-1]) for id in page if id in whole] == whole
        savepoint.rollback()


def turned(records: Records, order: list[str], limit: int, way: str, place: str | None,
           write: Callable[[], None]) -> tuple[list[list[int]], str | None]:
    """Turn pages to the end of one way, writing a row after each; gives them, and the way back from the last one."""
    pages: list[list[int]] = []
    while True:
        found = records.page("deal", ["name"], order=order, limit=limit, **{
            "after" if way == "next" else "before": place})  # type: ignore[arg-type]
        pages.append([record["id"] for record in found.records])
        place = getattr(found, way)
        if place is None:
            return pages, found.previous
        if len(pages) < 10:                     # else there would always be another page
            write()
