"""Eight people read and write for a minute while versions come and go: nobody fails, nobody sees a mixture."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.cli import DEMO_PASSWORD
from tests.scenarios.client import Person, Site

SECONDS = 75.0
PEOPLE = 8
# Three things that one version brings together: what shows one of them and not the others is a mixture.
TABLE = """\
change: table company
fields:
  soak_one: {type: text, title: Soakone}
  soak_two: {type: integer, title: Soaktwo}
"""
LIST = """\
change: list company
columns:
  soak_one: {}
  soak_two: {}
"""
NAMES, TITLES = ("soak_one", "soak_two"), ("Soakone", "Soaktwo")


@dataclass
class Seen:
    """What was seen: from when to when a request ran, and whether its answer had the fields."""

    answers: list[tuple[float, float, bool, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def note(self, begun: float, shown: set[bool], path: str) -> None:
        if len(shown) != 1:
            self.failures.append(f"{path}: a mixture of two versions")
        else:
            self.answers.append((begun, time.monotonic(), shown.pop(), path))


class Worker(threading.Thread):
    """One who works until told to stop: half over the API, half by pages."""

    def __init__(self, site: Site, number: int, seen: Seen) -> None:
        super().__init__(daemon=True)
        self.api = site.person("admin")
        self.browser = Person(site.address)
        self.browser.sign_in("admin", DEMO_PASSWORD)
        self.number, self.seen, self.stopping = number, seen, threading.Event()

    def run(self) -> None:
        turn = 0
        while not self.stopping.is_set():
            turn += 1
            try:
                (self.pages if self.number % 2 else self.records)(turn)
            except Exception as error:
                self.seen.failures.append(repr(error))

    def records(self, turn: int) -> None:
        begun = time.monotonic()
        made = self.api.send("POST", "/api/v1/company", {"name": f"Soak {self.number} {turn}"})
        assert made.status == 201, f"POST: {made.status} {made.text[:300]}"
        company = made.json()
        self.seen.note(begun, {name in company for name in NAMES}, "POST")
        begun = time.monotonic()
        changed = self.api.send("PATCH", f"/api/v1/company/{company['id']}",
                                {"city": "Here", "_version": company["_version"]})
        assert changed.status == 200, f"PATCH: {changed.status} {changed.text[:300]}"
        self.seen.note(begun, {name in changed.json() for name in NAMES}, "PATCH")
        begun = time.monotonic()
        page = self.api.get("/api/v1/company", limit="20")
        assert page.status == 200, f"GET: {page.status} {page.text[:300]}"
        self.seen.note(begun, {name in record for record in page.json()["records"] for name in NAMES}, "GET")
        if turn % 5 == 0:
            begun = time.monotonic()
            described = self.api.get("/api/v1/openapi.json").json()["components"]["schemas"]
            self.seen.note(begun, {name in described[schema]["properties"] for name in NAMES
                                   for schema in ("company", "company.new", "company.change")}, "openapi.json")

    def pages(self, turn: int) -> None:
        begun = time.monotonic()
        page = self.browser.get("/companies")
        assert page.status == 200, f"page: {page.status} {page.text[:300]}"
        self.seen.note(begun, {title in page.text for title in TITLES}, "/companies")


@pytest.fixture
def definitions(site: Site) -> tuple[Path, Path]:
    for folder in ("tables", "lists"):
        (site.metadata / folder).mkdir(exist_ok=True)
    return site.metadata / "tables" / "soak.yaml", site.metadata / "lists" / "soak.yaml"


def test_no_answer_mixes_two_versions_and_no_request_fails(site: Site, definitions: tuple[Path, Path]) -> None:
    seen = Seen()
    people = [Worker(site, number, seen) for number in range(PEOPLE)]
    toggles: list[tuple[float, float, bool]] = []
    for person in people:
        person.start()
    end = time.monotonic() + SECONDS
    shown = False
    try:
        while time.monotonic() < end and not seen.failures:
            shown = not shown
            for path, text in zip(definitions, (TABLE, LIST), strict=True):
                path.write_text(text if shown else "")
                if not shown:
                    path.unlink()
            begun = time.monotonic()
            site.run("promote", "--yes")
            toggles.append((begun, time.monotonic(), shown))
            time.sleep(0.5)
    finally:
        for person in people:
            person.stopping.set()
        for person in people:
            person.join(60)
    assert not seen.failures, seen.failures[:5]
    assert not any(person.is_alive() for person in people), "a request hangs"
    assert len(toggles) >= 5 and len(seen.answers) > 200
    late = [(path, has) for begun, ended, has, path in seen.answers
            if (wanted := between(toggles, begun, ended)) is not None and has != wanted]
    assert not late, f"{len(late)} answers of another version than the live one: {late[:5]}"


def between(toggles: list[tuple[float, float, bool]], begun: float, ended: float) -> bool | None:
    """What an answer must show if no promotion ran beside its request; None if one did."""
    shown = False
    for start, end, after in toggles:
        if ended < start:
            break
        if begun < end:
            return None
        shown = after
    return shown
