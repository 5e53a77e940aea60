"""Pages behind a cursor: nothing twice, nothing left out, empty values last both ways."""

from __future__ import annotations

import base64
import json
from itertools import product

import pytest
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
