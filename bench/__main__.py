"""CPU of one operation against the raw floor, in one run: `make bench`, or `python -m bench [--contacts N]`.

Every figure is milliseconds of CPU an operation, server and PostgreSQL together, and its ratio to hand-written SQL
behind a bare handler (bench/raw_floor.py) on the same PostgreSQL with the same rows. Rounds alternate, and the median
counts, so that a busy machine does not favour one side.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from bench import operations
from bench.data import Rows
from bench.filling import fill, some_ids
from bench.measure import Sample, per_operation
from bench.served import floor, postgres_pid, system

AIMS = {("list", "API"): 2.0, ("list", "page"): 2.5, ("open", "API"): 3.0, ("open", "page"): 3.0,
        ("create", "API"): 3.0, ("create", "page"): 3.0, ("update", "API"): 3.0, ("update", "page"): 3.0,
        ("search", "API"): 1.0, ("search", "page"): 1.0, ("sums", "API"): 1.1}
SLOW = {"search": 4, "sums": 10}       # how many times fewer of these

Found = dict[str, dict[str, list[Sample]]]


def main() -> None:
    """Set a system up, fill it, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000, help="and a fifth of companies, three tenths of deals")
    parser.add_argument("--data", type=Path, help="a folder with companies.csv, contacts.csv, opportunities.csv")
    parser.add_argument("--times", type=int, default=200, help="operations a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows = Rows(options.contacts, options.data)
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder, system(Path(folder)) as site:
        fill(site, rows)
        cities = rows.cities()
        on = operations.Targets(cities, contacts=some_ids(site, "contact", cities, 2000),
                                companies=some_ids(site, "company", cities, 1000))
        with floor(site) as raw:
            sides = {"raw": operations.raw(raw.port, on), "API": operations.api(site, on),
                     "page": operations.page(site, on)}
            assert site.process
            servers = {"raw": raw.pid, "API": site.process.pid, "page": site.process.pid}
            report(measure(sides, servers, postgres_pid(site), options.times, options.rounds), options.contacts)


def measure(sides: dict[str, operations.Operations], servers: dict[str, int], database: int, times: int,
            rounds: int) -> Found:
    """The samples of each operation, by who did it."""
    found: Found = {}
    for turn in range(rounds):
        for name in sides["raw"]:
            for side, offered in sides.items():
                if name in offered:
                    sample = per_operation(offered[name], turn * 100_000, max(times // SLOW.get(name, 1), 5),
                                           servers[side], database)
                    found.setdefault(name, {}).setdefault(side, []).append(sample)
    return found


def report(found: Found, contacts: int) -> None:
    """Print the medians and their ratios to the floor."""
    print(f"\nCPU ms an operation, server + PostgreSQL (median of rounds), {contacts} contacts\n")
    print(f"{'operation':10} {'side':6} {'server':>8} {'PostgreSQL':>11} {'total':>8} {'to raw':>7} {'aim':>5}")
    for name, sides in found.items():
        base = statistics.median(sample.total for sample in sides["raw"])
        for side, samples in sides.items():
            server = statistics.median(sample.server for sample in samples)
            database = statistics.median(sample.database for sample in samples)
            total = statistics.median(sample.total for sample in samples)
            aim = AIMS.get((name, side), "")
            print(f"{name:10} {side:6} {server:8.2f} {database:11.2f} {total:8.2f} {total / base:7.2f} {aim:>5}")


if __name__ == "__main__":
    main()
