"""Verbs of steps that speak with people and with the world outside: dialogs, messages, mail, documents, requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Property
from pydantic_core import PydanticCustomError

from core.definition.kinds.dialogs import DialogSchema, check_ask, make_ask
from core.definition.kinds.parameters import AskedSchema, ParameterSchema, check_parameters, parameter_fields
from core.definition.kinds.people import check_people, people_names
from core.definition.kinds.schema import Expression, Line, Name, Schema, Text, Value
from core.definition.kinds.step_values import check_arguments, check_records, records, value_parts
from core.definition.kinds.steps import AGENT, WORKFLOW, Gives, Place, Verb, VerbSchema, fixed
from core.definition.processes import Ask as Dialog
from core.definition.processes import Step
from core.definition.scope import Written
from core.types.base import Type

FILE = Type("link", "file")


class AskSchema(VerbSchema, DialogSchema):
    """Asks people."""

    ask: dict[Name, AskedSchema] = Property(min_length=1, description="What is asked, by name.")


class Ask(Verb):
    """Asks people; the answers are `step.name`."""

    name = "ask"
    schema: ClassVar[type[VerbSchema]] = AskSchema
    places = AGENT
    attended = True

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        ask = make_ask(place.building, place.merged, place.path, str(place.path[-1]), schema.ask, schema,
                       place.scope.given)
        return {"ask": ask}

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        fields = cast(Dialog, parts["ask"]).fields
        return {name: fixed(fields[name].expression_type if name in fields else None) for name in schema.ask}

    def check(self, place: Place, step: Step) -> None:
        check_ask(place.building, place.merged, place.path, cast(Dialog, step.parts["ask"]))


class OpenSchema(VerbSchema):
    """Shows records."""

    open: Expression = Property(description="The record, or set of records.")
    form: Name | None = Property(None, description="The form that shows the record.")
    list: Name | None = Property(None, description="The list that shows the records.")
    message: Text | None = Property(None, description="What is said above it; may hold {path}.")


class Open(Verb):
    """Shows a record in its form, or several in a list."""

    name = "open"
    schema: ClassVar[type[VerbSchema]] = OpenSchema
    places = AGENT | WORKFLOW
    attended = True

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {"open": records(place, schema.open)}

    def check(self, place: Place, step: Step) -> None:
        table = check_records(place, step, "open")
        kind = cast(Written, step.parts["open"]).expression.type.name if table else ""
        for key, of in (("form", "link"), ("list", "set")):
            name = getattr(step.said, key)
            if name is None:
                continue
            if kind and kind != of:
                place.tell(f'a {key} shows {"one record" if key == "form" else "several records"}', key)
            found = place.find(key, name, key)
            if found is not None and table is not None and not _fits(place, found.of, table):
                place.tell(f'{key} "{name}" is of table "{found.of}", not "{table}"', key)
        place.text(step.said.message, "message")


def _fits(place: Place, one: str, other: str) -> bool:
    names = place.building.names
    return names.is_kind_of(one, other) or names.is_kind_of(other, one)


class MessageSchema(VerbSchema):
    """Tells people something."""

    message: Text = Property(description="What is said; may hold {path}.")
    level: Literal["info", "success", "warning"] = Property("info", description="How it is coloured.")


class Message(Verb):
    """Tells people something on the page they see next."""

    name = "message"
    schema: ClassVar[type[VerbSchema]] = MessageSchema
    places = AGENT | WORKFLOW
    attended = True

    def check(self, place: Place, step: Step) -> None:
        place.text(step.said.message, "message")


class RefreshSchema(VerbSchema):
    """Shows the page anew."""

    refresh: Literal[True] = Property(description="True.")


class Refresh(Verb):
    """Shows the page anew, with what the steps before it changed."""

    name = "refresh"
    schema: ClassVar[type[VerbSchema]] = RefreshSchema
    places = AGENT | WORKFLOW
    attended = True

    def check(self, place: Place, step: Step) -> None:
        """Nothing beyond what every step has."""


class LetterSchema(Schema):
    """A mail: a template, or what it says."""

    template: Name | None = Property(None, description="The template.")
    record: Expression | None = Property(None, description="The record that the template is about; the one at hand "
                                         "if left out.")
    to: Value | list[Value] = Property(None, description="Whom it goes to: addresses, or = and an expression that "
                                       "gives an address or people. The template may say it.")
    cc: Value | list[Value] = Property(None, description="Who gets a copy.")
    subject: Text | None = Property(None, description="Its subject, without a template; may hold {path}.")
    body: Text | None = Property(None, description="Its text, without a template; may hold {path}.")
    attach: list[Expression] = Property([], description="Files that go with it: fields that hold files, or the names "
                                        "of steps that print.")

    @model_validator(mode="after")
    def _either(self) -> LetterSchema:
        if self.template is None and (self.subject is None or self.body is None):
            raise PydanticCustomError("letter", 'this needs a "template", or a "subject" and a "body"')
        return self


class SendSchema(VerbSchema):
    """Sends a mail."""

    send: LetterSchema = Property(description="The mail.")


class ComposeSchema(VerbSchema):
    """Lets people finish a mail."""

    compose: LetterSchema = Property(description="The mail as it begins.")


class Send(Verb):
    """Sends a mail, when the transaction has ended well."""

    name = "send"
    schema: ClassVar[type[VerbSchema]] = SendSchema
    places = AGENT | WORKFLOW

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        letter = getattr(schema, self.name)
        needs = letter.template is not None and (letter.record is not None or place.table is not None)
        return {f"{self.name}.record": records(place, letter.record)} if needs else {}

    def check(self, place: Place, step: Step) -> None:
        letter, inside = getattr(step.said, self.name), place.at(self.name)
        table = inside.check(step.parts.get(f"{self.name}.record"), *(("record",) if letter.record else ()))
        if letter.template is not None:
            _check_template(inside, letter.template, table.of if table else None)
        for key in ("subject", "body"):
            inside.text(getattr(letter, key), key)
        for key in ("to", "cc"):
            _check_addresses(inside, getattr(letter, key), key)
        for index, source in enumerate(letter.attach):
            kind = inside.check(Written(source, place.scope), "attach", index)
            if kind is not None and kind.of != "file":
                inside.tell(f'"{source}" is no file', "attach", index)


class Compose(Send):
    """Opens a mail that people finish and send themselves."""

    name = "compose"
    schema: ClassVar[type[VerbSchema]] = ComposeSchema
    attended = True


def _check_template(place: Place, name: str, table: str | None) -> None:
    template = place.find("template", name, "template")
    of = getattr(template, "of", None)
    if of is not None and table is not None and not _fits(place, of, table):
        place.tell(f'template "{name}" is about "{of}", not "{table}"', "template")


def _check_addresses(place: Place, value: object, key: str) -> None:
    for index, one in enumerate(value if isinstance(value, list) else [value]):
        path = (key, index) if isinstance(value, list) else (key,)
        if isinstance(one, str) and one.startswith("="):
            kind = place.check(Written(one[1:], place.scope), *path, shift=1)
            if kind is not None and not (kind.name == "text" or _are_people(place, kind)):
                place.tell("an address, or people, are expected here", *path)
        elif isinstance(one, str) and "@" not in one:
            place.tell(f'"{one}" is no address: an expression has = before it', *path)


def _are_people(place: Place, kind: Type) -> bool:
    table = place.building.names.tables.get(kind.of or "")
    return kind.name in ("link", "set") and table is not None and table.people is not None


def _notified(value: object) -> object:
    return value if isinstance(value, str) and value.startswith("=") else people_names(value)


Notified = Annotated[Any, BeforeValidator(_notified), Property(json_schema_extra={
    "word": "list of record roles and roles, or = and an expression that gives people"})]


class NotifySchema(VerbSchema):
    """Puts a notice into people's inboxes."""

    notify: Notified = Property(description="Whom: record roles of the record, roles, or people.")
    message: Text = Property(description="What it says; may hold {path}.")
    record: Expression | None = Property(None, description="The record it leads to; the one at hand if left out.")


class Notify(Verb):
    """Puts a notice into people's inboxes."""

    name = "notify"
    schema: ClassVar[type[VerbSchema]] = NotifySchema
    places = AGENT | WORKFLOW

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        parts: dict[str, object] = {}
        if schema.record is not None or place.table is not None:
            parts["record"] = records(place, schema.record)
        if isinstance(schema.notify, str):
            parts["notify"] = Written(schema.notify[1:], place.scope)
        return parts

    def check(self, place: Place, step: Step) -> None:
        table = check_records(place, step, "record", many=False) if "record" in step.parts else None
        if "notify" in step.parts:
            kind = place.check(step.parts["notify"], "notify", shift=1)
            if kind is not None and not _are_people(place, kind):
                place.tell("people are expected here", "notify")
        else:
            check_people(place.merged, (*place.path, "notify"), step.said.notify, table, place.building)
        place.text(step.said.message, "message")


class PrintWhatSchema(Schema):
    """What is printed: a template, a report or a form."""

    template: Name | None = Property(None, description="The template.")
    report: Name | None = Property(None, description="The report; instead of a template.")
    form: Name | None = Property(None, description="The form; instead of a template.")
    record: Expression | None = Property(None, description="The record; the one at hand if left out.")
    with_: dict[Name, Value] = Property({}, alias="with", description="The parameters of the report.")
    format: Literal["pdf", "docx", "xlsx", "html", "csv"] = Property("pdf", description="What kind of file it is.")

    @model_validator(mode="after")
    def _one(self) -> PrintWhatSchema:
        if sum(one is not None for one in (self.template, self.report, self.form)) != 1:
            raise PydanticCustomError("print", 'one of "template", "report" and "form" is printed')
        return self


class PrintSchema(VerbSchema):
    """Makes a file."""

    print: PrintWhatSchema = Property(description="What is printed.")


class Print(Verb):
    """Makes a file of a template, a report or a form; the step's name is the file."""

    name = "print"
    schema: ClassVar[type[VerbSchema]] = PrintSchema
    places = AGENT | WORKFLOW

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        needs = schema.print.report is None and (schema.print.record is not None or place.table is not None)
        return {"print.record": records(place, schema.print.record)} if needs else {}

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        return fixed(FILE)

    def check(self, place: Place, step: Step) -> None:
        what, inside = step.said.print, place.at("print")
        kind = inside.check(step.parts.get("print.record"), *(("record",) if what.record else ()))
        table = kind.of if kind else None
        if what.template is not None:
            _check_template(inside, what.template, table)
        if what.form is not None:
            form = inside.find("form", what.form, "form")
            if form is not None and table is not None and not _fits(place, form.of, table):
                inside.tell(f'form "{what.form}" is of table "{form.of}", not "{table}"', "form")
        if what.report is not None:
            _check_report(inside, what)
        elif what.with_:
            inside.tell('"with" gives the parameters of a report', "with")


def _check_report(place: Place, what: PrintWhatSchema) -> None:
    report = place.find("report", str(what.report), "report")
    if report is not None:
        check_arguments(place, what.with_, report.parameters, f'report "{what.report}"')


class FetchWhatSchema(Schema):
    """A request to a service outside."""

    url: Line = Property(description="The address, https://...; may hold {path}, which is encoded.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Property("GET", description="The method of HTTP.")
    with_: dict[Name, Value] = Property({}, alias="with", description="What is sent, as JSON.")
    headers: dict[str, Line] = Property({}, description="Headers of the request.")
    secret: Name | None = Property(None, description="The entry of the secrets whose token is sent.")
    gives: dict[Name, ParameterSchema] = Property({}, description="What the answer holds, by name, with its type.")


class FetchSchema(VerbSchema):
    """Asks a service outside."""

    fetch: FetchWhatSchema = Property(description="The request.")


class Fetch(Verb):
    """Asks a service outside; what it `gives` is `step.name`."""

    name = "fetch"
    schema: ClassVar[type[VerbSchema]] = FetchSchema
    places = AGENT

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        fields = parameter_fields(place.building, place.merged, (*place.path, "fetch", "gives"), schema.fetch.gives)
        return {"fetch.gives": fields, **value_parts(place, schema.fetch.with_, "fetch.with")}

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        fields = cast("Mapping[str, Any]", parts["fetch.gives"])
        return {name: fixed(fields[name].expression_type if name in fields else None) for name in schema.fetch.gives}

    def check(self, place: Place, step: Step) -> None:
        inside = place.at("fetch")
        if not step.said.fetch.url.startswith("https://"):
            inside.tell("an address begins with https://", "url")
        inside.text(step.said.fetch.url, "url")
        for name in step.said.fetch.with_:
            inside.check(step.parts.get(f"fetch.with.{name}"), "with", name, shift=1)
        check_parameters(place.building, place.merged, (*place.path, "fetch", "gives"),
                         cast("Mapping[str, Any]", step.parts["fetch.gives"]))


PEOPLE_VERBS: tuple[Verb, ...] = (Ask(), Open(), Message(), Refresh(), Send(), Compose(), Notify(), Print(), Fetch())
