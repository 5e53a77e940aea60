"""What may not be read is told by no query, no setting, no name in an expression, and no difference between answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from core.definition import load
from core.ed import query
from core.ed.session import Session
from core.ed.system import System
from core.errors import BadRequest, Denied, NotFound
from tests.core.ed.world import World
from tests.fixtures.asking import FOLDER
from tests.fixtures.sample import session_of

SECRETS = {
    "by_boss": "of: deal\ncolumns: {margins: sum(margin), most: max(margin), deals: count(margin), name: list(name)}\n"
               "group: []\n",
    "by_rating": "of: deal\ncolumns: {name: {}, rated: rating > 3, both: margin + 1}\norder: [name]\n",
    "most_margin": "of: deal\ncolumns: {stage: {}, deals: count()}\ngroup: [stage]\nhaving: max(margin) > 5\n",
    "ordered": "of: deal\ncolumns: {name: {}}\norder: [-margin]\n",
    "ordered_secretly": "of: deal\ncolumns: {name: {}, place: {is: margin, hidden: true}}\norder: [-place]\n",
    "runs": "of: deal\ncolumns: {name: {}, upto: running(margin)}\norder: [name]\n",
    "both": "union:\n  one: {of: deal, columns: {name: {}, value: margin}}\n"
            "  two: {of: deal, columns: {name: {}, value: probability}}\n",
    "of_both": "of: both\ncolumns: {worth: sum(value)}\ngroup: []\n",
    "chosen": "of: deal\nwhere: margin > 5\n",
    "of_chosen": "of: chosen\ncolumns: {deals: count()}\ngroup: []\n",
    "any_chosen": "of: company\nwhere: \"count(all.deal[margin > 5]) > 2\"\ncolumns: {name: {}}\n",
    "set_chosen": "of: company\nwhere: \"count(query.chosen()) > 2\"\ncolumns: {name: {}}\n",
    "aimed": "of: deal\nparameters: {least: {type: percent, default: 5}}\nwhere: margin > parameter.least\n"
             "columns: {name: {}}\n",
    "hints": "of: deal\ncolumns: {name: {}, hint: {}, long: length(hint)}\norder: [hint]\n",
    "hint_sizes": "of: deal\ncolumns: {most: max(hint), each: list(hint), many: count(hint)}\ngroup: []\n",
    "of_hints": "of: hints\nwhere: hint == 'hintanvils'\ncolumns: {name: {}}\n",
    "others": "of: company\ncolumns: {name: {}, deals: count(deals), worth: sum(deals.amount), some: exists(deals)}\n"
              "order: [name]\n",
    "salaries": "of: deal\ncolumns: {owner: {}, paid: owner.salary, deals: count()}\ngroup: [owner]\norder: [owner]\n",
}


@pytest.fixture(scope="module")
def asked(world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    site = tmp_path_factory.mktemp("site")
    (site / "system.yaml").write_bytes((FOLDER / "asking_site" / "system.yaml").read_bytes())
    (site / "queries").mkdir()
    for name, body in SECRETS.items():
        (site / "queries" / f"{name}.yaml").write_text(f"query: {name}\n{body}")
    model = load([FOLDER / "sample", FOLDER / "asking"], site).must()
    return World(System(4, model, world.system.identities, world.system.physical), world.ids)


def answers(asked: World, connection: Connection, user: str) -> dict[str, Any]:
    """What somebody gets of every query."""
    session = session_of(asked.system, connection, asked.ids[user])
    given: dict[str, dict[str, object]] = {
        "deals_of_city": {"city": "Ulm"}, "account": {"company": asked.ids["acme"]},
        "account_by_text": {"company": asked.ids["acme"]}}
    return {name: answer(session, name, given.get(name)) for name in asked.system.model.queries}


def answer(session: Session, name: str, given: dict[str, object] | None = None) -> Any:
    try:
        found = query.run(session, name, given)
    except (Denied, BadRequest, NotFound) as error:
        return type(error)
    return [column.name for column in found.columns], found.rows, found.totals


@pytest.mark.parametrize("user", ["bob", "sue", "dan", "eve", "pat", "nil"])
def test_another_secret_changes_no_answer(asked: World, connection: Connection, user: str) -> None:
    """Whatever hidden values become, somebody with few rights gets the same answers."""
    before, administrators = answers(asked, connection, user), answers(asked, connection, "ada")
    change_secrets(asked, connection, user)
    after = answers(asked, connection, user)
    for name in before:
        assert (name, after[name]) == (name, before[name])
    changed = answers(asked, connection, "ada")
    assert {name for name, body in SECRETS.items() if "margin" in body} - {
        name for name in SECRETS if changed[name] != administrators[name]} == set()


def change_secrets(asked: World, connection: Connection, user: str) -> None:
    """Give hidden fields other values, and all fields of deals that the user may not read."""
    me, records = asked.ids[user], asked.records(connection, user)
    deal, person = asked.system.stored("deal"), asked.system.stored("user")
    unread = [id_ for name in ("anvils", "bolts", "cranes", "drills", "ropes")
              for id_ in [asked.ids[name]] if not records.may("deal", "read") or not records.may("deal", "read", id_)]
    hidden = deal.table.update().where(deal.column("owner") != me)      # of their own deals they know the profit
    connection.execute(hidden.values({deal.name("margin"): deal.column("id") * Decimal("0.1"), deal.name("secret"): "other"}))
    connection.execute(deal.table.update().where(deal.column("id").in_(unread)).values(
        {deal.name("name"): "Other", deal.name("amount"): 77, deal.name("stage"): "offer", deal.name("hint"): "other"}))
    below = [me, asked.ids["eve"], asked.ids["bob"]]                    # of whom a boss knows the salary
    connection.execute(person.table.update().where(person.column("id").not_in(below)).values(
        {person.name("salary"): 7, person.name("note"): "other"}))
