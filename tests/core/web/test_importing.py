"""Importing a file on pages, as somebody with a browser does it, and as the worker does the rest."""

from __future__ import annotations

import io
import re

import pytest
from sqlalchemy import Connection

from core.bm.versions import live
from core.database.jobs import Job, tasks
from core.ed.batch import Batch
from core.ed.session import Principals, Session
from core.ed.system import System
from tests.core.web.site import Browser, Site

CSV = "Name;town;Company;days\nImported one;Ulm;Imports Ltd;12\n=2+2;Bonn;Nobody;7\n"


@pytest.fixture(scope="module")
def filled(site: Site) -> Site:
    site.create("company", name="Imports Ltd", owner=site.users["sam"])
    return site


def send(browser: Browser, content: bytes, name: str = "rows.csv", status: int = 303, path: str = "/deals/import") -> str:
    browser.get(path)
    form = browser.form(path)
    return browser.post(path, {**form, "file": (io.BytesIO(content), name)}, status)


def work(site: Site) -> int:
    """Do the jobs of imports that wait, as a `work` process would."""
    done = 0
    with site.owner.connect() as connection:
        waiting = connection.exec_driver_sql(
            "select id, task_name, args from jobs.procrastinate_jobs where status = 'todo' and"
            " task_name in ('import_file', 'revert_import') order by id").all()
    for id_, name, arguments in waiting:
        job = Job(site.engine, lambda connection: live_system(site, connection), lambda: False, id_, site.settings)
        tasks()[name].run(job, **arguments)
        with site.owner.begin() as connection:
            connection.exec_driver_sql("delete from jobs.procrastinate_jobs where id = %(id)s", {"id": id_})
        done += 1
    return done


def live_system(site: Site, connection: Connection) -> System | None:
    """The system that is live."""
    return live.system(connection, live.current(connection)[0], site.plugins)


def test_a_file_is_understood_mapped_imported_and_taken_back(filled: Site) -> None:
    browser = filled.browser("ada")
    browser.get("/deals")
    assert 'href="/deals/import"' in browser.text
    send(browser, CSV.encode())
    place = browser.location
    assert re.fullmatch(r"/deals/import/\d+", place)
    browser.get(place)
    assert "2 rows" in browser.words and "Imported one" in browser.words and "=2+2" in browser.words
    form = browser.form(place)
    assert (form["c0"], form["c2"]) == ("name", "company"), "known by what they are called"
    browser.post(place, {**form, "c1": "", "c3": ""}, 303)
    browser.get(browser.location)
    assert "waits for its turn" in browser.words
    assert work(filled) == 1
    browser.get(place)
    assert "The import is done." in browser.words
    browser.get(f"{place}/errors")
    assert "there is no company with name" in browser.text and "'=2+2" in browser.text
    browser.get("/deals?f=&q=Imported")
    assert "Imported one" in browser.words
    browser.get(place)
    browser.post(f"{place}/revert", browser.form(f"{place}/revert"))
    assert work(filled) == 1
    browser.get(place)
    assert "The import was taken back." in browser.words
    browser.get("/deals?f=&q=Imported")
    assert "Imported one" not in browser.words
    browser.get(f"{place}?again=1")
    browser.post(place, browser.form(place) | {"c1": "", "c3": ""})
    browser.get(browser.location)
    assert "waits for its turn" in browser.words, "what is shown is not the import before"
    assert work(filled) == 1
    browser.get(browser.page.request.full_path.rstrip("?") if browser.page else place)
    assert "The import is done." in browser.words


def test_what_cannot_be_read_or_does_not_fit_is_told_and_nothing_kept(filled: Site) -> None:
    browser = filled.browser("ada")
    send(browser, b"name,name\na,b\n", status=400)
    assert "there are 2 columns" in browser.words
    browser.get("/deals/import")
    browser.post("/deals/import", browser.form("/deals/import"), 400)
    assert "Choose a file." in browser.words
    send(browser, b"name,other\nx,y\n")
    place = browser.location
    browser.get(place)
    form = browser.form(place)
    for change in ({"c0": "", "c1": ""}, {"c1": "name"}, {"match": "company"}, {"c1": "secret_that_is_not_there"}):
        browser.post(place, {**form, **change}, 400)


def test_uploads_of_others_and_without_the_right_are_not_there(filled: Site) -> None:
    ada, nobody = filled.browser("ada"), filled.browser("nil")
    send(ada, b"name\nHers\n")
    place = ada.location
    filled.browser("sam").get(place, 404)
    nobody.get("/deals/import", 404)
    filled.browser("ada").get("/deals/import/999999", 404)


def test_past_case_22_readonly_fields_and_numbers_are_as_closed_to_a_file_as_to_a_form(filled: Site) -> None:
    """An import of somebody who is no administrator sets nothing that they could not set on a form."""
    with filled.engine.begin() as connection:
        system = live_system(filled, connection)
        for login, trusted in (("ada", True), ("sam", False)):
            user = Principals.load(connection, system, filled.users[login])
            assert Batch(Session.open(system, connection, user, how="import")).reader.trusted is trusted
