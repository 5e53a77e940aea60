"""What is measured: the same operations by hand-written SQL, by Tessera's API and by its pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from bench.measure import Client
from tests.scenarios.client import Person, Site

JSON = {"Content-Type": "application/json"}
NEW = {"phone": "+49 30 5550000", "job_title": "Buyer", "city": "Bonn", "country": "Germany"}
PARTS = ("elgar", "quinor", "zeldra", "helman", "osros", "belfin", "xanyor", "kanlom", "torul", "wilven")

Operation = Callable[[int], object]
Operations = Mapping[str, Operation]


@dataclass(frozen=True)
class Targets:
    """What the operations are done on: the numbers of the operations choose among these."""

    cities: list[str]
    contacts: list[int]         # ids in Tessera; the first half is the API's to change, the second the page's
    companies: list[int]


def raw(port: int, on: Targets) -> Operations:
    """By hand-written SQL."""
    client = Client(port, {"Authorization": "bench", **JSON})

    def create(number: int) -> None:
        body = {"name": f"New {number}", "company_id": 1 + number % 100, "email": f"n{number}@example.com", **NEW}
        client.ask("POST", "/contact", json.dumps(body).encode())
    return {
        "list": lambda n: client.ask("GET", f"/list?city={quote(on.cities[n % len(on.cities)])}"),
        "open": lambda n: client.ask("GET", f"/company/{1 + n * 7 % len(on.companies)}"),
        "create": create,
        "update": lambda n: client.ask("PATCH", f"/contact/{1 + n % 1000}",
                                       json.dumps({"job_title": f"Job {n}"}).encode()),
        "search": lambda n: client.ask("GET", f"/search?part={PARTS[n % len(PARTS)]}"),
        "sums": lambda n: client.ask("GET", "/sums"),
    }


def api(site: Site, on: Targets) -> Operations:
    """By the API."""
    client = Client(site.port, {"Authorization": f"Bearer {site.token('bench')}", **JSON})
    ids = on.contacts[:len(on.contacts) // 2]
    versions = dict.fromkeys(ids, 1)
    fields = "name,company,job_title,email,phone,city,country"

    def create(number: int) -> None:
        body = {"name": f"New {number}", "company": on.companies[0], "email": f"n{number}@example.com", **NEW}
        client.ask("POST", "/api/v1/contact", json.dumps(body).encode(), (201,))

    def update(number: int) -> None:
        contact = ids[number % len(ids)]
        answer = client.ask("PATCH", f"/api/v1/contact/{contact}", json.dumps(
            {"job_title": f"Job {number}", "_version": versions[contact]}).encode())[1]
        versions[contact] = json.loads(answer)["_version"]

    def listing(number: int, where: str) -> None:
        client.ask("GET", f"/api/v1/contact?where={quote(where)}&fields={fields}&order=name&limit=80&count=1")
    return {
        "list": lambda n: listing(n, f"city == '{on.cities[n % len(on.cities)]}'"),
        "open": lambda n: client.ask("GET", f"/api/v1/company/{on.companies[n % len(on.companies)]}"),
        "create": create,
        "update": update,
        "search": lambda n: listing(n, f"contains(name, '{PARTS[n % len(PARTS)]}')"),
        "sums": lambda n: client.ask(
            "GET", "/api/v1/opportunity?group=stage,close_date:month&aggregate=sum(amount),count()&limit=1000"),
    }


def page(site: Site, on: Targets) -> Operations:
    """By the pages, as a browser asks for them."""
    person = Person(site.address)
    person.sign_in("bench", site.password)
    browser = Client(site.port, {"Cookie": person.cookies, "Origin": site.address})
    csrf, reader = person.csrf("/contacts/new"), site.person("bench")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    ids = on.contacts[len(on.contacts) // 2:]
    versions: dict[int, int] = {}

    def post(path: str, values: Mapping[str, str]) -> None:
        browser.ask("POST", path, urlencode({"_csrf": csrf, **values}).encode(), (302, 303), **form)

    def update(number: int) -> None:
        contact = ids[number % len(ids)]
        version = versions.get(contact) or reader.get(f"/api/v1/contact/{contact}").json()["_version"]
        post(f"/contacts/{contact}", {"_version": str(version), "job_title": f"Job {number}"})
        versions[contact] = version + 1
    return {
        "list": lambda n: browser.ask(
            "GET", f"/contacts?where={quote(f'city == {on.cities[n % len(on.cities)]!r}')}&order=name"),
        "open": lambda n: browser.ask("GET", f"/companies/{on.companies[n % len(on.companies)]}"),
        "create": lambda n: post("/contacts/new", {"name": f"Page {n}", "email": f"p{n}@example.com", **NEW}),
        "update": update,
        "search": lambda n: browser.ask("GET", f"/contacts?q={PARTS[n % len(PARTS)]}&order=name"),
    }
