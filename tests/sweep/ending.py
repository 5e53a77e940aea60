"""Waiting for the end of a promotion that broke off, which a command or the work process brings about."""

from __future__ import annotations

import time
from collections.abc import Sequence

from core.bm.versions import folder
from tests.scenarios.client import Site
from tests.sweep.agreement import query

OPEN = "select 1 from bm.promotion where state not in ('done', 'abandoned', 'failed', 'cancelled')"
LIVE = "select v.hash from bm.version v join bm.live l on l.version = v.id"


def wait_until_ended(site: Site) -> None:
    """Until no promotion is open and the folder knows; nobody but the work process does anything about it."""
    end = time.monotonic() + 60
    while query(site.home, OPEN) or query(site.home, LIVE) != [(folder.read_base(site.metadata),)]:
        assert time.monotonic() < end, "the work process does not end it"
        time.sleep(0.2)


def insist(site: Site, *arguments: str, told: Sequence[str] = ()) -> str:
    """Run a command again as long as it is refused because the work process settles things at this very moment.

    `told` are answers, given when it asks for them.
    """
    end = time.monotonic() + 60
    while True:
        printed = site.run(*arguments, code=None)
        if "is live." in printed:
            return printed
        if told and "nobody answered" in printed:
            arguments, told = (*arguments, *told), ()
            continue
        assert time.monotonic() < end and "under way" in printed, printed
        time.sleep(0.5)
