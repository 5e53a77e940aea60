"""Everything that can be done: each action on each table, record and field, with what the oracle says of it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from core.definition.model import Field, Table
from tests.matrix.checks import oracle_of
from tests.matrix.house import Caller, House, Record
from tests.matrix.oracle import Oracle
from tests.matrix.ways import MARK, marks_in
from tests.unchanged import digests

EACH = 3                            # records of each table


@dataclass(frozen=True)
class Act:
    """A request that would change something; None where whether it may hangs on more than rights."""

    method: str
    path: str
    allowed: bool | None
    sent: Mapping[str, Any] = field(default_factory=dict)

    @property
    def by_token(self) -> bool:
        """Whether it goes to the API."""
        return self.path.startswith("/api/")


def done(answer: TestResponse, act: Act) -> bool:
    """Whether an answer says that something was done."""
    return answer.status_code < 300 if act.by_token else answer.status_code == 303 and not answer.location.startswith(
        "/login")


def misdone(house: House, caller: Caller, every: int = 1, start: int = 0) -> Iterator[str]:
    """Acts that are let through or leave a trace where they may not, or are denied where they may."""
    acts = [act for number, act in enumerate(all_acts(house, caller)) if number % every == start % every
            and (act.by_token or caller.scopes is None)]
    before = digests(house.owner, house.settings.home / "files")
    for act in acts:
        if act.allowed is False:
            answer = house.ask(caller, act.method, act.path, **act.sent)
            if answer.status_code >= 500 or done(answer, act):
                yield f"{caller.name}: {act} may not be done: {answer.status_code} {answer.text[:300]}"
    after = digests(house.owner, house.settings.home / "files")
    for name in sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)):
        yield f"{caller.name}: what was refused left a trace in {name}"
    for act in acts:
        if act.allowed is not False:            # taken back, so that there is the same to try for the next
            answer = house.ask(caller, act.method, act.path, dry=True, **act.sent)
            if answer.status_code >= 500 or (act.allowed and answer.status_code in (401, 403, 404)):
                yield f"{caller.name}: {act} may be done: {answer.status_code} {answer.text[-300:]}"
            yield from _told(house, caller, act, answer)


def _told(house: House, caller: Caller, act: Act, answer: TestResponse) -> Iterator[str]:
    if caller.user:
        oracle = oracle_of(house, caller)
        for mark in marks_in(answer) - set(marks_of(act)):
            id, name = house.marks.get(mark, (0, ""))
            if id in house.records and not oracle.shows(house.records[id], name):
                yield f"{caller.name}: {act.path} tells {mark}, {(id, name)}"


def marks_of(act: Act) -> list[str]:
    """The marked texts that were sent."""
    return MARK.findall(str(act.sent))


def all_acts(house: House, caller: Caller) -> Iterator[Act]:
    """All that somebody can try."""
    oracle = oracle_of(house, caller) if caller.user else None
    for table in house.model.tables.values():
        things = [name for name, thing in house.model.objects.items() if thing.of == table.name and thing.rows is None]
        yield from _of_new(house, oracle, table, things)
        records = [one for one in house.of(table.name) if one.table == table.name]
        for record in [*records[:EACH], *(one for one in records if one.trashed)]:
            yield from _of_record(house, oracle, record, things)
            for name, one in table.fields.items():
                yield from _of_field(house, oracle, record, name, one, things)
    yield from _of_system(house, caller)


def _of_new(house: House, oracle: Oracle | None, table: Table, things: list[str]) -> Iterator[Act]:
    """Making records, one by one, of each field, and from files."""
    closed = oracle is None or oracle.closed(table.name, "create") or not oracle.in_scope(table.name, "create")
    refused = False if closed else None
    need = {name: _wire(house, table.name, one) for name, one in table.fields.items() if one.required is True}
    yield Act("POST", f"/api/v1/{table.name}", refused, {"json": need})
    yield Act("POST", f"/api/v1/{table.name}", refused, {"json": [need, need]})
    for name, one in table.fields.items():
        if one.formula is None and not one.virtual and name not in need:
            given = None if not closed and oracle is not None and oracle.gives(table.name, name) else False
            yield Act("POST", f"/api/v1/{table.name}", given, {"json": {**need, name: _wire(house, table.name, one)}})
    for thing in things:
        texts = {name: str(value) for name, value in need.items()}
        yield Act("POST", f"/{thing}/new", refused, {"data": texts})
        yield Act("POST", f"/{thing}/new/conditions", None, {"data": texts})
        yield Act("POST", f"/{thing}/import", refused, {"files": {"file": (io.BytesIO(b"name\nAb\n"), "a.csv")}})
        mine = None if oracle is not None and "administrator" in oracle.caller.roles else False
        yield Act("POST", f"/{thing}/import/{house.upload}", mine)
        yield Act("POST", f"/{thing}/import/{house.upload}/revert", mine)


def _of_record(house: House, oracle: Oracle | None, record: Record, things: list[str]) -> Iterator[Act]:
    """What is done to a record as a whole."""
    version = str(record.values["_version"])
    base, live = f"/api/v1/{record.table}", not record.trashed
    may = {right: oracle is not None and oracle.may("read", record) and oracle.may(right, record)
           for right in ("delete", "change", "unlock")}
    delete = None if may["delete"] and live else False
    yield Act("DELETE", f"{base}/{record.id}", delete)
    yield Act("DELETE", f"{base}?ids={record.id}", delete)
    yield Act("DELETE", f"{base}?where=id%20%3D%3D%20{record.id}&count=1", delete)
    closed = record.values.get("closed") is True
    unlock = None if may["unlock"] and closed else False
    yield Act("POST", f"{base}/{record.id}/unlock", unlock, {"json": {"reason": "to see"}})
    yield Act("POST", f"{base}/{record.id}/lock", None if oracle is not None and oracle.may("read", record) else False,
              {"json": {}})
    yield Act("POST", f"{base}/{record.id}/no_action", False, {"json": {}})
    for thing in things:
        place = f"/{thing}/{record.id}"
        yield Act("POST", f"{place}/delete", delete, {"data": {"_version": version}})
        yield Act("POST", f"{place}/restore", None if may["delete"] and not live else False)
        yield Act("POST", f"{place}/unlock", unlock, {"data": {"reason": "to see"}})
        yield Act("POST", f"{place}/lock", None if oracle is not None and oracle.may("read", record) else False)
        beside = None if may["change"] and live else False
        yield Act("POST", f"{place}/remark", beside, {"data": {"remark": "seen"}})
        yield Act("POST", f"{place}/remark/1/remove", False)
        yield Act("POST", f"{place}/attachments", beside, {"files": {"file": (io.BytesIO(b"seen"), "a.txt")}})
        for number in house.attachments.get(record.id, [1]):
            yield Act("POST", f"{place}/attachments/{number}/remove", beside)
        yield Act("POST", f"{place}/conditions", None, {"data": {"_version": version, "_base": "{}"}})
        yield Act("POST", f"/-/many/{thing}", delete, {"data": {
            "id": str(record.id), "action": "delete", "sure": "1", "count": "1"}})


def _of_field(house: House, oracle: Oracle | None, record: Record, name: str, one: Field,
              things: list[str]) -> Iterator[Act]:
    """Changing one field of a record, each way there is."""
    if one.virtual or one.type.is_file:
        return
    value, base = _wire(house, record.table, one, record.id), f"/api/v1/{record.table}"
    version = record.values["_version"]
    may = oracle is not None and not record.trashed and one.formula is None and oracle.may("read", record) and \
        oracle.may("change", record) and oracle.field(record, name, "change")
    allowed = None if may else False
    if may and oracle is not None and oracle.reads(record, name) and one.readonly is False and one.type.name != "sequence":
        allowed = True
    yield Act("PATCH", f"{base}/{record.id}", allowed, {"json": {"_version": version, name: value}})
    yield Act("PATCH", base, allowed, {"json": [{"id": record.id, "_version": version, name: value}]})
    yield Act("PATCH", f"{base}?where=id%20%3D%3D%20{record.id}&count=1", allowed, {"json": {name: value}})
    for other in house.of(record.table):            # beside one that may be changed, in both orders
        if other.table == record.table and other.id != record.id and allowed is False:
            rows = [{"id": at.id, "_version": at.values["_version"], name: value} for at in (record, other)]
            yield Act("PATCH", base, False, {"json": rows})
            yield Act("PATCH", base, False, {"json": rows[::-1]})
            break
    text = str(value) if not isinstance(value, (dict, list)) else json.dumps(value)
    weak = None if allowed else allowed             # a form says things in its own way
    for thing in things:
        place = f"/{thing}/{record.id}"
        yield Act("POST", place, weak, {"data": {"_version": str(version), "_base": "{}", name: text}})
        yield Act("POST", f"{place}/version", weak, {"data": {"at": "1", "field": name, "_version": str(version)}})
        yield Act("POST", f"/-/many/{thing}", weak, {"data": {
            "id": str(record.id), "action": "edit", "field": name, "value": text, "sure": "1", "count": "1"}})
        if name in ("level", "owner", "stage"):
            yield Act("POST", f"/-/kanban/{thing}/{record.id}", weak, {"data": {
                "value": json.dumps(value), "_version": str(version)}})


_OF_ADMINISTRATORS = (
    *(("POST", f"/admin/{path}") for path in (
        "promote", "rollback/1", "promotions/1/pause", "promotions/1/continue", "promotions/1/cancel", "drift",
        "parked/restore", "parked/purge", "offline/fresh")),
    *((method, path) for method in ("POST", "PUT", "PATCH", "DELETE") for path in ("/offline/", "/offline/companies")))


def _of_system(house: House, caller: Caller) -> Iterator[Act]:
    """What belongs to no table."""
    administrator = "administrator" in caller.roles
    signed = bool(caller.user)
    for method, path in _OF_ADMINISTRATORS if not administrator else ():
        yield Act(method, path, False, {"data": {"message": "x", "name": "x"}})
    for name, setting in house.model.settings.items():
        held = oracle_of(house, caller).roles if signed else []
        may = administrator or any(role.name in setting.who for role in held)
        yield Act("POST", f"/admin/settings/{name}", None if may else False, {"data": {"value": "1"}})
    share = administrator or any(house.model.roles[name].shares_views for name in caller.roles)
    for name, view in house.views.items():
        yield Act("POST", f"/-/views/{name}", None if share else False, {"data": {"title": "Mine", "for": "all"}})
        for action in ("", "/keep", "/remove"):
            yield Act("POST", f"/-/views/{name}/{view}{action}", None if share else False,
                      {"data": {"title": "Mine", "version": "1"}})
    writes = signed and (caller.scopes is None or any(scope.startswith("write") for scope in caller.scopes))
    yield Act("POST", "/api/v1/files?name=a.txt", None if writes else False,
              {"data": b"seen", "content_type": "application/octet-stream"})
    for path, sent in (("/my-account/settings", {"language": "en"}), ("/my-account/password", {"old": "x", "new": "y"}),
                       ("/my-account/tokens", {"name": "x", "scopes": "read", "days": "1"}),
                       ("/my-account/tokens/1/revoke", {})):
        yield Act("POST", path, None if signed else False, {"data": sent})
    yield Act("POST", "/set-up/none", False, {"data": {"password": "x", "again": "x"}})
    yield Act("POST", "/logout", None if signed else False)
    yield Act("POST", "/login", None, {"data": {"login": "nobody", "password": "x"}})


def _wire(house: House, table: str, one: Field, but: int = 0) -> Any:
    """A value for a field as JSON: one that another record has."""
    if one.formula is not None or one.virtual or one.type.is_file:
        return "x"
    for record in house.of(table):
        value = record.values.get(one.name)
        if record.id != but and value not in (None, [], ()):
            return _json(one.type.to_wire(value, one.properties))
    return "Ab"


def _json(value: Any) -> Any:
    return str(value) if not isinstance(value, (str, int, float, bool, list, dict, type(None))) else value
