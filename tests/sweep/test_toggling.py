"""Two hundred promotions in a row, each of which takes one field for another: no answer shows both, or neither."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

from core.bm import service
from core.cli import DEMO_PASSWORD
from core.database import embedded
from core.settings import Settings
from tests.scenarios.client import Person, Site

PROMOTIONS = 200
NAMES = ("toggle_day", "toggle_night")
TITLES = ("Toggleday", "Togglenight")


class Reader(threading.Thread):
    """One who asks again and again, and notes each answer that does not show exactly one of two."""

    def __init__(self, ask: Callable[[], set[int]]) -> None:
        super().__init__(daemon=True)
        self.ask, self.stopping = ask, threading.Event()
        self.answers: dict[int, int] = {0: 0, 1: 0}
        self.failures: list[str] = []

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                shown = self.ask()
            except Exception as error:
                self.failures.append(repr(error))
                continue
            if len(shown) == 1:
                self.answers[shown.pop()] += 1
            else:
                self.failures.append(f"an answer shows {[NAMES[one] for one in shown] or 'neither'}")


def readers(site: Site) -> list[Reader]:
    """Over the API: one record, lists, writing; on pages: the list with its columns."""
    api = site.person("admin")
    made = api.send("POST", "/api/v1/company", {"name": "Toggled"}).json()["id"]

    def named(text: str) -> set[int]:
        return {number for number, name in enumerate(NAMES) if f'"{name}"' in text}

    def opened() -> set[int]:
        answer = api.get(f"/api/v1/company/{made}")
        assert answer.status == 200, answer.text[:300]
        return named(answer.text)

    def listed() -> set[int]:
        answer = api.get("/api/v1/company", limit="20")
        assert answer.status == 200, answer.text[:300]
        shown = [named(json.dumps(record)) for record in answer.json()["records"]]
        return set.union(*shown)

    def written() -> set[int]:
        answer = api.send("POST", "/api/v1/company", {"name": "Toggled too"})
        assert answer.status == 201, answer.text[:300]
        return named(answer.text)

    browser = Person(site.address)
    browser.sign_in("admin", DEMO_PASSWORD)

    def seen() -> set[int]:
        page = browser.get("/companies")
        assert page.status == 200, page.text[:300]
        return {number for number, title in enumerate(TITLES) if title in page.text}
    return [Reader(one) for one in (opened, listed, written, seen)]


def write(metadata: Path, now: int) -> None:
    """The site's layer with one of the two fields, and the list that shows it."""
    for folder in ("tables", "lists"):
        (metadata / folder).mkdir(exist_ok=True)
    (metadata / "tables" / "toggle.yaml").write_text(
        f"change: table company\nfields:\n  {NAMES[now]}: {{type: text, title: {TITLES[now]}}}\n")
    (metadata / "lists" / "toggle.yaml").write_text(f"change: list company\ncolumns:\n  {NAMES[now]}: {{}}\n")


def test_no_answer_of_two_hundred_promotions_mixes_two_versions(site: Site) -> None:
    settings = Settings.load(site.environment)
    write(site.metadata, 0)
    site.run("promote", "--yes")
    people = readers(site)
    for person in people:
        person.start()
    with embedded.ensure(settings), service.owner(settings) as engine:
        plugins = service.load_plugins(settings)
        for turn in range(1, PROMOTIONS + 1):
            write(site.metadata, turn % 2)
            service.promote_folder(settings, engine, plugins=plugins)
            failed = [failure for person in people for failure in person.failures]
            assert not failed, f"promotion {turn}: {failed[:3]}"
    for person in people:
        person.stopping.set()
    for person in people:
        person.join(60)
    assert not any(person.is_alive() for person in people), "a request hangs"
    assert all(min(person.answers.values()) > 0 for person in people), "somebody never saw one of the versions"
