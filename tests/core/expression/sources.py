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
    "text": ["'a'", "'B'", "'acme'", "''", "'%'", "'é'", "' x '", "'2024-02-29'", "'12'", "'Yes'"],
    "money": ["1.5", "0", "100", "33.33"], "decimal": ["0.5", "2", "7", "-3", "0.000001", "0"],
    "integer": ["0", "1", "2", "-7", "12", "999999"], "date": ["today()", "date('2026-01-31')", "date('2024-02-29')"],
    "datetime": ["now()", "datetime('2025-10-26T00:30:00Z')"], "boolean": ["True", "False"],
    "choice": ["'open'", "'won'"],
}
NUMBERS = ("money", "decimal", "integer")
ONE_TO_ONE = {
    "text": ["lower({text})", "upper({text})", "trim({text})", "left({text}, {integer})", "right({text}, 3)",
             "replace({text}, 'a', 'xy')", "concat({text}, {text})", "({text} + {text})", "text({number})",
             "text({date})", "coalesce({text}, {text})", "greatest({text}, {text})",
             "capitalize({text})", "middle({text}, {integer}, {integer})", "repeat({text}, {integer})",
             "pad_left({text}, {integer}, 'xy')", "pad_right({text}, 6, '.')", "part({text}, ' ', {integer})",
             "before({text}, ' ')", "after({text}, 'm')", "after({text}, '%')", "remove({text}, 'a %')", "digits({text})",
             "squeeze({text})", "join(', ', {text}, {text}, {text})", "text({number}, 3)", "text({datetime})",
             "null_if({text}, {text})", "switch({field_text}, 'a', {text}, None, {text}, {text})", "home(company)",
             "switch(stage, 'open', {text}, 'won', {text})", "text({field_choice})"],
    "integer": ["length({text})", "round({number})", "floor({number})", "ceil({number})", "year({date})",
                "month({date})", "weekday({date})", "week({date})", "days_between({date}, {date})",
                "({integer} + {integer})", "({integer} * {integer})", "({integer} % {plain})", "abs({integer})",
                "(-{integer})", "day({date})", "quarter({date})", "if_empty({integer}, {integer})",
                "position({text}, {text})", "occurrences({text}, 'm')", "truncate({number})", "sign({number})",
                "day_of_year({date})", "week_year({date})", "days_in_month({date})", "years_between({date}, {date})",
                "months_between({date}, {date})", "age({date})", "workdays_between({date}, {date})",
                "hour({datetime})", "minute({datetime})", "integer({text})", "integer({boolean})",
                "count_filled({text}, {integer}, {date})", "count_true({boolean}, {boolean})",
                "switch({field_integer}, 1, {integer}, 2, {integer}, {integer})"],
    "decimal": ["({number} + {number})", "({number} - {number})", "({number} * {number})", "({number} / {number})",
                "({number} % {plain})", "round({number}, 2)", "abs({number})", "number({text})",
                "least({number}, {number})", "coalesce({number}, {number})", "({number} / 100)",
                "round_to({number}, 0.25)", "round_to({number}, -7)", "percent_of({number}, {number})",
                "add_percent({number}, {number})", "total({number}, {number}, {number})", "in_days({duration})",
                "in_hours({duration})", "in_minutes({duration})", "hours_between({datetime}, {datetime})",
                "minutes_between({datetime}, {datetime})", "decimal({number})", "percent({number})",
                "null_if({number}, {number})", "double({number})"],
    "money": ["({money} + {money})", "({money} * {decimal})", "(-{money})", "({money} / 3)", "money({number})",
              "add_percent({money}, {decimal})", "net({money})", "net({money}, {decimal})"],
    "date": ["({date} + {duration})", "({date} - {duration})", "add_months({date}, {integer})", "month_start({date})",
             "month_end({date})", "year_start({date})", "quarter_start({date})", "date({datetime})", "year_end({date})",
             "least({date}, {date})", "week_start({date})", "week_end({date})", "quarter_end({date})", "yesterday()",
             "tomorrow()", "add_days({date}, {integer})", "add_weeks({date}, {integer})", "add_years({date}, {integer})",
             "add_workdays({date}, {integer})", "in_year({date}, {integer})", "in_year({date}, 2025)",
             "period_start('last 3 months')", "period_end('next week')", "period_start('this quarter')",
             "period_end('last 12 days')", "date(trim({text}))", "date(concat('2026-02-', text({integer})))"],
    "datetime": ["({datetime} + {duration})", "({datetime} - {duration})", "datetime({date})",
                 "greatest({datetime}, {datetime})"],
    "duration": ["days({integer})", "hours({integer})", "({date} - {date})", "({datetime} - {datetime})",
                 "({duration} + {duration})", "minutes({integer})", "weeks({integer})"],
    "choice": [], "link": ["coalesce({link}, {link})"],
    "boolean": [
        "{number} {order} {number}", "{text} {order} {text}", "{date} {order} {date}", "{datetime} {order} {datetime}",
        "{duration} {order} {duration}", "{number} {equal} {number}", "{text} {equal} {text}", "{date} {equal} {date}",
        "{choice} {equal} {choice}", "{link} {equal} {link}", "{link} {equal} 3", "{field_link} in [2, {link}]",
        "{boolean} {equal} {boolean}", "{any} is None",
        "{any} is not None", "{choice} in ['open', 'lost']", "{choice} not in ['open', None]",
        "{number} in [1, None, 2]", "{field_text} not in ['a', {text}, 'Zz']", "({boolean} and {boolean})",
        "({boolean} or {boolean})", "not {boolean}", "contains({text}, {text})", "starts_with({text}, 'A')",
        "ends_with({text}, {text})", "0 <= {field} < 100",
        "equals({text}, {text})", "matches({text}, 'a*')", "matches({text}, '*?%_')", "matches({text}, '*m*?t*')", "matches({text}, '?c?e')",
        "between({number}, {number}, {number})", "between({date}, {date}, {date})",
        "between({datetime}, {datetime}, {datetime})", "between({duration}, {duration}, {duration})",
        "is_empty({any})", "is_filled({any})", "xor({boolean}, {boolean})", "overlaps({date}, {date}, {date}, {date})",
        "valid_on({date}, {date}, {date})", "is_weekend({date})", "within({date}, 'this quarter')",
        "within({date}, 'last 30 days')", "within({datetime}, 'next 2 weeks')", "within({datetime}, 'today')",
        "boolean({text})", "boolean({number})"],
}
ONLY_DEAL = {
    "boolean": ["exists(lines[{line}])", "'won' in kinds", "'open' not in kinds", "{link} in members", "kinds is None",
                "exists(members[size > 1 or name == outer.name])",
                "company is client", "company is not client", "exists(company.deals[amount > outer.amount])",
                "exists(lines)", "members is not None", "any(lines, {line})", "all(lines, {line})", "none(lines, {line})",
                "any(lines.done)", "all(lines[{line}].done)", "{text} in lines.product", "{link} in company.deals.partner",
                "{link} not in company.deals.company", "{number} in lines.quantity", "under(company, {link})",
                "under(company.parent, partner)", "not under(partner, company)", "is_big(record)",
                "exists(company.deals[is_big(id)])", "(partner if {boolean} else company).name == {text}",
                "coalesce({field_link}, company) in members", "exists(lines[outer.company in outer.members and {line}])"],
    "integer": ["count(lines[{line}])", "sum(lines.quantity)", "count(lines.product)", "count(members)",
                "max(members.size)",
                "max(lines[{line}].quantity)", "count_distinct(lines.product)", "count_distinct(lines, lower(product))",
                "last(lines, order=due).quantity", "bulk({integer}, record)",
                "sum(company.deals[bulk(outer.count_of, id) > 0].count_of)", "max(lines, length(product))",
                "count(company.deals[exists(lines[done and price > outer.outer.amount])])"],
    "money": ["sum(lines[{line}].price)", "min(lines.price)", "first(lines[{line}], order=-price).price",
              "sum(lines, price * 2)", "last(lines[{line}], order=[price, product]).price", "sum(lines, total(price, 1))"],
    "decimal": ["avg(lines[{line}].quantity)", "avg(lines.price)"],
    "text": ["first(lines, order=[-due, product]).product", "max(lines.product)", "first(lines).deal.company.name",
             "list(lines.product)", "list(lines[{line}].product, order=-price, separator='')",
             "list(lines, concat(product, text(quantity)), order=[due, -quantity], separator='; ')",
             "list(company.deals.stage)", "last(lines).product", "(partner if {boolean} else company).parent.name"],
    "date": ["min(lines[{line}].due)", "max(lines.due)"],
    "link": ["first(company.deals, order=name).partner", "last(company.deals).company",
             "(partner if archived else company).parent"],
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
