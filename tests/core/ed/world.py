"""A few people, companies and deals that the tests of reading share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import Connection, Engine

from core.ed.records import Records
from core.ed.search_index import index_queue, queue_all
from core.ed.system import System
from tests.fixtures.sample import add, sample_system, session_of


@dataclass
class World:
    """The ids of everything by a short name."""

    system: System
    ids: dict[str, int] = field(default_factory=dict)

    def records(self, connection: Connection, user: str | None = None) -> Records:
        """The record service as that person has it; None is core itself."""
        return Records(session_of(self.system, connection, None if user is None else self.ids[user]))

    def names(self, ids: list[int]) -> list[str]:
        """The short names of some ids."""
        known = {id: name for name, id in self.ids.items()}
        return [known[id] for id in ids]


def build(engine: Engine) -> World:
    """Create the tables of the sample and fill them."""
    world = World(sample_system(engine))
    with engine.begin() as connection:
        _people(world, connection)
        _parties(world, connection)
        _tickets(world, connection)
        queue_all(connection, world.system)
        while index_queue(connection, world.system):
            pass
    return world


def _people(world: World, connection: Connection) -> None:
    roles = {"ada": ["administrator"], "bob": ["seller"], "sue": ["seller"], "dan": ["desk"], "eve": ["employee"],
             "pat": ["customer"], "nil": []}
    for name, assigned in roles.items():
        world.ids[name] = add(connection, world.system, "user", name=name.title(), email=f"{name}@example.com",
                              salary=Decimal(1000), note=f"noteof{name}")
        for role in assigned:
            add(connection, world.system, "role_assignment", user=world.ids[name], role=role)
    ids = world.ids
    stored = world.system.stored("user")                       # sue stands above bob, bob above eve
    for name, boss in (("bob", "sue"), ("eve", "bob")):
        connection.execute(stored.table.update().where(stored.column("id") == ids[name]).values(
            {stored.name("manager"): ids[boss]}))
    ids["north"] = add(connection, world.system, "team", name="North", members=[ids["eve"], ids["bob"]])
    ids["euro"] = add(connection, world.system, "currency", code="EUR", rate=Decimal(1))


def _parties(world: World, connection: Connection) -> None:
    ids, system = world.ids, world.system
    for name in ("gold", "old"):
        ids[name] = add(connection, system, "tag", name=name)
    ids["acme"] = add(connection, system, "company", name="Acme", city="Berlin", owner=ids["bob"], kinds=["customer"],
                      email="info@acme.example", phone="+49 30 1234567", tags=[ids["old"], ids["gold"]], founded=1900,
                      note="Rockets and anvils", active=True)
    ids["zeta"] = add(connection, system, "company", name="zeta", city="Ulm", owner=ids["sue"], parent=ids["acme"],
                      kinds=["vendor", "customer"], active=False)
    ids["huawei"] = add(connection, system, "company", name="华为技术", city="深圳", owner=ids["sue"])
    ids["empty"] = add(connection, system, "company", name="Émile & Co", owner=ids["pat"])
    ids["gone"] = add(connection, system, "company", name="Gone", city="Bonn",
                      _deleted_on=datetime(2026, 1, 1, tzinfo=UTC))
    ids["carl"] = add(connection, system, "contact", name="Carl", company=ids["acme"], owner=ids["bob"],
                      mobile="+49 171 7654321", birthday=date(1980, 2, 29))
    ids["cora"] = add(connection, system, "contact", name="Cora", company=ids["zeta"], owner=ids["sue"])


def _tickets(world: World, connection: Connection) -> None:
    ids, system = world.ids, world.system
    deals = [("anvils", "bob", "acme", "won", 1000, date(2026, 3, 1)),
             ("bolts", "bob", "acme", "offer", 500, date(2026, 1, 1)),
             ("cranes", "sue", "zeta", "won", 9000, None), ("drills", "eve", "zeta", "qualify", None, None),
             ("ropes", "sue", "gone", "lost", 50, date(2026, 2, 1))]
    for name, owner, company, stage, amount, close in deals:
        ids[name] = add(connection, system, "deal", name=name.title(), owner=ids[owner], company=ids[company],
                        client=ids[company], stage=stage, amount=None if amount is None else Decimal(amount),
                        probability=Decimal(50), margin=Decimal(10), secret=f"hidden{name}", hint=f"hint{name}",
                        close_date=close, engage_date=date(2025, 12, 1))
    for deal, product, quantity, price in (("anvils", "Anvil", 2, 300), ("anvils", "Crate", 1, 1500),
                                           ("cranes", "Crane", 1, 9000)):
        add(connection, system, "deal_line", deal=ids[deal], product=product, quantity=Decimal(quantity),
            price=Decimal(price))
    ids["leak"] = add(connection, system, "request", name="Leak", owner=ids["eve"], client=ids["carl"], severity=3,
                      operators=[ids["sue"], ids["dan"]])
    ids["diary"] = add(connection, system, "diary", title="Bob's diary", owner=ids["bob"])
