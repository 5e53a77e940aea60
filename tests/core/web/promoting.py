"""Promotions that pages begin, with a process that works them off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from core.bm import service
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
        return service.work_is_alive(connection)


def work_off(site: Site) -> None:
    """Run the promotion that waits."""
    service.finish_earlier(site.owner, site.plugins)


def answered(browser: Browser, page: str, action: str, message: str = "", **answers: str) -> int:
    """Begin what a plan's page offers, with all consent; the number of the promotion."""
    browser.get(page)
    form: dict[str, Any] = {**browser.form(action), **answers}
    if "consent" in form:
        form["consent"] = form["plan"][:6]
    if "message" in form:
        form["message"] = message
    browser.post(action, form)
    return int(browser.location.removeprefix("/admin/promotions/"))


def state_of(site: Site, number: int) -> str:
    with site.owner.connect() as connection:
        return str(connection.scalar(text("select state from bm.promotion where id = :id"), {"id": number}))
