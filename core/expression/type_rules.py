"""Which types go together: in arithmetic, in comparisons, and in the two branches of a choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

from core.errors import N_, Words, words
from core.types.base import Type
from core.types.link import tables_of

NUMBERS = frozenset({"integer", "decimal", "money", "percent"})
SUMMABLE = NUMBERS | {"duration"}
ORDERED = NUMBERS | {"text", "date", "datetime", "time", "duration"}
TEXT, INTEGER, DECIMAL, BOOLEAN = Type("text"), Type("integer"), Type("decimal"), Type("boolean")
DATE, DATETIME, DURATION, NULL = Type("date"), Type("datetime"), Type("duration"), Type("null")

IsKindOf = Callable[[str, str], bool]

WORDS = {
    "time": N_("a time of day"), "json": N_("structured data"),
    "text": N_("text"), "integer": N_("a whole number"), "decimal": N_("a number"), "money": N_("money"),
    "percent": N_("a percentage"), "boolean": N_("a condition"), "date": N_("a date"),
    "datetime": N_("a date with time"), "duration": N_("a duration"), "null": N_("nothing"), "choice": N_("a choice"),
    "link": N_("a link"), "any_link": N_("a link to any record"), "set": N_("a set"),
    "table": N_("the name of a table"), "field": N_("the name of a field"),
}


def describe(type: Type) -> Words:
    """A type in the words of error messages."""
    if type.many and type.of is None:
        return words("several texts")
    if type.many:
        return words("several {name}", name=type.of) if type.name == "choice" else \
            words("several links to {name}", name=type.of)
    if type.name == "link":
        return words("a link to {name}", name=type.of)
    if type.name == "any_link" and tables_of(type):
        return words("a link to {name}", name=either(Words(table) for table in tables_of(type)))
    if type.name == "set":
        return words("a set of {name}", name=type.of)
    if type.name == "choice" and type.of:
        return words("a choice of {name}", name=type.of)
    return words(WORDS.get(type.name, type.name))


def either(several: Iterable[Words]) -> Words:
    """One thing or another, each named once."""
    return reduce(lambda first, second: words("{first} or {second}", first=first, second=second), _once(several))


def both(several: Iterable[Words]) -> Words:
    """One thing and another, each named once."""
    return reduce(lambda first, second: words("{first} and {second}", first=first, second=second), _once(several))


def _once(several: Iterable[Words]) -> Iterable[Words]:
    return {str(one): one for one in several}.values()


def is_number(type: Type) -> bool:
    """True for integer, decimal, money and percent."""
    return type.name in NUMBERS


def arithmetic(operator: str, left: Type, right: Type) -> Type | None:
    """What an operator gives, or None where it makes no sense; nothing (null) is taken as the other side."""
    if left.many or right.many:
        return None
    left, right = (right if left == NULL else left), (left if right == NULL else right)
    if is_number(left) and is_number(right):
        return _numeric(operator, left.name, right.name)
    pair = (left.name, right.name)
    if operator == "+" and pair == ("text", "text"):
        return TEXT
    if operator in "+-" and right == DURATION and left.name in ("date", "datetime", "duration"):
        return left
    if operator == "+" and left == DURATION and right.name in ("date", "datetime"):
        return right
    if operator == "-" and left == right and left.name in ("date", "datetime"):
        return DURATION
    return None


def _numeric(operator: str, left: str, right: str) -> Type:
    names = {left, right}
    if operator == "/":
        return Type("money") if left == "money" and right != "money" else DECIMAL
    if operator == "*":
        if "money" in names and left != right:
            return Type("money")
        return INTEGER if names == {"integer"} else DECIMAL
    return _widest(left, right)


def _widest(left: str, right: str) -> Type:
    """The type of a sum, a remainder, or of either one."""
    if left == right:
        return Type(left)
    return Type("money") if "money" in (left, right) else DECIMAL


def unify(left: Type, right: Type, is_kind_of: IsKindOf) -> Type | None:
    """The type of a value that is either of the two, or None."""
    if left == right or right == NULL:
        return left
    if left == NULL:
        return right
    if left.many or right.many:
        return None
    if is_number(left) and is_number(right):
        return _widest(left.name, right.name)
    if {left.name, right.name} == {"text", "choice"} or (left.name == right.name == "choice"):
        return TEXT
    if left.name == right.name == "link" and left.of and right.of:
        if is_kind_of(left.of, right.of):
            return right
        return left if is_kind_of(right.of, left.of) else None
    return None


def unify_all(types: Iterable[Type], is_kind_of: IsKindOf) -> Type | None:
    """The type of a value that is any one of several, or None."""
    found: Type | None = NULL
    for each in types:
        found = unify(found, each, is_kind_of) if found is not None else None
    return found


def equal(left: Type, right: Type, is_kind_of: IsKindOf) -> bool:
    """Whether `==` between the two makes sense; a link may be compared with the number of a record."""
    if left.many or right.many or {"set", "json"} & {left.name, right.name}:
        return False
    if {left.name, right.name} in ({"link", "integer"}, {"any_link", "integer"}):
        return True
    if {left.name, right.name} in ({"any_link"}, {"link", "any_link"}):
        return meet(left, right, is_kind_of)
    return unify(left, right, is_kind_of) is not None


def meet(left: Type, right: Type, is_kind_of: IsKindOf) -> bool:
    """Whether two links, of which one may be of one of several tables or of any, can lead to the same record."""
    several = [tables_of(one) if one.name == "any_link" else (one.of or "",) for one in (left, right)]
    return not all(several) or any(is_kind_of(one, other) or is_kind_of(other, one)
                                   for one in several[0] for other in several[1])


def related(type: Type, expected: Type, is_kind_of: IsKindOf) -> bool:
    """Whether a link, or several, may lead where links of another type lead; true of anything but two links."""
    if expected.name == "any_link" and type.name in ("link", "any_link"):
        return meet(type, expected, is_kind_of)
    if not (type.name == expected.name == "link" and type.of and expected.of):
        return True
    return is_kind_of(type.of, expected.of) or is_kind_of(expected.of, type.of)


def ordered(left: Type, right: Type) -> bool:
    """Whether `<` between the two makes sense."""
    if left.many or right.many:
        return False
    if NULL in (left, right):
        return (right if left == NULL else left).name in ORDERED | {"null"}
    return (left.name == right.name and left.name in ORDERED) or (is_number(left) and is_number(right))


def fits(type: Type, expected: Type | str) -> bool:
    """Whether a value of the type can stand where another is expected; a bare name expects any type of that name."""
    if type in (NULL, expected):
        return True
    name = expected if isinstance(expected, str) else expected.name
    if name == "any_link":
        return type.name in ("link", "any_link", "integer") and not type.many
    if isinstance(expected, Type) and (type.many, type.of if type.name == name == "choice" else expected.of) != (
            expected.many, expected.of):
        return False
    if type.name == name:
        return True
    if name in NUMBERS - {"integer"} or name == "number":
        return is_number(type)
    return {type.name, name} == {"text", "choice"} or (type.name == "integer" and name == "link")
