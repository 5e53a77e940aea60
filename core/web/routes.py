"""All routes of the application in one table; a test walks it."""

from __future__ import annotations

from core.web import assets, health, offline
from core.web.api.routes import ROUTES as API
from core.web.pages import (
    access,
    account,
    admin,
    admin_drift,
    admin_parked,
    admin_plan,
    admin_promotions,
    desk,
    files,
    form,
    form_parts,
    history,
    importing,
    kanban,
    list,
    locks,
    many,
    search,
    settings,
    signin,
    tokens,
    views,
)
from core.web.routing import Route

ROUTES: tuple[Route, ...] = (
    *assets.ROUTES, *health.ROUTES, *signin.ROUTES, *desk.ROUTES, *search.ROUTES, *account.ROUTES, *tokens.ROUTES,
    *files.ROUTES, *offline.ROUTES, *admin.ROUTES, *admin_plan.ROUTES, *admin_promotions.ROUTES,
    *admin_drift.ROUTES, *admin_parked.ROUTES,
    *access.ROUTES, *settings.ROUTES, *API,
    *form.ROUTES, *form_parts.ROUTES, *history.ROUTES, *importing.ROUTES, *locks.ROUTES, *views.ROUTES, *many.ROUTES,
    *kanban.ROUTES, *list.ROUTES,
)
