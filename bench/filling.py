"""The same rows on both sides: into Tessera as files by its import, into the raw tables by COPY."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from bench import raw_floor
from bench.data import Rows
from bench.measure import Client
from bench.served import dsn, settle
from tests.scenarios.client import Site

FILE_ROWS = 100_000     # of one import


@dataclass(frozen=True)
class File:
    """One kind of rows as an import reads them."""

    table: str
    header: tuple[str, ...]
    fields: str             # of the mapping, as YAML
    rows: Iterable[tuple[object, ...]]


def fill(site: Site, rows: Rows) -> None:
    """Fill both sides; prints how fast the imports were."""
    names = {company.number: company.name for company in rows.companies()}
    for file in files(rows, names):
        _import(site, file)
    raw_floor.fill(dsn(site), rows)
    settle(site)


def files(rows: Rows, names: dict[int, str]) -> Iterator[File]:
    """What is imported, in an order in which what is linked is there before."""
    company = "{column: company, by: name}"
    yield File("company", ("name", "city"), "{name: name, city: city}", ((c.name, c.city) for c in rows.companies()))
    yield File("contact", ("name", "company", "email", "phone", "job_title", "city", "country"),
               f"{{name: name, company: {company}, email: email, phone: phone, job_title: job_title, city: city, "
               "country: country}",
               ((c.name, names[c.company], c.email, c.phone, c.job_title, c.city, c.country) for c in rows.contacts()))
    yield File("opportunity", ("name", "company", "amount", "stage", "closes"),
               f"{{name: name, company: {company}, amount: amount, stage: stage, close_date: closes, "
               "engage_date: {value: 2018-01-01}}",
               ((o.name, names[o.company], o.amount, o.stage, o.closes) for o in rows.opportunities()))
    yield File("bench_note", ("company", "body"), f"{{company: {company}, body: body}}",
               ((names[n.company], n.body) for n in rows.notes()))


def _import(site: Site, file: File) -> None:
    mapping, source = site.home / "map.yaml", site.home / "rows.csv"
    mapping.write_text(f"import: {file.table}\nfields: {file.fields}\n", encoding="utf-8")
    rows, count, seconds = iter(file.rows), 0, 0.0
    while _write(source, file.header, part := list(islice(rows, FILE_ROWS))):
        begun = time.perf_counter()
        site.run("--as", "bench", "import", file.table, str(source), "--map", str(mapping), "--again", timeout=3600)
        seconds += time.perf_counter() - begun
        count += len(part)
        settle(site)
    print(f"{count} rows of {file.table} by import: {count / max(seconds, 0.001):.0f} rows a second", flush=True)


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> bool:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return bool(rows)


def some_ids(site: Site, table: str, cities: list[str], count: int) -> list[int]:
    """Ids of that many records, from several cities."""
    client = Client(site.port, {"Authorization": f"Bearer {site.token('bench')}"})
    found: list[int] = []
    for city in cities:
        where = quote(f"city == '{city}'")
        found += [row["id"] for row in json.loads(client.ask(
            "GET", f"/api/v1/{table}?where={where}&fields=name&limit=100")[1])["records"]]
        if len(found) >= count:
            return found[:count]
    return found
