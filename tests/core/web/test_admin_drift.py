"""What was changed past the definitions: shown, mended where that is safe, left where somebody says so."""

from __future__ import annotations

from sqlalchemy import text

from tests.core.web.site import Site


def run(site: Site, statement: str) -> None:
    with site.owner.begin() as connection:
        connection.execute(text(statement))


def company_table(site: Site) -> str:
    with site.owner.connect() as connection:
        return str(connection.scalar(text("select relname from pg_class where relname ~ '^company_[0-9]+$'")))


def test_a_live_system_as_it_should_be_says_so(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/admin/drift")
    assert ada.words.count("All is as it should be.") == 3
    ada.get("/admin/drift/warning")
    assert ada.text.strip() == ""


def test_what_was_made_by_hand_is_named_and_may_stay(site: Site) -> None:
    table = company_table(site)
    run(site, f"alter table ed.{table} add column by_hand text")
    ada = site.browser("ada")
    ada.get("/admin/drift")
    assert "extra column" in ada.words and f"{table}.by_hand" in ada.words
    ada.get("/admin/drift/warning")
    assert "1 thing in the database is not as live wants it." in ada.words
    ada.get("/admin/drift")
    form = next(values for values in [ada.form("/admin/drift")])
    ada.post("/admin/drift", {**form, "stays": "nothing"}, 409)
    assert 'there is no drift "nothing"' in ada.words
    ada.post("/admin/drift", {"_csrf": form["_csrf"], "other": "x"}, 400)
    ada.post("/admin/drift", {**form, "stays": f"{table}.by_hand"})
    ada.get(ada.location)
    assert "Told to stay" in ada.words and "It stays" in ada.words
    run(site, f"alter table ed.{table} drop column by_hand")


def test_what_is_safe_is_mended(site: Site) -> None:
    ada = site.browser("ada")
    with site.owner.connect() as connection:
        index = connection.scalar(text(
            "select indexname from pg_indexes where schemaname = 'ed' and indexname like 'ix%' order by 1 limit 1"))
    run(site, f'drop index ed."{index}"')
    ada.get("/admin/drift")
    assert "missing index" in ada.words
    ada.post("/admin/drift", {"_csrf": ada.form("/admin/drift")["_csrf"]})
    number = int(ada.location.removeprefix("/admin/promotions/"))
    ada.get(ada.location)
    assert "Done" in ada.words and "What drifted is mended" in ada.words and "By ada" in ada.words
    assert f"create index concurrently {index}" in ada.words.lower().replace('"', "")
    ada.get("/admin/promotions")
    assert f"/admin/promotions/{number}" in ada.text and "What drifted is mended" in ada.words
    ada.get("/admin/drift")
    assert "missing index" not in ada.words
