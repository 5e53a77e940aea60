"""Idempotency-Key: a request sent again gets the first answer, and is not carried out twice."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from sqlalchemy import Connection, text
from werkzeug.exceptions import UnprocessableEntity

from core.errors import N_, BadRequest

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
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
    """The answer that was given before."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a caller chose for one request; it lives for a day."""

    account: int
    key: str
    hash: str

    @classmethod
    def of(cls, account: int, header: str | None, *request: bytes) -> Key | None:
        """Take the key of a request; raises BadRequest for one that is none."""
        if header is None:
            return None
        if not _KEY.fullmatch(header):
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
