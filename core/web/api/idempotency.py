"""Idempotency-Key: a request sent again gets the first answer, and is not carried out twice."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from werkzeug.exceptions import UnprocessableEntity
from werkzeug.wrappers import Response

from core.errors import N_, BadRequest
from core.web.api.exchange import account_id, etag

if TYPE_CHECKING:
    from core.web.context import Context

KEY = r"[\x21-\x7e]{1,200}"
_FORGET = text("delete from sys.idempotency where created_on < now() - interval '24 hours'")
_CLAIM = text("""
    insert into sys.idempotency (account_id, key, request_hash) values (:account, :key, :hash)
    on conflict do nothing returning 1""")
_FIRST = text("select request_hash, status, body from sys.idempotency where account_id = :account and key = :key")
_KEEP = text("""
    update sys.idempotency set status = :status, body = cast(:body as jsonb)
     where account_id = :account and key = :key""")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer in a form that can be kept and given again."""

    status: int
    body: bytes = b""

    def response(self, table: str) -> Response:
        """The answer; one record comes with its version, and a new one with its address."""
        if not self.body:
            return Response("", status=self.status)
        response = Response(self.body, status=self.status, content_type="application/json")
        if self.body.startswith(b'{"id":'):
            record = json.loads(self.body)
            tag = etag(record)
            if tag is not None:
                response.headers["ETag"] = tag
            if self.status == 201 and table:
                response.headers["Location"] = f"/api/v1/{table}/{record['id']}"
        return response


def once(context: Context, table: str, body: bytes, work: Callable[[], Answered]) -> Response:
    """Carry out a request that changes something, or give the answer that its key got before.

    Raises BadRequest for a key that is none, UnprocessableEntity for one that came with another request.
    """
    request = context.request
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return work().response(table)
    rights = (_scopes(context), *sorted(context.session.user.roles))     # answers hold what these show
    said = (request.method, request.full_path, request.headers.get("If-Match", ""), *rights)
    key = Key.of(account_id(context), header, *(part.encode() for part in said), body)
    first = key.claim(context.connection)
    if first is not None:
        response = first.response(table)
        response.headers["Idempotency-Replayed"] = "true"
        return response
    answer = work()
    key.keep(context.connection, answer)
    return answer.response(table)


def _scopes(context: Context) -> str:
    """What the caller's token is for, by identity: a promotion that renames a table makes it no other request."""
    scopes, known = context.account.scopes if context.account else None, context.system.identities
    return "" if scopes is None else str([
        (word, None if names is None else sorted(str(known.get(name, name)) for name in names))
        for word, names in scopes.tables])


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a caller chose for one request; it lives for a day."""

    account: int
    key: str
    hash: str

    @classmethod
    def of(cls, account: int, header: str, *request: bytes) -> Key:
        """Take the key of a request; raises BadRequest for one that is none."""
        if not re.fullmatch(KEY, header):
            raise BadRequest("An idempotency key has 1 to 200 visible ASCII characters.", "Idempotency-Key")
        return cls(account, header, hashlib.sha256(b"\0".join(request)).hexdigest())

    def claim(self, connection: Connection) -> Answered | None:
        """Take the key in this transaction, or give the first answer; waits for a twin still at work.

        Raises UnprocessableEntity when the key came with another request.
        """
        connection.execute(_FORGET)
        claimed = connection.execute(_CLAIM, {"account": self.account, "key": self.key, "hash": self.hash})
        if claimed.one_or_none() is not None:
            return None
        first = connection.execute(_FIRST, {"account": self.account, "key": self.key}).one()
        if first.request_hash != self.hash:
            raise UnprocessableEntity(N_("This idempotency key was used for another request."))
        return Answered(first.status, first.body.encode())

    def keep(self, connection: Connection, answer: Answered) -> None:
        """Remember the answer, in the transaction that made it true."""
        connection.execute(_KEEP, {"account": self.account, "key": self.key, "status": answer.status,
                                   "body": json.dumps(answer.body.decode())})
