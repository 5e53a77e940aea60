"""CPU of one operation against the raw floor, in one run: `make bench`, or `python -m bench [--contacts N]`.

Every figure is milliseconds of CPU an operation, server and PostgreSQL together, and its ratio to hand-written SQL
behind a bare handler (bench/raw_floor.py) on the same PostgreSQL with the same rows. Rounds alternate, and the median
counts, so that a busy machine does not favour one side.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg2

from bench import data, raw_floor
from bench.measure import Client, Sample, per_operation
from core.database import address
from core.settings import Settings
from tests.scenarios.client import ROOT, Person, Site

JSON = {"Content-Type": "application/json"}
BATCH = 200


def main() -> None:
    """Set a system up, fill it, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=200, help="operations a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder, system(Path(folder)) as site:
        ids = fill(site, options.contacts)
        with floor(site) as port:
            report(measure(site, port, ids, options.times, options.rounds), options.contacts)


@contextlib.contextmanager
def system(folder: Path) -> Iterator[Site]:
    """A served system of its own, without its work process: jobs are not part of a request."""
    site = Site.make(folder)
    site.run("init")
    site.password = site.add_user("bench", "--role", "administrator")
    site.serve(workers=2, work=False)
    try:
        yield site
    finally:
        site.stop()


def fill(site: Site, count: int) -> list[int]:
    """Load the rows into Tessera, by its API, and into the raw tables; the ids of the contacts."""
    client = Client(site.port, {"Authorization": f"Bearer {site.token('bench')}", **JSON})
    names = data.company_names(count // 10)
    companies = [row["id"] for row in load(client, "company", [{"name": name} for name in names])]
    rows = list(data.contacts(count, len(names)))
    begun = time.perf_counter()
    loaded = load(client, "contact", [{
        "name": row.name, "company": companies[row.company], "email": row.email, "phone": row.phone,
        "job_title": row.job_title, "city": row.city, "country": row.country} for row in rows])
    print(f"{count} contacts by the API, {BATCH} a request: {count / (time.perf_counter() - begun):.0f} rows a second")
    raw_floor.fill(dsn(site), names, rows)
    settle(site)
    return [row["id"] for row in loaded]


def load(client: Client, table: str, rows: list[dict[str, object]]) -> list[dict[str, int]]:
    loaded: list[dict[str, int]] = []
    for begin in range(0, len(rows), BATCH):
        body = json.dumps(rows[begin:begin + BATCH]).encode()
        loaded += json.loads(client.ask("POST", f"/api/v1/{table}", body, (201,))[1])
    return loaded


def settle(site: Site) -> None:
    """Let PostgreSQL know its tables, as it does by itself after a minute; both sides gain."""
    connection = psycopg2.connect(dsn(site))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")
    connection.close()


def dsn(site: Site) -> str:
    settings = Settings.load(site.environment)
    return address.url(settings, "owner").set(drivername="postgresql").render_as_string(hide_password=False)


@contextlib.contextmanager
def floor(site: Site) -> Iterator[int]:
    """The raw application under the same server with as many workers; its port; its process is FLOOR["pid"]."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "8",
         "--port", str(port), "--no-ws", "--log-level", "warning", "bench.raw_floor:application"],
        cwd=ROOT, env={**os.environ, "RAW_FLOOR": dsn(site)})
    FLOOR["pid"] = process.pid
    try:
        wait_for(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


FLOOR: dict[str, int] = {}


def wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            Client(port).connection.connect()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def postgres_pid(site: Site) -> int:
    return int((site.home / "postgres" / "postmaster.pid").read_text().split()[0])


def measure(site: Site, port: int, ids: list[int], times: int, rounds: int) -> dict[str, dict[str, list[Sample]]]:
    """The samples of each operation, by who did it."""
    assert site.process
    sides = {"raw": raw_operations(port), "API": api_operations(site, ids), "page": page_operations(site, ids)}
    pids = {"raw": FLOOR["pid"], "API": site.process.pid, "page": site.process.pid}
    database = postgres_pid(site)
    found: dict[str, dict[str, list[Sample]]] = {}
    for turn in range(rounds):
        for name in ("list", "open", "create", "update"):
            for side, operations in sides.items():
                sample = per_operation(operations[name], turn * 100_000, times, pids[side], database)
                found.setdefault(name, {}).setdefault(side, []).append(sample)
    return found


Operation = Callable[[int], object]


def raw_operations(port: int) -> Mapping[str, Operation]:
    client, cities = Client(port, {"Authorization": "bench", **JSON}), data.city_names()

    def body(number: int) -> bytes:
        return json.dumps({"name": f"New {number}", "company_id": number % 100, "email": f"n{number}@example.com",
                           "phone": "+49 30 5550000", "job_title": "Buyer", "city": "Bonn",
                           "country": "Germany"}).encode()

    def job(number: int) -> bytes:
        return json.dumps({"job_title": f"Job {number}"}).encode()
    return {
        "list": lambda n: client.ask("GET", f"/list?city={quote(cities[n % len(cities)])}"),
        "open": lambda n: client.ask("GET", f"/contact/{1 + n % 1000}"),
        "create": lambda n: client.ask("POST", "/contact", body(n)),
        "update": lambda n: client.ask("PATCH", f"/contact/{1 + n % 1000}", job(n)),
    }


def api_operations(site: Site, ids: list[int]) -> Mapping[str, Operation]:
    client = Client(site.port, {"Authorization": f"Bearer {site.token('bench')}", **JSON})
    cities, versions = data.city_names(), dict.fromkeys(ids, 1)
    fields = "name,company,job_title,email,phone,city,country"
    company = json.loads(client.ask("GET", "/api/v1/company?limit=1")[1])["records"][0]["id"]

    def create(number: int) -> None:
        client.ask("POST", "/api/v1/contact", json.dumps({
            "name": f"New {number}", "company": company, "email": f"n{number}@example.com", "phone": "+49 30 5550000",
            "job_title": "Buyer", "city": "Bonn", "country": "Germany"}).encode(), (201,))

    def update(number: int) -> None:
        contact = ids[number % 1000]
        answer = client.ask("PATCH", f"/api/v1/contact/{contact}", json.dumps(
            {"job_title": f"Job {number}", "_version": versions[contact]}).encode())[1]
        versions[contact] = json.loads(answer)["_version"]

    def listing(number: int) -> None:
        where = quote(f"city == '{cities[number % len(cities)]}'")
        client.ask("GET", f"/api/v1/contact?where={where}&fields={fields}&order=name&limit=80&count=1")
    return {"list": listing, "open": lambda n: client.ask("GET", f"/api/v1/contact/{ids[n % 1000]}"),
            "create": create, "update": update}


def page_operations(site: Site, ids: list[int]) -> Mapping[str, Operation]:
    person = Person(site.address)
    person.sign_in("bench", site.password)
    browser = Client(site.port, {"Cookie": person.cookies, "Origin": site.address})
    cities, csrf = data.city_names(), person.csrf("/contacts/new")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    versions: dict[int, int] = {}
    api = site.person("bench")

    def listing(number: int) -> None:
        where = quote(f"city == '{cities[number % len(cities)]}'")
        browser.ask("GET", f"/contacts?where={where}&order=name")

    def create(number: int) -> None:
        browser.ask("POST", "/contacts/new", urlencode({
            "_csrf": csrf, "name": f"Page {number}", "email": f"p{number}@example.com", "phone": "+49 30 5550000",
            "job_title": "Buyer", "city": "Bonn", "country": "Germany"}).encode(), (302, 303), **form)

    def update(number: int) -> None:
        contact = ids[1000 + number % 1000]
        version = versions.get(contact) or api.get(f"/api/v1/contact/{contact}").json()["_version"]
        browser.ask("POST", f"/contacts/{contact}", urlencode({
            "_csrf": csrf, "_version": str(version), "job_title": f"Job {number}"}).encode(), (302, 303), **form)
        versions[contact] = version + 1
    return {"list": listing, "open": lambda n: browser.ask("GET", f"/contacts/{ids[n % 1000]}"),
            "create": create, "update": update}


def report(found: dict[str, dict[str, list[Sample]]], contacts: int) -> None:
    """Print the medians and their ratios to the floor."""
    print(f"\nCPU ms an operation, server + PostgreSQL (median of rounds), {contacts} contacts\n")
    print(f"{'operation':10} {'side':6} {'server':>8} {'PostgreSQL':>11} {'total':>8} {'to raw':>7}")
    for name, sides in found.items():
        base = statistics.median(sample.total for sample in sides["raw"])
        for side, samples in sides.items():
            server = statistics.median(sample.server for sample in samples)
            database = statistics.median(sample.database for sample in samples)
            total = statistics.median(sample.total for sample in samples)
            print(f"{name:10} {side:6} {server:8.2f} {database:11.2f} {total:8.2f} {total / base:7.2f}")


if __name__ == "__main__":
    main()
