"""Random expressions that are well typed, as text, for hypothesis."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[str]], str]

FIELDS = {
    "deal": {
        "text": ["name", "note", "company.name", "company.parent.name"],
        "money": ["amount"], "decimal": ["factor", "probability"], "integer": ["count_of", "company.size"],
        "date": ["closes", "starts", "company.founded"], "datetime": ["seen", "heard"],
        "boolean": ["archived", "urgent"],
        "choice": ["stage", "stage"], "link": ["company", "partner", "company.parent", "user.company"],
    },
    "line": {
        "text": ["product", "outer.name"], "money": ["price", "outer.amount"], "decimal": ["outer.factor"],
        "integer": ["quantity"], "date": ["due", "outer.closes"], "datetime": ["outer.seen"],
        "boolean": ["done", "outer.archived"], "choice": ["outer.stage"], "link": ["outer.company"],
    },
}
LITERALS = {
    "text": ["'a'", "'B'", "'acme'", "''", "'%'", "'é'", "' x '"],
    "money": ["1.5", "0", "100", "33.33"], "decimal": ["0.5", "2", "7", "-3", "0.000001", "0"],
    "integer": ["0", "1", "2", "-7", "12", "999999"], "date": ["today()", "date('2026-01-31')", "date('2024-02-29')"],
    "datetime": ["now()", "datetime('2025-10-26T00:30:00Z')"], "boolean": ["True", "False"],
    "choice": ["'open'", "'won'"],
}
NUMBERS = ("money", "decimal", "integer")
ONE_TO_ONE = {
    "text": ["lower({text})", "upper({text})", "trim({text})", "left({text}, {integer})", "right({text}, 3)",
             "replace({text}, 'a', 'xy')", "concat({text}, {text})", "({text} + {text})", "text({number})",
             "text({date})", "coalesce({text}, {text})", "greatest({text}, {text})"],
    "integer": ["length({text})", "round({number})", "floor({number})", "ceil({number})", "year({date})",
                "month({date})", "weekday({date})", "week({date})", "days_between({date}, {date})",
                "({integer} + {integer})", "({integer} * {integer})", "({integer} % {plain})", "abs({integer})",
                "(-{integer})", "day({date})", "quarter({date})", "if_empty({integer}, {integer})"],
    "decimal": ["({number} + {number})", "({number} - {number})", "({number} * {number})", "({number} / {number})",
                "({number} % {plain})", "round({number}, 2)", "abs({number})", "number({text})",
                "least({number}, {number})", "coalesce({number}, {number})", "({number} / 100)"],
    "money": ["({money} + {money})", "({money} * {decimal})", "(-{money})", "({money} / 3)"],
    "date": ["({date} + {duration})", "({date} - {duration})", "add_months({date}, {integer})", "month_start({date})",
             "month_end({date})", "year_start({date})", "quarter_start({date})", "date({datetime})", "year_end({date})",
             "least({date}, {date})"],
    "datetime": ["({datetime} + {duration})", "({datetime} - {duration})", "datetime({date})",
                 "greatest({datetime}, {datetime})"],
    "duration": ["days({integer})", "hours({integer})", "({date} - {date})", "({datetime} - {datetime})",
                 "({duration} + {duration})"],
    "choice": [], "link": ["coalesce({link}, {link})"],
    "boolean": [
        "{number} {order} {number}", "{text} {order} {text}", "{date} {order} {date}", "{datetime} {order} {datetime}",
        "{duration} {order} {duration}", "{number} {equal} {number}", "{text} {equal} {text}", "{date} {equal} {date}",
        "{choice} {equal} {choice}", "{link} {equal} {link}", "{link} {equal} 3", "{field_link} in [2, {link}]",
        "{boolean} {equal} {boolean}", "{any} is None",
        "{any} is not None", "{choice} in ['open', 'lost']", "{choice} not in ['open', None]",
        "{number} in [1, None, 2]", "{field_text} not in ['a', {text}, 'Zz']", "({boolean} and {boolean})",
        "({boolean} or {boolean})", "not {boolean}", "contains({text}, {text})", "starts_with({text}, 'A')",
        "ends_with({text}, {text})", "0 <= {field} < 100"],
}
ONLY_DEAL = {
    "boolean": ["exists(lines[{line}])", "'won' in kinds", "'open' not in kinds", "{link} in members", "kinds is None",
                "exists(members[size > 1 or name == outer.name])",
                "company is client", "company is not client", "exists(company.deals[amount > outer.amount])",
                "exists(lines)", "members is not None"],
    "integer": ["count(lines[{line}])", "sum(lines.quantity)", "count(lines.product)", "count(members)",
                "max(members.size)",
                "max(lines[{line}].quantity)",
                "count(company.deals[exists(lines[done and price > outer.outer.amount])])"],
    "money": ["sum(lines[{line}].price)", "min(lines.price)", "first(lines[{line}], order=-price).price"],
    "decimal": ["avg(lines[{line}].quantity)", "avg(lines.price)"],
    "text": ["first(lines, order=[-due, product]).product", "max(lines.product)", "first(lines).deal.company.name"],
    "date": ["min(lines[{line}].due)", "max(lines.due)"],
    "link": ["first(company.deals, order=name).partner"],
}


def source(draw: Draw, type: str, depth: int, table: str = "deal") -> str:
    """An expression of a type, as text."""
    if type == "number":
        type = draw(st.sampled_from(NUMBERS))
    if type == "any":
        type = draw(st.sampled_from(["text", "money", "integer", "date", "choice", "link", "boolean"]))
    choices = [*FIELDS[table].get(type, ()), *LITERALS.get(type, ())]
    if depth > 0 or not choices:
        forms = [*ONE_TO_ONE[type], *(ONLY_DEAL.get(type, ()) if table == "deal" else ())]
        if forms and (not choices or draw(st.sampled_from(["form", "form", "form", "leaf"])) == "form"):
            written = _filled(draw, draw(st.sampled_from(forms)), depth - 1, table)
            return f"({written})" if type == "boolean" else written
    written = draw(st.sampled_from(choices))
    if depth > 1 and draw(st.sampled_from("nnny")) == "y":
        other = draw(st.sampled_from(choices))
        return f"({written} if {source(draw, 'boolean', depth - 2, table)} else {other})"
    return written


def _filled(draw: Draw, form: str, depth: int, table: str) -> str:
    parts = []
    for piece in form.replace("}", "{").split("{"):
        if len(parts) % 2 == 0:
            parts.append(piece)
        elif piece == "order":
            parts.append(draw(st.sampled_from(["<", "<=", ">", ">="])))
        elif piece == "equal":
            parts.append(draw(st.sampled_from(["==", "!="])))
        elif piece.startswith("field_"):
            parts.append(draw(st.sampled_from(FIELDS[table][piece.removeprefix("field_")])))
        elif piece == "line":
            parts.append(source(draw, "boolean", min(depth, 1), "line"))
        elif piece == "plain":
            parts.append(draw(st.sampled_from([*FIELDS[table]["integer"], "7", "-3"])))
        elif piece == "field":
            parts.append(draw(st.sampled_from([*FIELDS[table]["money"], *FIELDS[table]["integer"]])))
        else:
            parts.append(source(draw, piece, depth, table))
    return "".join(parts)


@st.composite
def sources(draw: Draw, depth: int = 3) -> str:
    """An expression of any type."""
    type = draw(st.sampled_from(["boolean", "boolean", "boolean", "text", "money", "decimal", "integer", "date",
                                 "datetime", "duration", "link"]))
    return source(draw, type, depth)
