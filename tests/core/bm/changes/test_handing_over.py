"""What is known of a record by a field goes on when that field is the base's from now on; nothing is filled on the way."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from tests.core.bm.changes.test_moving import NAME, PARTY, change, company, identity
from tests.core.bm.changes.test_moving import shop as shop
from tests.core.bm.conftest import Live


def said(system: Live, record: int, field: str) -> list[Any]:
    """What history says of a field, newest first."""
    return [one.fields[field] for one in system.records(lambda records: records.history("company", record))
            if field in one.fields]


def test_history_files_and_what_was_shipped_go_on_under_the_bases_field_and_back(shop: Live) -> None:
    photo = NAME + "\n      photo: {type: file}"
    shop.site.addon("party_table.yaml", PARTY.replace("city:", "photo: {type: file}\n      city:"))
    shop.site.addon("company.yaml", company(name=photo))
    shop.site.addon("firms.yaml", "data: firms\nof: company\nkey: name\nrecords: {Acme: {size: 3}}\n")
    shop.promote()
    (acme,) = shop.sql("select record_id from sys.seed")[0]
    change(shop, "company", acme, name="Acme 2")
    with shop.engine.begin() as connection:         # as if it had come with a form
        connection.execute(text("insert into sys.file (name, type, size, hash, record_id, field_id, staged) values"
                                f" ('a', 'image/png', 1, '{'0' * 64}', {acme}, {identity(shop, 'company.photo')}, false)"))
    shop.site.addon("company.yaml", company("party"))
    shop.promote(answers={})
    change(shop, "company", acme, name="Acme 3")
    assert said(shop, acme, "name") == [("Acme 2", "Acme 3"), ("Acme", "Acme 2"), (None, "Acme")]
    assert shop.sql("select field_id from sys.file") == [(identity(shop, "party.photo"),)]
    assert set(shop.sql("select shipped from sys.seed")[0][0]) >= {str(identity(shop, "party.name"))}
    shop.rollback()
    assert said(shop, acme, "name") == [("Acme 2", "Acme 3"), ("Acme", "Acme 2"), (None, "Acme")]
    assert shop.sql("select field_id from sys.file") == [(identity(shop, "company.photo"),)]
