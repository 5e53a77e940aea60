"""What promotions removed: listed with its values, brought back with every one, or removed for good with consent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.bm import service
from core.settings import Settings
from tests.core.web.site import Site, sample_site
from tests.databases import fresh_database

REGION = "change: table company\nfields:\n  region: {type: text, max: 50, title: Sales region}\n"


@pytest.fixture
def site(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A field with two values, which a promotion then removed."""
    with fresh_database(server, tmp_path_factory) as database, \
            sample_site(database, tmp_path_factory.mktemp("parked"), {"tables/company.yaml": REGION}) as found:
        for name in ("North", "South"):
            found.create("company", name=name, owner=found.users["ada"], region=name)
        (found.settings.metadata / "tables" / "company.yaml").unlink()
        service.promote_folder(found.settings, found.owner, plugins=found.plugins)
        yield found


def test_it_is_listed_and_brought_back_with_every_value(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/admin/parked")
    assert "company.region field 2" in ada.words
    form = ada.form("/admin/parked/restore")
    ada.post("/admin/parked/restore", {**form, "name": "company.nothing"}, 409)
    ada.post("/admin/parked/restore", form, 200)
    assert "says it again" in ada.words and (site.settings.metadata / "restored").is_dir()
    ada.get("/admin/plan")
    assert "field region returns with the values it had" in ada.words
    ada.get("/admin/parked")
    ada.post("/admin/parked/restore", form, 409)
    assert 'have a field "company.region" already' in ada.words


def test_removing_it_for_good_asks_for_the_letters_of_its_plan(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/admin/parked/purge?name=company.region")
    assert "company.region and all it holds is removed for good (2 values)" in ada.words
    form = ada.form("/admin/parked/purge")
    ada.post("/admin/parked/purge", {**form, "consent": "x"}, 422)
    assert f"Type these letters: {form['plan'][:6]}" in ada.words
    ada.post("/admin/parked/purge", {**form, "plan": "x", "consent": "x"}, 409)
    ada.post("/admin/parked/purge", {**form, "name": "\x00", "consent": "x"}, 409)
    ada.post("/admin/parked/purge", {**form, "more": "x"}, 400)
    ada.post("/admin/parked/purge", {**form, "consent": form["plan"][:6]})
    ada.get(ada.location)
    assert "Done" in ada.words and "alter table ed." in ada.words and "drop column" in ada.words
    ada.get("/admin/parked")
    assert "Nothing is parked." in ada.words
    ada.get("/admin/parked/purge?name=company.region", 409)
