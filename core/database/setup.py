"""Making a database ready for this release: the owner's steps, then the app role's password."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError

from core.database import engine as engines
from core.database import steps
from core.errors import Refused
from core.secrets import secret
from core.settings import Settings


def upgrade(settings: Settings) -> tuple[steps.Step, ...]:
    """Apply missing steps as the owner; the steps applied. Raises Refused with what went wrong."""
    pool = engines.open(settings, "owner")
    try:
        with engines.transaction(pool) as connection:
            done = steps.upgrade(connection)
        if not _app_can_log_in(settings):            # the embedded server's roles get theirs when it starts
            with engines.transaction(pool) as connection:
                steps.set_app_password(connection, secret(settings.home, "database_app_password"))
        return done
    except OperationalError as error:
        raise Refused(f"the database does not answer: {str(error.orig).strip()}") from None
    finally:
        pool.dispose()


def _app_can_log_in(settings: Settings) -> bool:
    pool = engines.open(settings, "app")
    try:
        with pool.connect():
            return True
    except OperationalError:
        return False
    finally:
        pool.dispose()
