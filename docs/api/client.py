"""A client of the REST API in one file, with the standard library only. Copy it, and change what you like.

    export TESSERA_URL=http://127.0.0.1:8000  TESSERA_TOKEN=tessera_...
    python3 docs/api/client.py company          # lists some records; the whole of it is shown by main() below
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

Record = dict[str, Any]
TRIES = 5                                   # of a request that may be sent again
PAUSE = 0.5                                 # seconds before the second try; twice as long before each further one


class Problem(Exception):
    """What the server refused, as it says it itself (RFC 9457)."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.body = body
        self.errors: list[dict[str, Any]] = body.get("errors", [])
        said = "; ".join(f"{error.get('row', '')} {error['field']}: {error['message']}".strip()
                         for error in self.errors)
        super().__init__(f"{status} {body.get('title', '')}: {said or body.get('detail', '')}")


class Conflict(Problem):
    """Somebody else changed the record: `changed` says what, `current` is the record as it is now."""

    @property
    def changed(self) -> list[dict[str, Any]]:
        """For each field `theirs`, the `original`, and `yours` where you wanted to change it too."""
        return list(self.body.get("changed", []))

    @property
    def current(self) -> Record:
        """The record as it is now, with the version to try again with."""
        return dict(self.body.get("current", {}))


class Client:
    """One connection to one server. Requests are sent again after a broken connection, 429 and 503.

    What changes something is sent with an Idempotency-Key, so that a second try is never carried out twice.
    """

    def __init__(self, url: str, token: str) -> None:
        self._address = urlsplit(url)
        self._token = token
        self._connection: HTTPConnection | None = None

    # Reading

    def records(self, table: str, **query: str | int) -> Iterator[Record]:
        """All records that meet a condition, page by page: `records("deal", where="amount > 5", fields="name")`."""
        after: str | None = None
        while True:
            page = self.get(table, **query, **({"after": after} if after else {}))
            yield from page["records"]
            after = page["next"]
            if after is None:
                return

    def count(self, table: str, where: str = "") -> tuple[int, bool]:
        """How many records there are, counted up to 10,000, and whether there are more."""
        page = self.get(table, count=1, limit=1, fields="id", **({"where": where} if where else {}))
        return page["count"], page["count_more"]

    def groups(self, table: str, by: str, aggregate: str = "count()", **query: str | int) -> list[Record]:
        """`groups("deal", "stage,close_date:month", "count(),sum(amount)", order="-sum_amount")`."""
        found: list[Record] = self.get(table, group=by, aggregate=aggregate, **query)["groups"]
        return found

    def read(self, table: str, id: int, **query: str) -> Record:
        """One record with its lines."""
        found: Record = self.get(f"{table}/{id}", **query)
        return found

    def get(self, path: str, **query: str | int) -> Any:
        """GET anything under /api/v1: `get("query/open_deals", limit=10)`, `get("openapi.json")`."""
        return self._json("GET", path, query=query)

    # Writing

    def create(self, table: str, record: Record, key: str | None = None) -> Record:
        """Create a record. Keep the `key` with your own data, and a program that starts again creates no second one."""
        found: Record = self._json("POST", table, record, key=key or new_key())
        return found

    def create_all(self, table: str, records: Iterable[Record], at_once: int = 500) -> Iterator[Record]:
        """Create many: each 500 are created together, or none of them."""
        waiting: list[Record] = []
        for record in records:
            waiting.append(record)
            if len(waiting) == at_once:
                yield from self._json("POST", table, waiting, key=new_key())
                waiting = []
        if waiting:
            yield from self._json("POST", table, waiting, key=new_key())

    def change(self, table: str, record: Record, **values: Any) -> Record:
        """Change fields of a record that was read. Raises Conflict if somebody else was faster."""
        found: Record = self._json("PATCH", f"{table}/{record['id']}", {**values, "_version": record["_version"]},
                                   key=new_key())
        return found

    def change_with(self, table: str, id: int, make: Callable[[Record], Record]) -> Record:
        """Change a record by what it holds, as often as it takes: `make` gets it and gives the fields to change."""
        record = self.read(table, id)
        while True:
            try:
                return self.change(table, record, **make(record))
            except Conflict as conflict:
                record = conflict.current

    def change_all(self, table: str, records: Iterable[Record]) -> list[Record]:
        """Change several records, all or none; each has `id`, `_version` and what changes."""
        found: list[Record] = self._json("PATCH", table, list(records), key=new_key())
        return found

    def change_where(self, table: str, where: str, count: int, **values: Any) -> list[int]:
        """Change all records that meet a condition, if they are as many as you think."""
        query = {"where": where, "count": count}
        found: list[int] = self._json("PATCH", table, values, query=query, key=new_key())["ids"]
        return found

    def delete(self, table: str, *records: Record) -> None:
        """Move records to the trash, all or none, if they are still as they were read."""
        ids = ",".join(f"{record['id']}@{record['_version']}" for record in records)
        self._json("DELETE", table, query={"ids": ids}, key=new_key())

    # Files

    def upload(self, name: str, content: bytes) -> int:
        """Send a file; gives the id to write into a field, within a day."""
        status, body = self._send("POST", f"files?name={quote(name, safe='')}", content,
                                  {"Content-Type": "application/octet-stream", "Idempotency-Key": new_key()})
        return int(_read(status, body)["id"])

    def download(self, table: str, id: int, field: str) -> bytes:
        """The file in a field of a record."""
        status, body = self._send("GET", f"{table}/{id}/{field}", None, {})
        if status != 200:
            _read(status, body)
        return body

    # How

    def _json(self, method: str, path: str, value: object = None, *, query: Mapping[str, str | int] | None = None,
              key: str | None = None) -> Any:
        headers = {"Content-Type": "application/json"} if value is not None else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        data = None if value is None else json.dumps(value).encode()
        return _read(*self._send(method, f"{path}?{urlencode(query)}" if query else path, data, headers))

    def _send(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Send a request, again if need be: the key makes that safe for those that change something."""
        pause = PAUSE
        for left in reversed(range(TRIES)):
            try:
                status, wait, body = self._once(method, path, data, headers)
            except (OSError, HTTPException):
                self.close()
                if not left:
                    raise
                status, wait, body = 0, "", b""
            if status not in (0, 429, 503) or not left:
                return status, body
            time.sleep(float(wait) if wait.isdigit() else pause)
            pause *= 2
        raise AssertionError("a request is sent at least once")

    def _once(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        if self._connection is None:
            kind = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
            self._connection = kind(self._address.netloc, timeout=60)
        self._connection.request(method, f"{self._address.path.rstrip('/')}/api/v1/{path}", data,
                                 {**headers, "Authorization": f"Bearer {self._token}"})
        answer = self._connection.getresponse()
        return answer.status, answer.headers.get("Retry-After", ""), answer.read()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def new_key() -> str:
    """A name for one request; sent again with it, the request gets the first answer."""
    return uuid.uuid4().hex


def _read(status: int, body: bytes) -> Any:
    """The value of an answer. Raises Conflict, Problem."""
    value = json.loads(body) if body else None
    if status < 400:
        return value
    raise (Conflict if status == 409 and "current" in value else Problem)(status, value)


def main(client: Client, table: str) -> None:
    """Print what the API says of itself, and the first records of a table."""
    described = client.get("openapi.json")
    print(described["info"]["title"], "version", described["info"]["version"])
    print(*(path for path in described["paths"] if path.startswith(f"/api/v1/{table}")), sep="\n")
    print("there are", *client.count(table))
    for number, record in enumerate(client.records(table, limit=5)):
        if number == 5:
            break
        print(json.dumps(record, ensure_ascii=False))


if __name__ == "__main__":
    with Client(os.environ["TESSERA_URL"], os.environ["TESSERA_TOKEN"]) as tessera:
        main(tessera, sys.argv[1] if len(sys.argv) > 1 else "company")
