"""Lines of the records that are read: all of their fields or some, all of them or the first."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from core.errors import BadRequest
from tests.core.ed.world import World


def test_some_fields_of_lines_may_be_asked_for(world: World, connection: Connection, statements: list[str]) -> None:
    records = world.records(connection)
    statements.clear()
    [deal] = records.read("deal", [world.ids["anvils"]], ["name", "lines.product", "lines.total"])
    assert [{key: line[key] for key in line if key not in ("id", "_version")} for line in deal["lines"]] == [
        {"product": "Anvil", "total": 600}, {"product": "Crate", "total": 1500}]
    assert len(statements) == 2


def test_those_of_pages_too(world: World, connection: Connection) -> None:
    page = world.records(connection).page("deal", ["lines.product"], filters={"id": world.ids["anvils"]})
    assert [line["product"] for line in page.records[0]["lines"]] == ["Anvil", "Crate"]


def test_only_the_first_of_a_record_with_many(world: World, connection: Connection) -> None:
    records = world.records(connection)
    [deal] = records.read("deal", [world.ids["anvils"]], ["lines"], most_lines=1)
    assert [line["product"] for line in deal["lines"]] == ["Anvil"]


@pytest.mark.parametrize("path", ["lines.nonsense", "lines.product.x", "nonsense.product"])
def test_what_lines_do_not_have_is_refused(world: World, connection: Connection, path: str) -> None:
    with pytest.raises(BadRequest) as caught:
        world.records(connection).read("deal", [world.ids["anvils"]], [path])
    assert caught.value.at == "fields"
