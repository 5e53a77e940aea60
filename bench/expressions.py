"""`python -m bench.expressions`: evaluating an expression in Python against a lambda written by hand.

The lambdas honour the same rules: empty values, empty texts, quotients rounded half up to ten places, unknown
conditions. Both sides take turns over the same records, in the same run, and the best round counts.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from core.expression import Environment, check
from tests.core.expression.world import ENVIRONMENT, World, records, rows

Record = Mapping[str, Any]
Lambda = Callable[[Record, Environment], Any]
TEN = Decimal("1E-10")
CENT = Decimal("0.01")
DAYS_90 = timedelta(days=90)


def linked(record: Record, *names: str) -> Any:
    """A value at the end of a path; empty where a link on the way is."""
    value: Any = record
    for name in names:
        if value is None:
            return None
        value = value.get(name)
    return value or None


def usual(value: Any) -> Any:
    """A number within what Python's decimals hold as they come: the lambdas have no wider ones."""
    large = isinstance(value, int | Decimal) and not isinstance(value, bool) and abs(value) > 1_000_000
    return type(value)(1234) if large else value


def both(one: bool | None, other: bool | None) -> bool | None:
    """Two conditions as one, either of which may be unknown."""
    return False if one is False or other is False else None if one is None or other is None else True


def before(day: date | None, limit: date | None) -> bool | None:
    return None if day is None or limit is None else day < limit


def total(values: Any) -> Decimal:
    return sum((value for value in values if value is not None), Decimal(0))


FORMULAS: Mapping[str, Lambda] = {
    "amount * probability / 100": lambda r, e: None if (a := r.get("amount")) is None or (
        p := r.get("probability")) is None else (a * p / 100).quantize(TEN, ROUND_HALF_UP),
    "amount * 2 + 1": lambda r, e: None if (a := r.get("amount")) is None else a * 2 + 1,
    "amount / factor": lambda r, e: None if (a := r.get("amount")) is None or not (f := r.get("factor"))
    else (a / f).quantize(TEN, ROUND_HALF_UP),
    "round(amount * 1.19, 2)": lambda r, e: None if (a := r.get("amount")) is None
    else (a * Decimal("1.19")).quantize(CENT, ROUND_HALF_UP),
    "amount if amount > 0 else None": lambda r, e: a if (a := r.get("amount")) is not None and a > 0 else None,
    "coalesce(amount, 0) + coalesce(factor, 0)": lambda r, e: (a if (a := r.get("amount")) is not None else 0) + (
        f if (f := r.get("factor")) is not None else 0),
    "stage != 'lost' and not archived": lambda r, e: r.get("stage") != "lost" and r.get("archived") is not True,
    "stage in ['open', 'won']": lambda r, e: r.get("stage") in ("open", "won"),
    "amount > 100 and closes < today()": lambda r, e: both(
        None if (a := r.get("amount")) is None else a > 100, before(r.get("closes"), e.today)),
    "closes < today() - days(90) and archived is None": lambda r, e: both(
        before(r.get("closes"), e.today - DAYS_90), r.get("archived") is None),
    "closes >= starts": lambda r, e: None if (c := r.get("closes")) is None or (
        s := r.get("starts")) is None else c >= s,
    "company.name == 'Acme' or company.parent.name == 'Acme'": lambda r, e: linked(r, "company", "name") == "Acme"
    or linked(r, "company", "parent", "name") == "Acme",
    "'won' in kinds": lambda r, e: "won" in (r.get("kinds") or ()),
    "concat(name, ' ', note)": lambda r, e: "".join((r.get("name") or "", " ", r.get("note") or ""))[:100_000] or None,
    "contains(name, 'acme')": lambda r, e: "acme" in (r.get("name") or "").lower(),
    "name if name is not None else note": lambda r, e: r.get("name") or r.get("note") or None,
    "sum(lines.price) + amount": lambda r, e: None if (a := r.get("amount")) is None
    else total(line.get("price") for line in r.get("lines") or ()) + a,
    "count(lines[price > 10 and not done])": lambda r, e: sum(
        1 for line in r.get("lines") or ()
        if (p := line.get("price")) is not None and p > 10 and line.get("done") is not True),
    "sum(lines, quantity * price)": lambda r, e: total(
        None if (q := line.get("quantity")) is None or (p := line.get("price")) is None else q * p
        for line in r.get("lines") or ()),
    "exists(lines[price > outer.amount])": lambda r, e: any(
        (p := line.get("price")) is not None and (a := r.get("amount")) is not None and p > a
        for line in r.get("lines") or ()),
}


def best(work: Lambda, data: list[Record], times: int) -> float:
    """Nanoseconds of CPU that one evaluation takes."""
    begun = time.thread_time_ns()
    for _ in range(times):
        for record in data:
            work(record, ENVIRONMENT)
    return (time.thread_time_ns() - begun) / (times * len(data))


def measure(rounds: int, times: int) -> dict[str, tuple[float, float]]:
    """For each formula what the lambda and what the expression takes; both must give the same."""
    tables = {name: [{key: usual(value) for key, value in row.items()} for row in some]
              for name, some in rows(200).items()}
    data: list[Record] = list(records(tables))
    found = {}
    for source, written in FORMULAS.items():
        evaluate = check(source, World()).evaluate
        wrong = [record["id"] for record in data if written(record, ENVIRONMENT) != evaluate(record, ENVIRONMENT)]
        assert not wrong, (source, wrong)
        sides: list[list[float]] = [[], []]
        for _ in range(rounds):
            sides[0].append(best(written, data, times))
            sides[1].append(best(evaluate, data, times))
        found[source] = (min(sides[0]), min(sides[1]))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    print(f"{'expression':58} {'lambda ns':>10} {'expression ns':>14} {'ratio':>6}")
    found = measure(options.rounds, options.times)
    for source, (lambda_, expression) in found.items():
        print(f"{source:58} {lambda_:10.0f} {expression:14.0f} {expression / lambda_:6.2f}")
    ratios = [expression / lambda_ for lambda_, expression in found.values()]
    print(f"\nmedian {statistics.median(ratios):.2f}, geometric mean {statistics.geometric_mean(ratios):.2f}, "
          f"worst {max(ratios):.2f}; the aim is 3")


if __name__ == "__main__":
    main()
