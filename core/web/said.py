"""What the next page says once: the warnings of a record that was saved, carried over the redirect by a cookie."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence

from werkzeug.wrappers import Response

from core.errors import FieldProblem
from core.web.authentication import cookie_name, drop_cookie, set_cookie
from core.web.context import Context
from core.web.response import redirect

COOKIE = "said"
SECONDS = 60
LONGEST = 2_000         # bytes; in base64 and with its attributes a cookie stays below the 4 kB that browsers keep


def saved(context: Context, location: str, warnings: Sequence[FieldProblem]) -> Response:
    """Go to what was saved; the warnings of its rules are said there."""
    response = redirect(location)
    if warnings:
        lines = dict.fromkeys(context.text(one.message, **one.params) for one in warnings)
        text = "\n".join(lines).encode()[:LONGEST].decode(errors="ignore")
        packed = base64.urlsafe_b64encode(json.dumps([location, text], ensure_ascii=False).encode()).decode()
        set_cookie(response, context.request, COOKIE, packed, SECONDS)
    return response


def left(context: Context, location: str) -> str:
    """What is to be said at this place; nothing if nothing was left for it."""
    packed = context.request.cookies.get(cookie_name(context.request, COOKIE), "")
    if not packed:
        return ""
    try:
        place, text = json.loads(base64.urlsafe_b64decode(packed.encode()))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return ""
    return text if place == location and isinstance(text, str) else ""


def once(context: Context, response: Response, notice: str) -> Response:
    """The response, after which what it said is not said again."""
    if notice:
        drop_cookie(response, context.request, COOKIE)
    return response
