"""Fault 29: clients that hang up or dawdle; all others are served meanwhile, and nothing half is kept."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.scenarios.client import Person, Site

SLOW = 200
HOLD = 5.0                # generous: a server whose workers are all taken answers never


@contextmanager
def half_sent(site: Site, head: str, body: bytes = b"", number: int = SLOW) -> Iterator[list[socket.socket]]:
    """So many connections that have sent this, and keep silent now."""
    with ExitStack() as stack:
        found = []
        for _ in range(number):
            found.append(stack.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=30)))
            found[-1].sendall(head.encode() + body)
        yield found


def post(person: Person, path: str, length: int, kind: str = "application/json") -> str:
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n")


def served(site: Site) -> None:
    """Both workers answer reads, writes and uploads."""
    person = site.person("admin")
    for turn in range(8):
        assert person.get("/api/v1/company", limit="1").status == 200
        assert person.send("POST", "/api/v1/company", {"name": f"Meanwhile {turn}"}).status == 201
    assert person.ask("POST", "/api/v1/files?name=a.txt", b"whole",
                      {"Content-Type": "application/octet-stream"}).status == 201


def stored(site: Site) -> set[str]:
    """The files in the store, whole or half."""
    return {path.name for path in (site.home / "files").rglob("*") if path.is_file() and path.name != "lock"}


def bodies(site: Site) -> set[str]:
    """The temporary files that the server's processes hold open; they have no name that could stay behind."""
    found = set()
    for pid in processes(site):
        with suppress(OSError):
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    target = os.readlink(link)
                    if "tessera-" in target or "deleted" in target:
                        found.add(f"{pid} {link.name} {target}")
    return found


def processes(site: Site) -> list[int]:
    """The server and its children."""
    assert site.process
    children = Path(f"/proc/{site.process.pid}/task/{site.process.pid}/children").read_text().split()
    return [site.process.pid, *map(int, children)]


def newest(person: Person) -> int:
    """The id of the company that was made last."""
    return int(person.get("/api/v1/company", limit="1", order="-id").json()["records"][0]["id"])


def settles(site: Site, store: set[str]) -> None:
    """Soon nothing of half a request is left."""
    end = time.monotonic() + 60
    while (found := (stored(site), bodies(site))) != (store, set()):
        assert time.monotonic() < end, found
        time.sleep(0.2)


@pytest.mark.parametrize("what", ["head", "json", "upload", "form"])
def test_fault_29_two_hundred_slow_senders_keep_nobody_waiting(site: Site, what: str) -> None:
    person = site.person("admin")
    served(site)
    before = stored(site)
    head, body = {
        "head": ("GET /api/v1/company HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"a"),
        "json": (post(person, "/api/v1/company", 1000), b'{"name": "Half'),
        "upload": (post(person, "/api/v1/files?name=half.txt", 900_000, "application/octet-stream"), b"x" * 300_000),
        "form": ("POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                 "Content-Length: 500\r\n\r\n", b"login=admin&password="),
    }[what]
    with half_sent(site, head, body, SLOW if what != "upload" else SLOW // 4):
        served(site)
    assert "Half" not in person.get("/api/v1/company", limit="50", order="-id").text
    settles(site, before)


def test_fault_29_a_download_that_nobody_reads_keeps_nobody_waiting(site: Site) -> None:
    person = site.person("admin")
    content = os.urandom(1_000_000) * 9
    staged = person.ask("POST", "/api/v1/files?name=large.bin", content, {"Content-Type": "application/octet-stream"})
    assert staged.status == 201, staged.text
    deal = person.send("POST", "/api/v1/opportunity", {"name": "Large", "document": staged.json()["id"]})
    assert deal.status == 201, deal.text
    path = f"/api/v1/opportunity/{deal.json()['id']}/document"
    before = stored(site)
    with half_sent(site, f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n\r\n",
                   number=SLOW) as readers:
        assert readers[-1].recv(4).startswith(b"HTTP")
        served(site)
    settles(site, before)
    assert person.get(path).body == content


def test_fault_29_half_an_upload_or_import_leaves_no_file_and_no_row(site: Site) -> None:
    person = site.person("admin")
    before = stored(site)
    last = newest(person)
    for path, kind in (("/api/v1/files?name=half.bin", "application/octet-stream"),
                       ("/api/v1/company", "application/json")):
        with half_sent(site, post(person, path, 600_000, kind), b'{"name": "' + b"x" * 500_000, 20):
            time.sleep(0.2)
    settles(site, before)
    assert newest(person) == last
    assert json.loads(person.get("/-/ready").body)["ready"]
