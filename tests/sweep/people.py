"""People who read and write through a server all the while, and note what they are answered."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from core.cli import DEMO_PASSWORD
from tests.scenarios.client import Answer, Person, Site

PAUSE = 0.05
OF_A_GENERATION = re.compile(r"(?:kept|extra|code|guide|must)_(\d+)")


def mixtures(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Records of one answer that are not of one and the same generation (generations.py), in names and in values."""
    wrong = []
    seen = {int(found[1]) for record in records for name in record if (found := OF_A_GENERATION.fullmatch(name))}
    if len(seen) > 1:
        wrong.append(f"generations {sorted(seen)}")
    for record in records if len(seen) == 1 else ():
        now, = seen
        if not isinstance(record["turning"], (str if now % 2 else int) | None):
            wrong.append(f"generation {now} with turning {record['turning']!r}")
        if record["employees"] is not None and record["score"] != record["employees"] + now:
            wrong.append(f"generation {now} with score {record['score']!r} of {record['employees']}")
    return wrong


class Traffic:
    """One who reads and writes over the API and looks at pages, in a thread, for as long as the block runs."""

    def __init__(self, site: Site, allowed: frozenset[int] = frozenset()) -> None:
        self.site = site
        self.allowed = allowed                  # answers that are no failure besides those that were asked for
        self.failures: list[str] = []
        self.seen: Counter[int] = Counter()
        self.acknowledged: dict[int, str] = {}  # companies that the server said are created
        self.turning: dict[int, int] = {}       # what it said is their number or text, which has another type each time
        self.places: dict[int, tuple[str, int]] = {}    # records of a table whose base comes and goes
        self.generations = False                # whether the site is one of those of generations.py
        self._stop = threading.Event()
        self._api = site.person("admin")
        self._browser = Person(site.address)
        self._browser.sign_in("admin", DEMO_PASSWORD)
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "a request hangs"

    def _work(self) -> None:
        turn = 0
        while not self._stop.is_set():
            turn += 1
            self._turn(turn)
            time.sleep(PAUSE)

    def _turn(self, turn: int) -> None:
        name = f"Traffic {turn} {time.time_ns()}"
        made = self._ask("POST", "/api/v1/company", 201, {"name": name, "employees": turn})
        if made is not None:
            company = made.json()
            self.acknowledged[company["id"]] = name
            changed = self._ask("PATCH", f"/api/v1/company/{company['id']}", 200,
                                {"city": "Somewhere", "_version": company["_version"]})
            if self.generations and changed is not None:
                self._enter(turn, changed.json(), name)
        read = self._ask("GET", "/api/v1/company?limit=5&order=-id", 200)
        if read is not None and self.generations:
            self.failures += [f"mixed: {mixed}" for mixed in mixtures(read.json()["records"])]
        self._ask("GET", "/companies", 200, person=self._browser)

    def _enter(self, turn: int, company: Mapping[str, Any], name: str) -> None:
        """Write what every generation has in other columns: a number or a text, as the version says at that moment."""
        for value in (turn, str(turn)):
            body = {"turning": value, "_version": company["_version"]}
            if self._ask("PATCH", f"/api/v1/company/{company['id']}", 200, body, refused=422) is not None:
                self.turning[company["id"]] = turn
                break
        made = self._ask("POST", "/api/v1/place", 201, {"name": name, "high": turn})
        if made is not None:
            self.places[made.json()["id"]] = (name, turn)

    def lost(self) -> list[str]:
        """What was acknowledged and is not there, or is not what it was."""
        companies, places = self._all("company"), self._all("place")
        wrong = [f"company {id_}: {companies.get(id_)}" for id_, name in self.acknowledged.items()
                 if id_ not in companies or companies[id_]["name"] != name]
        wrong += [f"company {id_}: turning is {companies[id_]['turning']!r}, was {number}"
                  for id_, number in self.turning.items()
                  if id_ in companies and str(companies[id_]["turning"]) != str(number)]
        # what a request of the version before commits right after the flip has it a moment later, from `settle`
        wrong += [f"company {id_}: {name} is empty" for id_ in self.acknowledged if id_ in companies
                  for name, value in companies[id_].items() if name.startswith("must_") and value is None]
        return wrong + [f"place {id_}: {places.get(id_)}" for id_, (name, number) in self.places.items()
                        if id_ not in places or (places[id_]["name"], places[id_]["high"]) != (name, number)]

    def _all(self, table: str) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        after: dict[str, str] = {}
        while True:
            page = self.site.person("admin").get(f"/api/v1/{table}", limit="200", order="id", **after).json()
            found.update((record["id"], record) for record in page["records"])
            if not page.get("next"):
                return found
            after = {"after": page["next"]}

    def _ask(self, method: str, path: str, wanted: int, body: object = None,
             person: Person | None = None, refused: int = 0) -> Answer | None:
        begun = time.monotonic()
        try:
            answer = (person or self._api).ask(method, path, None if body is None else json.dumps(body).encode(),
                                               {} if body is None else {"Content-Type": "application/json"})
        except (URLError, HTTPException, ConnectionError, TimeoutError) as error:
            self.failures.append(f"{method} {path}: {error!r} after {time.monotonic() - begun:.1f} s")
            return None
        self.seen[answer.status] += 1
        if answer.status == wanted:
            return answer
        if answer.status not in self.allowed and answer.status != refused:
            self.failures.append(f"{method} {path}: {answer.status} {answer.text[:300]}")
        return None
