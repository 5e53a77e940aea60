"""Settings in a live system: what holds for whom, who may change it, that everybody sees it at once, and who did it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import text

from core.ed import setting
from core.ed.records import Records
from core.ed.session import Session
from core.errors import BadRequest, Conflict, Denied, Invalid, NotFound
from core.settings import Settings
from tests.small_system import Small, forget_settings, small_system

MORE = {
    "tables/user.yaml": "change: table user\nfields: {organisation: {type: link, to: organisation}}\n",
    "tables/order.yaml": """
table: order
title: Order
plural: Orders
fields:
  name:     {type: text, required: true}
  discount: {type: percent, default: =setting.usual_discount}
  high:     {type: boolean, formula: discount > setting.most_discount}
  greeting: {type: text, formula: "concat(setting.greeting, ' ', name)"}
rules:
  most: {check: discount <= setting.most_discount, message: "More than {discount}."}
""",
    "settings/most_discount.yaml": "setting: most_discount\ntype: percent\nmin: 0\nmax: 90\ndefault: 20\nrequired: true\n"
                                   "who: [seller]\nper: organisation\n",
    "settings/usual_discount.yaml": "setting: usual_discount\ntype: percent\ndefault: 5\n",
    "settings/greeting.yaml": "setting: greeting\ntype: text\nmax: 20\nwas: salutation\n",
    "settings/begun.yaml": "setting: begun\ntype: date\n",
    "settings/stage.yaml": "setting: first_stage\ntype: choice\nof: stage\ndefault: open\n",
    "queries/unusual.yaml": "query: unusual\nof: deal\nwhere: amount > setting.usual_discount\n",
    "roles/buyer.yaml": "role: buyer\ngrants:\n  order: {create: true, read: true, change: true}\n",
}


@pytest.fixture(scope="module")
def small(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_system(database, tmp_path_factory.mktemp("settings"), MORE) as found:
        yield found


@pytest.fixture(autouse=True)
def as_shipped(small: Small) -> None:
    forget_settings(small.owner)


def change(small: Small, name: str, value: object, user: str = "ada", **more: object) -> None:
    with small.session(user) as session:
        setting.change(session, name, value, **more)  # type: ignore[arg-type]


def holds(small: Small, name: str, user: str = "ada") -> object:
    with small.session(user) as session:
        return session.environment.variables[f"setting.{name}"]


def test_a_default_holds_until_somebody_says_another(small: Small) -> None:
    assert (holds(small, "most_discount"), holds(small, "greeting")) == (Decimal(20), None)
    change(small, "most_discount", Decimal(30))
    assert (holds(small, "most_discount"), holds(small, "most_discount", "bob")) == (Decimal(30), Decimal(30))
    change(small, "most_discount", None)
    assert holds(small, "most_discount") == Decimal(20)


def test_formulas_filters_rules_and_defaults_follow_at_once(small: Small) -> None:
    change(small, "greeting", "Dear")
    change(small, "usual_discount", Decimal(10))
    id_ = small.create("order", name="one")
    found = small.read("order", id_)
    assert (found["discount"], found["high"], found["greeting"]) == (Decimal(10), False, "Dear one")
    with pytest.raises(Invalid, match="More than 30"), small.records() as records:
        records.create("order", [{"name": "two", "discount": Decimal(30)}])
    change(small, "most_discount", Decimal(40))
    other = small.create("order", name="three", discount=Decimal(30))
    change(small, "most_discount", Decimal(25))
    assert small.read("order", other)["high"] is True
    assert [one["name"] for one in small.all("order", "high")] == ["three"]
    assert [one["name"] for one in small.all("order", "discount < setting.most_discount")] == ["one"]


def test_one_organisation_may_have_its_own(small: Small) -> None:
    north = small.create("organisation", name="North")
    with small.records() as records:
        version = records.read("user", [small.users["bob"]], ["id"])[0]["_version"]
        records.update("user", [{"id": small.users["bob"], "_version": version, "organisation": north}])
    change(small, "most_discount", Decimal(50), record=north)
    assert (holds(small, "most_discount", "bob"), holds(small, "most_discount", "eve")) == (Decimal(50), Decimal(20))
    change(small, "most_discount", Decimal(60))
    assert (holds(small, "most_discount", "bob"), holds(small, "most_discount", "eve")) == (Decimal(50), Decimal(60))
    change(small, "most_discount", None, record=north)
    assert holds(small, "most_discount", "bob") == Decimal(60)
    with pytest.raises(NotFound):
        change(small, "most_discount", Decimal(1), record=small.users["bob"])
    with pytest.raises(Denied):
        change(small, "greeting", "x", record=north)


def test_only_those_it_names_may_change_it(small: Small) -> None:
    change(small, "most_discount", Decimal(30), user="bob")
    with pytest.raises(NotFound):
        change(small, "usual_discount", Decimal(30), user="bob")
    with small.session("bob") as session:
        assert [one.name for one in setting.changeable(session)] == ["most_discount"]
    with pytest.raises(NotFound):
        change(small, "nothing", 1)


def test_nobody_finds_a_value_by_comparing_with_it(small: Small) -> None:
    small.create("deal", name="large", amount=Decimal(50), owner=small.users["bob"])

    def found(where: str, user: str = "bob") -> list[str]:
        with small.records(user) as records:
            return [one["name"] for one in records.page("deal", ["name"], where).records]
    assert found("amount > setting.usual_discount", "ada") == found("amount > setting.most_discount") == ["large"]
    assert found("id in query.unusual()") == ["large"]      # what the query shows of it is for those who wrote the query
    said = []
    for name in ("usual_discount", "no_such_one"):
        with pytest.raises(BadRequest) as error:
            found(f"amount > setting.{name}")
        said.append(str(error.value).replace(name, "x"))
    assert said[0] == said[1]


def test_no_value_is_said_for_a_record_that_one_may_not_read(small: Small) -> None:
    north = small.create("organisation", name="Hidden")
    change(small, "most_discount", Decimal(50), record=north)
    for record in (north, north + 1_000):
        with pytest.raises(NotFound, match=f"There is no record {record}"):
            change(small, "most_discount", Decimal(40), user="bob", record=record)


@pytest.mark.parametrize(("name", "value"), [
    ("most_discount", Decimal(91)), ("most_discount", "much"), ("greeting", "x" * 21), ("begun", "soon"),
    ("first_stage", "lots"), ("greeting", 5), ("most_discount", True)])
def test_what_does_not_fit_is_refused(small: Small, name: str, value: object) -> None:
    with pytest.raises(Invalid) as error:
        change(small, name, value)
    assert error.value.problems[0].field == "value"
    assert small.sql("select * from sys.setting_change") == []


def test_every_change_is_written_down(small: Small) -> None:
    change(small, "greeting", "Dear")
    change(small, "greeting", "Dear")                       # no change
    change(small, "greeting", "Hello", user="ada")
    change(small, "greeting", None)
    with small.session() as session:
        found = setting.history(session.connection, session.system.model.settings["greeting"])
    assert [(one.before, one.after) for one in found] == [("Hello", None), ("Dear", "Hello"), (None, "Dear")]
    assert {(one.user_id, one.how) for one in found} == {(small.users["ada"], "page")}


def test_a_change_raises_the_epoch_once(small: Small) -> None:
    [(before,)] = small.sql("select epoch from bm.live")
    change(small, "greeting", "Dear")
    change(small, "greeting", "Dear")
    assert small.sql("select epoch from bm.live") == [(before + 1,)]


def test_who_saw_an_older_value_changes_nothing(small: Small) -> None:
    change(small, "greeting", "Dear", seen=None)
    with pytest.raises(Conflict):
        change(small, "greeting", "Hello", seen=None)
    change(small, "greeting", "Hello", seen="Dear")
    assert holds(small, "greeting") == "Hello"


def test_a_renamed_setting_keeps_its_value(small: Small) -> None:
    with small.owner.begin() as connection:
        connection.execute(text("insert into sys.setting values ('setting.salutation', '\"Sir\"')"))
    assert holds(small, "greeting") == "Sir"
    change(small, "greeting", "Madam")
    assert small.sql("select key, value from sys.setting where key like 'setting.%'") == [("setting.greeting", "Madam")]


def test_a_value_that_no_longer_fits_does_not_hold(small: Small) -> None:
    with small.owner.begin() as connection:
        connection.execute(text("insert into sys.setting values ('setting.most_discount', '\"99\"')"))
        connection.execute(text("insert into sys.setting values ('setting.begun', '\"soon\"')"))
    assert (holds(small, "most_discount"), holds(small, "begun")) == (Decimal(20), None)


def test_core_itself_sees_them_too(small: Small) -> None:
    change(small, "most_discount", Decimal(70))
    with small.session() as session:
        own = Session.system_session(session.system, session.connection)
        assert own.environment.variables["setting.most_discount"] == Decimal(70)
        [id_] = Records(own).create("order", [{"name": "by core", "discount": Decimal(65)}])
        assert Records(own).read("order", [id_], ["high"])[0]["high"] is False

