"""Errors as answers: what a person reads on a page, and what a program reads as RFC 9457 problem details."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from core.database.engine import sqlstate
from core.ed.files import FULL
from core.errors import BadRequest, Conflict, Denied, FieldProblem, Invalid, NoSpace, NotFound, RecordLocked, Refused
from core.types.base import BadValue
from core.web.context import Context
from core.web.i18n import N_, Text

TITLES = {
    400: N_("This request cannot be understood"), 401: N_("You are not signed in"),
    403: N_("You may not do this"), 404: N_("There is nothing here"), 405: N_("This cannot be done here"),
    409: N_("Somebody else was faster"), 411: N_("The request does not say how long it is"),
    413: N_("This is too large"), 415: N_("This kind of content is not taken"),
    416: N_("There is no such part of this file"),
    422: N_("Some values are not right"), 428: N_("The record's version is missing"),
    429: N_("Too many attempts"), 500: N_("Something went wrong here"),
    503: N_("The service is not ready"), 507: N_("There is no room left"),
}
FULL_DISK = N_("The disk is full; nothing was saved.")
RETRY = {429: "60", 503: "2"}
_LOST = frozenset(("40001", "40P01"))                     # serialization failure, deadlock
_BUSY = _LOST | {"55P03"}                                 # lock not available
_STOPPED = "57014"                                        # it took longer than a statement of a request may
_FULL = "53100"                                           # the disk of the database
_SLOW = frozenset(("53200", "53300", "57P01", "57P02", "57P03"))   # full, shutting down


@dataclass(frozen=True, slots=True)
class Failure:
    """What an error means to whoever asked."""

    status: int
    detail: str = ""
    params: dict[str, object] = field(default_factory=dict)
    problems: tuple[FieldProblem, ...] = ()
    at: str = ""
    column: int | None = None
    headline: str = ""             # where the status has another

    def title(self, text: Text) -> str:
        """The headline, in the reader's language."""
        return text(self.headline or TITLES.get(self.status, TITLES[400 if self.status < 500 else 500]))

    def message(self, text: Text) -> str:
        """The explanation, in the reader's language."""
        return text(self.detail, **self.params) if self.detail else ""


def failure_of(error: BaseException) -> Failure:
    """Say what an error means; anything unknown is a 500 without a word about its inside."""
    match error:
        case Invalid():
            return Failure(422, problems=error.problems)
        case BadValue():
            return Failure(422, error.message, dict(error.params))
        case RecordLocked():
            return Failure(409, error.message, dict(error.params),
                           (FieldProblem("", "locked", error.message, error.params),),
                           headline=N_("This record is locked"))
        case Denied():
            return Failure(403, error.message, dict(error.params))
        case NotFound():
            return Failure(404, error.message, dict(error.params))
        case Conflict() | Refused():
            return Failure(409, error.message, dict(error.params))
        case NoSpace():
            return Failure(507, error.message, dict(error.params))
        case BadRequest():
            return Failure(400, error.message, dict(error.params), at=error.at, column=error.column)
        case HTTPException():
            return Failure(error.code or 500, _own_words(error), problems=getattr(error, "problems", ()))
        case DBAPIError():
            return _of_database(error)
        case OSError() | PoolTimeout():
            return _of_machine(error)
    return Failure(500)


def _own_words(error: HTTPException) -> str:
    """Only a description that we wrote; werkzeug's own are in English and say less than the title."""
    return error.description if error.description and error.description != type(error).description else ""


def lost_race(error: DBAPIError) -> bool:
    """Whether a transaction was ended only for others that ran beside it, so that it may well succeed now."""
    return sqlstate(error) in _LOST


def _of_database(error: DBAPIError) -> Failure:
    code = sqlstate(error)
    if code in _BUSY:
        return Failure(409, N_("Others are writing the same records. Try again."))
    if code == _STOPPED:
        return Failure(422, N_("This took too long and was stopped. Ask for less at once."))
    if code == _FULL:
        return Failure(507, FULL_DISK)
    if isinstance(error, OperationalError) or code in _SLOW or error.connection_invalidated:
        return Failure(503)
    return Failure(500)


def _of_machine(error: OSError | PoolTimeout) -> Failure:
    if isinstance(error, PoolTimeout):
        return Failure(503)
    return Failure(507, FULL_DISK) if error.errno in FULL else Failure(500)     # of what is kept while a request lasts


def problem_json(failure: Failure, text: Text, request_id: str) -> Response:
    """RFC 9457 problem details, with a list of {field, code, message} where values are wrong."""
    body: dict[str, object] = {"type": "about:blank", "title": failure.title(text), "status": failure.status,
                               "request_id": request_id}
    message = failure.message(text)
    if message:
        body["detail"] = message
    if failure.at:
        body["at"] = failure.at
    if failure.column is not None:
        body["column"] = failure.column
    if failure.problems:
        body["errors"] = [problem_dict(problem, text) for problem in failure.problems]
    # Half a character (which JSON can spell) goes back as the escape it came in as.
    written = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    response = Response(written, status=failure.status,
                        content_type="application/problem+json", headers=_headers(failure))
    if failure.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def problem_dict(problem: FieldProblem, text: Text) -> dict[str, object]:
    """One wrong value as a program reads it."""
    found: dict[str, object] = {"field": problem.field, "code": problem.code,
                                "message": text(problem.message, **problem.params)}
    row = getattr(problem, "row", None)
    if row is not None:
        found["row"] = row
    return found


def wants_json(context: Context) -> bool:
    """Whether the answer to a failure should be for programs."""
    request = context.request
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(("text/html", "application/json", "application/problem+json"))
    return best is not None and best != "text/html"


def answer(context: Context, error: BaseException) -> Response:
    """The answer to an error, as page or problem details."""
    failure = failure_of(error)
    if wants_json(context):
        response = problem_json(failure, context.text, context.request_id)
    else:
        from core.web.shell import failure_page
        response = failure_page(context, failure)
        response.headers.extend(_headers(failure))
    if isinstance(error, HTTPException):
        allow = error.get_headers()
        response.headers.update({k: v for k, v in allow if k in ("Allow", "Retry-After")})
    return response


def _headers(failure: Failure) -> dict[str, str]:
    return {"Retry-After": RETRY[failure.status]} if failure.status in RETRY else {}
