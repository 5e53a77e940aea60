"""People who read and write through a server all the while, and note what they are answered."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from http.client import HTTPException
from urllib.error import URLError

from core.cli import DEMO_PASSWORD
from tests.scenarios.client import Answer, Person, Site

PAUSE = 0.05


class Traffic:
    """One who reads and writes over the API and looks at pages, in a thread, for as long as the block runs."""

    def __init__(self, site: Site, allowed: frozenset[int] = frozenset()) -> None:
        self.site = site
        self.allowed = allowed                  # answers that are no failure besides those that were asked for
        self.failures: list[str] = []
        self.seen: Counter[int] = Counter()
        self.acknowledged: dict[int, str] = {}  # companies that the server said are created
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
        made = self._ask("POST", "/api/v1/company", 201, {"name": name})
        if made is not None:
            company = made.json()
            self.acknowledged[company["id"]] = name
            self._ask("PATCH", f"/api/v1/company/{company['id']}", 200,
                      {"city": "Somewhere", "_version": company["_version"]})
        self._ask("GET", "/api/v1/company?limit=5&order=-id", 200)
        self._ask("GET", "/companies", 200, person=self._browser)

    def _ask(self, method: str, path: str, wanted: int, body: object = None,
             person: Person | None = None) -> Answer | None:
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
        if answer.status not in self.allowed:
            self.failures.append(f"{method} {path}: {answer.status} {answer.text[:300]}")
        return None
