"""Fifty people reading and writing, in a process of their own: `python -m bench.crowd PORT TOKEN TABLE:FIRST:LAST...`.

Each has a connection and a rhythm of its own, so that a stall of the server is a stall for whoever asks in it, and does
not thin out the asking. At the end of its input the crowd stops and prints every answer as JSON: when it was asked (of
CLOCK_MONOTONIC, so that another process can say what was going on), how long it took, what it was, its status.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote

PEOPLE = 50
PAUSE = 1.0                     # seconds between two requests of one of them, on average
CITIES = 40
READS = 0.8


@dataclass
class Person:
    """One of the crowd: reads lists and records, and changes records that nobody else changes."""

    port: int
    token: str
    tables: dict[str, range]
    number: int
    versions: dict[tuple[str, int], int] = field(default_factory=dict)
    answers: list[tuple[float, float, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.number)
        self.connection = HTTPConnection("127.0.0.1", self.port, timeout=60)

    def work(self, stop: threading.Event) -> None:
        """Ask again and again until told to stop."""
        while not stop.wait(self.random.uniform(0, 2 * PAUSE)):
            (table, ids), turn = self.random.choice(list(self.tables.items())), self.random.random()
            if turn < READS / 2:
                self.ask("list", "GET", f"/api/v1/{table}?where=" + quote(
                    f"city == 'City {self.random.randrange(CITIES)}'") + "&fields=name,city,size&limit=25")
            elif turn < READS:
                self.ask("open", "GET", f"/api/v1/{table}/{self.random.choice(ids)}")
            elif turn < READS + (1 - READS) / 2:
                self.ask("create", "POST", f"/api/v1/{table}", {"name": f"New {turn}", "city": "City 1", "size": 5})
            else:
                self.change(table, ids[self.number])

    def change(self, table: str, record: int) -> None:
        """Change a record of one's own, knowing its version from the change before."""
        known = self.versions.get((table, record))
        if known is None:
            found = self.ask("open", "GET", f"/api/v1/{table}/{record}")
            known = found["_version"] if found else None
        if known is not None:
            made = self.ask("update", "PATCH", f"/api/v1/{table}/{record}",
                            {"size": self.random.randrange(1000), "_version": known})
            if made is None:
                self.versions.pop((table, record), None)
            else:
                self.versions[table, record] = made["_version"]

    def ask(self, what: str, method: str, path: str, body: object = None) -> dict[str, int] | None:
        """Ask and note how it went; the answer if it was a good one."""
        begun = time.monotonic()
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), {
                "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
            answer = self.connection.getresponse()
            data, status = answer.read(), answer.status
        except (OSError, HTTPException):
            self.connection.close()
            data, status = b"", 0
        self.answers.append((begun, time.monotonic() - begun, what, status))
        return json.loads(data) if status in (200, 201) else None


def main() -> None:
    """Ask until the input ends."""
    port, token, *said = sys.argv[1:]
    tables = {name: range(int(first), int(last)) for name, first, last in (one.split(":") for one in said)}
    stop = threading.Event()
    people = [Person(int(port), token, tables, number) for number in range(PEOPLE)]
    threads = [threading.Thread(target=person.work, args=(stop,)) for person in people]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    json.dump([answer for person in people for answer in person.answers], sys.stdout)


if __name__ == "__main__":
    main()
