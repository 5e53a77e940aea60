"""Every list and form as each role's user sees it, in each language, through the application itself."""

from __future__ import annotations

from collections.abc import Iterator

from werkzeug.test import Client

from core.conformance.subject import Subject
from core.definition.model import Model, Object
from core.ed.paths import concrete
from core.ed.records import Records
from core.web.pages.objects import visible

FEW, MANY = 3, 200
SHOWN, HIDDEN = (200,), (403, 404)      # what somebody gets who may see a page, and who may not


def visit(subject: Subject) -> Iterator[str]:
    """The pages that did not come as the role's grants say, each with what came."""
    scratch, model = subject.scratch, subject.model
    for role, cookie in scratch.cookies.items():
        client = Client(scratch.application)
        client.set_cookie("sid", cookie)
        with scratch.records(role) as own, scratch.records() as all_records:
            expected = {path: wanted for thing in model.objects.values()
                        if subject.is_own(model.definitions["object", thing.name].layer)
                        for path, wanted in _paths(model, thing, own, all_records)}
        for language in model.system.languages:
            for path, wanted in expected.items():
                answer = client.get(path, headers={"Accept-Language": language.replace("_", "-")},
                                    environ_overrides={"REMOTE_ADDR": "127.0.0.1"})
                if answer.status_code not in wanted:
                    yield f"{path} as {role} in {language}: {answer.status_code} where {wanted[0]} was expected"


def _paths(model: Model, thing: Object, own: Records, all_records: Records) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The pages of an object, and what the role's user should get."""
    if thing.rows is not None:
        yield f"/{thing.name}", SHOWN if visible(own.session, thing) else HIDDEN
        return
    readable = own.may(thing.of, "read")
    yield f"/{thing.name}", SHOWN if readable else HIDDEN
    if not model.tables[thing.of].abstract:
        yield f"/{thing.name}/new", SHOWN if own.may(thing.of, "create") else HIDDEN
    if not concrete(model, thing.of):
        return                              # a base under which this system has no table
    seen = {row["id"] for row in own.page(thing.of, ["id"], where=thing.where, limit=MANY).records} \
        if readable else set()
    for row in all_records.page(thing.of, ["id"], where=thing.where, limit=FEW).records:
        if row["id"] in seen or not readable:
            yield f"/{thing.name}/{row['id']}", SHOWN if readable else HIDDEN


