"""Which processes of the system are alive, as they say themselves in sys.worker."""

from __future__ import annotations

from sqlalchemy import Connection, exists, func, select

from core.bm.versions import tables


def work_is_alive(connection: Connection) -> bool:
    """Whether any process works off jobs now."""
    return connection.scalar(select(exists().where(
        tables.worker.c.kind == "work", tables.worker.c.lease_until > func.now()))) is True
