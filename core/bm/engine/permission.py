"""Whether who began a promotion on a page may still do so, asked again by the process that runs it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from core.bm.engine.journal import Open
from core.bm.versions import live
from core.ed.session import Session, counted
from core.errors import Words, words

if TYPE_CHECKING:
    from core.plugins import Plugins

_ACCOUNT = text("select user_id from sys.account where id = :id and active and user_id is not null")


def refusal(connection: Connection, found: Open, plugins: Plugins) -> Words | str:
    """Why it is not done any more, by the roles of this moment; "" if it is, or if a command began it."""
    if found.duty is None:
        return ""
    user = connection.scalar(_ACCOUNT, {"id": found.account})
    if user is None:
        return words("{name} has no account any more that could ask for it", name=found.by_name)
    system = live.system(connection, live.current(connection)[0], plugins)
    today = datetime.now(ZoneInfo(system.model.system.time_zone)).date()
    session = Session.open(system, connection, counted(connection, system, user, today))
    return "" if session.may(found.duty) else \
        words("none of the roles of {name} gives the right to it any more (may: {word})", name=found.by_name,
              word=found.duty)
