"""What `work` processes do for stored formulas: those of records too many for the transaction that concerned them."""

from __future__ import annotations

from core.database.engine import transaction
from core.database.jobs import Job, task
from core.ed.computed import renew_records
from core.ed.session import Session

BATCH = 200


@task("renew_formulas")
def renew_formulas(job: Job, table: int, ids: list[int]) -> None:
    """Work out the stored formulas of some records of a table, named by its identity, and what hangs on them.

    Each batch is a transaction of its own; done twice, it finds nothing to do.
    """
    for start in range(0, len(ids), BATCH):
        with transaction(job.engine) as connection:
            system = job.system(connection)
            name = system.name_of(table) if system is not None else None
            if name is None:
                return                          # nobody has the table any more
            renew_records(Session.system_session(system, connection), name, ids[start:start + BATCH])
        job.check()
