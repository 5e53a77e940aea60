"""What people notice of a promotion: `python -m bench.promotion [--rows N]`, part of `make bench`.

A table of many rows with fifty people reading and writing; each promotion is run among them, and beside it stands the
same time without one, in the same run: the longest answer of each, what 999 of 1000 took, and the failed requests.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from bench.served import dsn
from tests.scenarios.client import ROOT, Site

HOT = 20
SYSTEM = "system: main\naddons: [base]\nlanguages: [en]\ncurrency: EUR\ntime_zone: UTC\n"
FIELDS = {"name": "type: text, max: 100", "city": "type: text, max: 100", "size": "type: integer",
          "code": "type: integer"}
Work = Callable[[], object]


@dataclass(frozen=True)
class Times:
    """What a crowd was answered within some time: the longest and the 99.9th percentile in ms, requests, failures."""

    longest: float
    most: float
    requests: int
    failed: int


class Bench:
    """A system with one large table and several hot ones, and the crowd at it."""

    def __init__(self, site: Site, rows: int, calm: float) -> None:
        self.site, self.rows, self.calm = site, rows, calm
        self.fields = {name: dict(FIELDS) for name in ("large", *(f"hot_{number}" for number in range(HOT)))}
        self.indexes = {name: {"city": "city, name"} for name in self.fields}

    def write(self) -> None:
        """The site's tables as they are now."""
        for table, fields in self.fields.items():
            path = self.site.metadata / "tables" / f"{table}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join([
                f"table: {table}", 'display: "{name}"',
                "fields:", *(f"  {name}: {{{body}}}" for name, body in fields.items()),
                "indexes:", *(f"  {name}: {{fields: [{body}]}}" for name, body in self.indexes[table].items()), ""]))

    def promote(self) -> None:
        """Take the changes to live; of a large table not all values can be looked at in time, so it is asked."""
        self.write()
        planned, _ = json.JSONDecoder().raw_decode(self.site.run("plan", "--json", code=None))
        said = [word for one in planned["questions"] for word in ("--answer", f"{one['key']}=empty")]
        self.site.run("promote", "--yes", *said, timeout=3600)

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the owner of the database."""
        connection = psycopg2.connect(dsn(self.site))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            found = cursor.fetchall() if cursor.description else []
        connection.close()
        return found

    def physical(self, path: str) -> str:
        """The physical name of a table or column of live."""
        return str(self.sql("select coalesce(p.column_name, p.table_name) from bm.member m join sys.physical p on "
                            f"p.id = m.id and p.part = '' where m.path = '{path}' and m.state = 'live'")[0][0])

    def fill(self, table: str, rows: int) -> str:
        """Rows by one statement, as nobody works yet; the table and the ids of its first thousand, for the crowd."""
        name, city, size, code = (self.physical(f"{table}.{field}") for field in FIELDS)
        type_id = self.sql(f"select id from bm.member where path = '{table}'")[0][0]
        first = self.sql("select case when is_called then last_value else last_value - 1 end from ed.record_id")[0][0]
        self.sql(f"""insert into ed."{self.physical(table)}" (_type, "{name}", "{name}_key", "{city}", "{city}_key",
                     "{size}", "{code}")
                     select {type_id}, 'Name ' || n, 'name ' || n, 'City ' || n % 40, 'city ' || n % 40, n % 1000, n
                     from generate_series(1, {rows}) n""")
        self.sql(f'vacuum analyze ed."{self.physical(table)}"')
        return f"{table}:{int(str(first)) + 1}:{int(str(first)) + min(rows, 1000)}"

    def measure(self, name: str, tables: list[str], work: Work,
                beside: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext) -> None:
        """Run a promotion in the midst of the crowd, after a calm time as long; print both."""
        command = [sys.executable, "-m", "bench.crowd", str(self.site.port), self.site.token("bench"), *tables]
        crowd = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with beside():
            time.sleep(5)
            begun = time.monotonic()
            time.sleep(self.calm)
            between = time.monotonic()
            with following(self) as seen:
                work()
            ended = time.monotonic()
            time.sleep(1)
        answers = json.loads(crowd.communicate()[0])
        calm, busy = times(answers, begun, between), times(answers, between, ended)
        print(f"{name:38} {ended - between:6.1f} s {calm.longest:6.0f} {busy.longest:6.0f} "
              f"{busy.longest - calm.longest:+7.0f} {calm.most:6.0f} {busy.most:6.0f} "
              f"{max(seen, default=0) * 1000:6.0f}   {calm.failed}/{calm.requests} "
              f"{busy.failed}/{busy.requests}", flush=True)


def times(answers: list[tuple[float, float, str, int]], begun: float, ended: float) -> Times:
    """What was asked within a time."""
    asked = [answer for answer in answers if begun <= answer[0] + answer[1] and answer[0] <= ended]
    took = sorted(answer[1] * 1000 for answer in asked)
    failed = sum(answer[3] not in (200, 201) for answer in asked)
    return Times(took[-1], took[min(int(len(took) * 0.999), len(took) - 1)], len(took), failed)


@contextlib.contextmanager
def following(bench: Bench) -> Iterator[list[float]]:
    """How long after each flip within the block the last worker said that it is on the new version, in seconds."""
    seen: list[float] = []
    stop = threading.Event()

    def watch() -> None:
        connection = psycopg2.connect(dsn(bench.site))
        connection.autocommit = True
        known, flipped = None, 0.0
        with connection.cursor() as cursor:
            while not stop.wait(0.01):
                cursor.execute("select version, (select bool_and(w.version = l.version) from sys.worker w "
                               "where w.lease_until > now()) from bm.live l")
                (version, all_there), = cursor.fetchall()
                if known is not None and version != known:
                    flipped = time.monotonic()
                if flipped and all_there:
                    seen.append(time.monotonic() - flipped)
                    flipped = 0.0
                known = version
        connection.close()
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def reader(bench: Bench) -> Iterator[None]:
    """Somebody whose report reads the table for five seconds, again and again."""
    stop = threading.Event()

    def read() -> None:
        while not stop.wait(2):
            bench.sql(f'begin; select count(*) from (select 1 from ed."{bench.physical("large")}" limit 1) x; '
                      "select pg_sleep(5); commit")
    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def vacuuming(bench: Bench) -> Iterator[None]:
    """An autovacuum that is at work on the table, slowly."""
    table = f'ed."{bench.physical("large")}"'
    bench.sql(f"alter table {table} set (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,"
              " autovacuum_vacuum_cost_delay = 20, autovacuum_vacuum_cost_limit = 100)")
    bench.sql(f"update {table} set _version = _version where id % 10 = 0")
    end = time.monotonic() + 90
    while not bench.sql("select 1 from pg_stat_progress_vacuum") and time.monotonic() < end:
        time.sleep(0.5)
    print("    autovacuum is " + ("at work" if bench.sql("select 1 from pg_stat_progress_vacuum") else "not at work"))
    try:
        yield
    finally:
        bench.sql(f"alter table {table} reset (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor,"
                  " autovacuum_vacuum_cost_delay, autovacuum_vacuum_cost_limit)")


def run(bench: Bench) -> None:
    """All promotions, one after the other."""
    one = [bench.fill("large", bench.rows)]
    hot = {name: bench.fill(name, 1000) for name in bench.fields if name != "large"}
    print(f"\n{bench.rows:,} rows, 50 people. In ms: the longest answer in calm, beside the promotion, what it added;\n"
          "what 999 of 1000 took; from the flip until all workers said that they follow. Failed of all requests.\n")
    print(f"{'promotion':38} {'took':>8} {'calm':>6} {'busy':>6} {'added':>7} {'calm':>6} {'busy':>6} "
          f"{'follow':>6}   failed")
    large = bench.fields["large"]

    def twenty(turn: str) -> Work:
        def work() -> None:
            large.update({f"{turn}_{number}": "type: text, max: 50" for number in range(20)})
            bench.indexes["large"][turn] = f"{turn}_0, size"
            bench.promote()
        return work
    bench.measure("20 fields and an index", one, twenty("plain"))
    bench.measure("the same, a reader of 5 s on the table", one, twenty("read"), lambda: reader(bench))
    bench.measure("the same, autovacuum on the table", one, twenty("vacuum"), lambda: vacuuming(bench))

    def many() -> None:
        for name in hot:
            bench.fields[name] |= {"more": "type: text, max: 50", "number": "type: integer"}
        bench.promote()
    bench.measure(f"{HOT} hot tables at once", list(hot.values()), many)

    def retyped() -> None:
        large["code"] = "type: text, max: 20"
        bench.promote()
    bench.measure("an integer becomes a text", one, retyped)

    def required() -> None:
        large["label"] = "type: text, max: 200, required: true, default: New, fill: \"=name + ' in ' + city\""
        bench.promote()
    bench.measure("a new required field, filled", one, required)


def main() -> None:
    """Set a system up, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--calm", type=float, default=20, help="seconds that are measured without a promotion")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        site = Site.make(Path(folder))
        (site.metadata / "system.yaml").write_text(SYSTEM)
        bench = Bench(site, options.rows, options.calm)
        bench.write()
        site.run("init")
        site.password = site.add_user("bench", "--role", "administrator")
        site.serve(workers=2, work=False)
        try:
            run(bench)
        finally:
            site.stop()


if __name__ == "__main__":
    main()
