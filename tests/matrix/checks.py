"""What must hold of every answer, for a share of all that can be asked: the short tests take some, the sweep all."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from werkzeug.test import TestResponse

from core.ed.exporting import Wanted, export, format_of
from core.errors import TesseraError
from tests.matrix import ways
from tests.matrix.house import SENT, Caller, House
from tests.matrix.oracle import Oracle

NONE = "qxnothing"                  # a name that no field has
HELP = re.compile(r' \(did you mean (?:\\"|&#34;|")(\w+)(?:\\"|&#34;|")\?\)')     # goes by how names are spelt


def oracle_of(house: House, caller: Caller) -> Oracle:
    """What the caller may, today where the system is at home."""
    return Oracle(house.model, house.records, caller, datetime.now(ZoneInfo("Europe/Berlin")).date())


def told_too_much(house: House, caller: Caller, every: int = 1, start: int = 0) -> Iterator[str]:
    """Answers that fail, or tell a marked text that its reader may not read."""
    oracle = oracle_of(house, caller) if caller.user else None
    allowed = {mark for mark, (id, name) in house.marks.items() if oracle is not None and id in house.records
               and oracle.shows(house.records[id], name)}
    allowed |= {mark for mark, (id, name) in house.marks.items() if id == SENT and name == caller.name}
    for ask in ways.sample(ways.asks(house), every, start):
        if caller.scopes is not None and not ask.path.startswith("/api/"):
            continue
        answer = house.ask(caller, "GET", ask.path, headers=ask.headers)
        if answer.status_code >= 500 and not _asleep(ask.path, answer):
            yield f"{caller.name}: {ask.path} is {answer.status_code}"
        for mark in sorted(ways.marks_in(answer) - allowed - set(ways.MARK.findall(ask.path))):
            yield f"{caller.name}: {ask.path} {ask.headers} tells {mark}, {house.marks.get(mark)}"


def _asleep(path: str, answer: TestResponse) -> bool:
    """Whether it says that the offline system does not run here."""
    return answer.status_code == 503 and path.startswith("/offline/")


def told_too_little(house: House, caller: Caller, every: int = 1) -> Iterator[str]:
    """Records that a list of the API lacks or has too many, and values that some of its records do not show."""
    oracle = oracle_of(house, caller)
    for name in house.model.tables:
        answer = house.ask(caller, "GET", f"/api/v1/{name}?limit=200&fields=id")
        expected = {one.id for one in house.of(name) if not one.trashed and oracle.may("read", one)}
        if oracle.closed(name) or not oracle.in_scope(name, "read"):
            if answer.status_code not in (403, 404):
                yield f"{caller.name}: {name} is closed, and answers {answer.status_code}"
            continue
        found = {record["id"] for record in answer.json["records"]} if answer.status_code == 200 else set()
        if found != expected:
            yield f"{caller.name}: {name} lacks {expected - found}, has {found - expected} too many"
        for record in house.of(name)[::every]:
            yield from _shown(house, caller, oracle, name, record.id)


def _shown(house: House, caller: Caller, oracle: Oracle, table: str, id: int) -> Iterator[str]:
    record = house.records[id]
    if record.table != table:
        return
    answer = house.ask(caller, "GET", f"/api/v1/{table}/{id}")
    if (answer.status_code == 200) is not (oracle.may("read", record) and not record.trashed):
        yield f"{caller.name}: {table} {id} answers {answer.status_code}"
    if answer.status_code != 200:
        return
    for name, field in house.model.tables[table].fields.items():
        if field.formula is not None or field.virtual:
            continue
        empty = record.values.get(name) in (None, [], ())
        if not empty and (answer.json.get(name) not in (None, [])) is not oracle.reads(record, name):
            yield f"{caller.name}: {table} {id} shows {name} as {answer.json.get(name)!r}"


def unlike_unknown(house: House, caller: Caller, every: int = 1, start: int = 0) -> Iterator[str]:
    """Hidden names that are answered otherwise than names that are not there, and texts that searches betray."""
    oracle = oracle_of(house, caller)
    number = start
    for table in house.model.tables.values():
        shut = oracle.closed(table.name) or not oracle.in_scope(table.name, "read")
        for name in table.fields:
            hidden = shut or oracle.hidden(table.name, name)
            if not hidden:
                continue
            number += 1
            if number % every:
                continue
            pairs = zip(ways.of_field(house.model, table, name), _unknown(house, table, name), strict=True)
            for ask, other in pairs:
                if caller.scopes is not None and not ask.path.startswith("/api/"):
                    continue
                found, none = (house.ask(caller, "GET", one.path, headers=one.headers) for one in (ask, other))
                for helped in HELP.findall(found.text):
                    if helped in table.fields and (shut or oracle.hidden(table.name, helped)):
                        yield f"{caller.name}: {ask.path} suggests {helped}"
                if _nameless(found, name) != _nameless(none, name):
                    yield f"{caller.name}: {ask.path} is {found.status_code} {found.text[:300]}, not " \
                          f"{none.status_code} {none.text[:300]}"


def _unknown(house: House, table: ways.Table, name: str) -> Iterator[ways.Ask]:
    """The same questions about a field that is not there."""
    for ask in ways.of_field(house.model, table, name):
        path, _, query = ask.path.partition("?")
        parts = path.split("/")
        if parts[1] == "-":
            parts[4] = NONE
        yield ways.Ask("/".join(parts) + "?" + _without(query, name))


def _nameless(answer: TestResponse, name: str) -> str:
    """An answer with one name for all fields, however long theirs are."""
    return re.sub(r"'Content-Length', '\d+'", "length", HELP.sub("", ways.plain(answer)).replace(name, NONE))


def _without(query: str, name: str) -> str:
    return re.sub(rf"(?<![a-z_.]){re.escape(name)}(?![a-z_=])", NONE, query)


def betrayed(house: House, caller: Caller, every: int = 1, start: int = 0) -> Iterator[str]:
    """Hidden texts for which a search answers otherwise than for what stands nowhere."""
    oracle = oracle_of(house, caller)
    hidden = [mark for mark, (id, name) in house.marks.items()
              if id in house.records and not oracle.shows(house.records[id], name)]
    for mark in hidden[start % every::every]:
        table = house.records[house.marks[mark][0]].table
        root = house.model.tables[table].root
        for path in ("/search?q={}", f"/api/v1/{table}?q={{}}&count=1", f"/api/v1/{root}?q={{}}&aggregate=count()",
                     *(f"/{name}?q={{}}" for name, thing in house.model.objects.items() if thing.of == table)):
            if caller.scopes is not None and not path.startswith("/api/"):
                continue
            nowhere = f"zq{'0' * (len(mark) - 3)}x"          # of the same length
            found, none = (house.ask(caller, "GET", path.format(one)) for one in (mark, nowhere))
            if ways.plain(found).replace(mark, nowhere) != ways.plain(none):
                yield f"{caller.name}: {path.format(mark)} betrays {house.marks[mark]}"


def taken_out(house: House, caller: Caller, every: int = 1, start: int = 0) -> Iterator[str]:
    """Records that an export has too many or lacks: by the API, and as the command line makes it."""
    oracle = oracle_of(house, caller)
    for table in list(house.model.tables.values())[start % every::every]:
        expected = {one.id for one in house.of(table.name)
                    if not one.trashed and oracle.may("export", one) and oracle.may("read", one)}
        answer = house.ask(caller, "GET", f"/api/v1/{table.name}?format=json&fields=id")
        found = {int(one["id"]) for one in answer.json["records"]} if answer.status_code == 200 else set()
        if found != expected and not (answer.status_code in (403, 404) and oracle.closed(table.name, "export")):
            yield f"{caller.name}: an export of {table.name} lacks {expected - found}, has {found - expected} too many"
        if caller.scopes is None and _by_command(house, caller, table.name) != expected:
            yield f"{caller.name}: the command exports other records of {table.name} than it may"


def _by_command(house: House, caller: Caller, table: str) -> set[int]:
    """The records that `export` writes for somebody."""
    format_ = format_of("json", {})
    with house.session(caller.name) as session:
        file = io.BytesIO()
        try:
            export(session, Wanted(table, ("id",)), format_, file)
        except TesseraError:
            return set()
        return {int(one["id"]) for one in json.loads(file.getvalue())["records"]}
