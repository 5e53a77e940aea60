"""Promotions that pages begin, with a process that works them off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import text

from core.bm import service
from core.bm.engine import processes
from core.bm.engine.wishes import Cancelled
from core.bm.follow import Systems
from tests.core.web.site import Browser, Site


@contextmanager
def work_process(site: Site) -> Iterator[None]:
    """A process that says it works off jobs, and follows versions; `work_off` does what it has to do."""
    systems = Systems(site.engine, site.plugins, "work")
    systems.start()
    try:
        while not _alive(site):
            time.sleep(0.02)
        yield
    finally:
        systems.stop()


def _alive(site: Site) -> bool:
    with site.owner.connect() as connection:
        return processes.work_is_alive(connection)


def work_off(site: Site) -> None:
    """Run the promotion that waits, as a `work` process does."""
    with suppress(Cancelled):
        service.finish_earlier(site.owner, site.plugins, patient=False)


def state_of(site: Site, number: int) -> str:
    with site.owner.connect() as connection:
        return str(connection.scalar(text("select state from bm.promotion where id = :id"), {"id": number}))


def begun(browser: Browser, action: str, form: dict[str, Any]) -> int:
    """Begin it; the number of the promotion."""
    browser.post(action, form)
    return int(browser.location.removeprefix("/admin/promotions/"))
