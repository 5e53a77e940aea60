"""A large set of definitions for the bench: tables, forms, lists, choices, roles, translations; always the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

TABLES_AN_ADDON = 25
LANGUAGE = "zh_CN"
# Most fields of a table, by type; links, choices, lines and formulas come to 40 with them.
PLAIN = (
    ("code", "{type: text, max: 40, required: true, search: contains}"),
    ("name", "{type: text, max: 120, required: true, search: words, title: Full name}"),
    ("subject", "{type: text, search: words}"),
    ("reference", "{type: text, max: 60, help: What the other side calls it.}"),
    ("street", "{type: text}"), ("city", "{type: text, max: 80, search: words}"),
    ("note", "{type: memo, search: words}"), ("terms", "{type: memo, show: \"stage != 'draft'\"}"),
    ("email", "{type: email}"), ("phone", "{type: phone}"), ("website", "{type: url, title: Web page}"),
    ("quantity", "{type: integer, min: 0, default: 1}"),
    ("year", "{type: integer, group: false}"), ("weight", "{type: decimal, scale: 3}"),
    ("price", "{type: money, required: \"stage == 'active'\"}"),
    ("cost", "{type: money, readonly: \"stage == 'done'\"}"),
    ("discount", "{type: percent, default: 0}"), ("probability", "{type: percent}"),
    ("begins", "{type: date, default: =today()}"), ("ends", "{type: date}"), ("due", "{type: date}"),
    ("called", "{type: datetime}"), ("active", "{type: boolean, default: true}"),
)


def generate(folder: Path, tables: int = 300) -> tuple[Path, Path]:
    """Write the set; gives the folder of its addons and the site's own."""
    addons, site = folder / "addons", folder / "site"
    names = [f"area_{number:02d}" for number in range((tables + TABLES_AN_ADDON - 1) // TABLES_AN_ADDON)]
    for number, addon in enumerate(names):
        members = range(number * TABLES_AN_ADDON, min(tables, (number + 1) * TABLES_AN_ADDON))
        needs = ["base", *names[:number][-1:]]
        for path, text in {"addon.yaml": f"addon: {addon}\nversion: 1.0.0\nneeds: [{', '.join(needs)}]\n",
                           **dict(_addon(addon, members))}.items():
            _write(addons / addon / path, text)
    _write(site / "system.yaml", f"system: main\ntitle: Bench\naddons: [{', '.join(names)}]\n"
                                 f"languages: [en, {LANGUAGE}]\ncurrency: EUR\ntime_zone: Europe/Berlin\n")
    for table in range(0, tables, 10):
        _write(site / f"tables/{_name(table)}.yaml",
               f"change: table {_name(table)}\nfields:\n  phone: {{required: true}}\n"
               f"  extra: {{type: text, after: name}}\n")
        _write(site / f"forms/{_name(table)}.xml",
               f'<form change="{_name(table)}">\n  <after ref="name"><field name="extra"/></after>\n'
               '  <remove ref="website"/>\n</form>\n')
    return addons, site


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _name(table: int) -> str:
    return f"thing_{table:03d}"


def _addon(addon: str, members: range) -> Iterator[tuple[str, str]]:
    for table in members:
        name = _name(table)
        yield f"choices/{name}_stage.yaml", _choices(f"{name}_stage", ("draft", "active", "waiting", "done", "void"))
        yield f"choices/{name}_kind.yaml", _choices(f"{name}_kind", ("small", "middle", "large"))
        yield f"tables/{name}.yaml", _table(table, members)
        yield f"lists/{name}.yaml", _list(name)
        yield f"forms/{name}.xml", _form(name)
        yield f"objects/{name}s.yaml", (f"object: {name}s\nof: {name}\narea: {addon}\nicon: target\n"
                                        f"where: \"stage != 'void'\"\nnew: {{quantity: 2, owner: =user}}\n")
    yield f"menus/{addon}.yaml", f"menu: {addon}\nareas:\n  {addon}: {{title: {addon.capitalize()}, icon: box}}\n"
    for role in ("clerk", "leader", "auditor"):
        yield f"roles/{addon}_{role}.yaml", _role(f"{addon}_{role}", role, members)
    yield f"translations/{LANGUAGE}.po", _translations(members)


def _choices(name: str, values: tuple[str, ...]) -> str:
    lines = (f"  {value}: {{title: {value.capitalize()}, role: {value}, color: blue}}\n" for value in values)
    return f"choices: {name}\nvalues:\n{''.join(lines)}"


def _table(table: int, members: range) -> str:
    """A table of 40 fields; it links to earlier tables of its addon, and to people."""
    name, before = _name(table), [_name(other) for other in range(max(members.start, table - 3), table)]
    fields = dict(PLAIN)
    fields["stage"] = f"{{type: choice, of: {name}_stage, default: draft}}"
    fields["kind"] = f"{{type: choice, of: {name}_kind}}"
    fields["kinds"] = f"{{type: choice, of: {name}_kind, many: true}}"
    fields["owner"] = "{type: link, to: user, default: =user}"
    fields["helpers"] = "{type: link, to: user, many: true}"
    for place, other in enumerate(("parent", "source", "partner")):
        target = before[-1 - place] if place < len(before) else name
        among = ", among: \"stage != 'void' and owner == record.owner\"" if place == 1 else ""
        fields[other] = f"{{type: link, to: {target}{among}}}"
    fields["children"] = f"{{type: lines, of: {_name(table + 1)}, by: parent}}" if table + 1 in members \
        else "{type: memo}"
    fields["worth"] = "{type: money, formula: " + ("sum(children.price)" if table + 1 in members else "price") + "}"
    fields["total"] = "{type: money, formula: price * quantity * (100 - discount) / 100}"
    fields["margin"] = "{type: money, formula: \"price - cost if price is not None else 0\"}"
    fields["weighted"] = "{type: money, formula: price * probability / 100}"
    fields["label"] = "{type: text, formula: \"name + ' ' + coalesce(parent.name, '-')\"}"
    fields["late"] = "{type: boolean, formula: \"due is not None and due < today() and stage != 'done'\"}"
    fields["boss_name"] = "{type: text, formula: \"coalesce(owner.manager.name, owner.name)\"}"
    fields["parent_price"] = "{type: money, formula: parent.price}"
    assert len(fields) == 40, len(fields)
    lines = "".join(f"  {field + ':':13} {text}\n" for field, text in fields.items())
    return (f"table: {name}\ntitle: Thing {table}\nplural: Things {table}\ndisplay: \"{{name}} ({{code}})\"\n"
            f"peek: [name, owner]\nkeeps: [history]\nfields:\n{lines}"
            "roles:\n  owner:  {is: owner}\n  helper: {is: [helpers, parent.owner]}\n  boss:   {above: owner}\n"
            "rules:\n  dates:  {check: ends >= begins, message: \"It ends before it begins.\"}\n"
            "  worth:  {check: \"price >= cost or stage == 'void'\", level: warning}\n"
            "  parent: {check: \"parent is None or parent.stage != 'void'\", message: \"{parent.name} is void.\"}\n"
            "unique:\n  code: {fields: [code]}\nindexes:\n  pipeline: {fields: [stage, due]}\n")



def _list(name: str) -> str:
    return (f"list: {name}\nof: {name}\n"
            "columns: {code: {}, name: {}, stage: {badge: true}, price: {total: sum}, total: {total: sum}, due: {}, "
            "owner: {}, parent_city: {path: parent.city}, late: {}}\norder: [-due, name]\nfilters:\n"
            "  mine:  {title: Mine, where: owner == user, default: true}\n"
            "  open:  {title: Open, where: \"stage in ('draft', 'active', 'waiting')\"}\n"
            "  late:  {title: Late, where: \"due < today() and stage != 'done'\"}\n"
            "  dear:  {title: Dear, where: price > 1000 and parent.price > 1000}\n"
            "views: {kanban: {by: stage, card: [name, price]}, calendar: {start: begins}}\n")


def _form(name: str) -> str:
    def fields(*names: str) -> str:
        return "".join(f'    <field name="{field}"/>\n' for field in names)
    return (f'<form name="{name}" of="{name}">\n  <header><menu id="actions"/></header>\n'
            '  <group id="main" columns="2">\n'
            + fields("code", "name", "stage", "kind", "kinds", "owner", "helpers", "parent", "source", "partner")
            + '  </group>\n  <group id="money" title="Money" columns="3">\n'
            + fields("price", "cost", "quantity", "discount", "total", "margin", "probability", "weighted")
            + '  </group>\n  <group id="when" title="When" columns="2">\n'
            + fields("begins", "ends", "due", "called", "late", "active")
            + '  </group>\n  <tabs id="more">\n  <tab id="reach" title="How to reach them">\n'
            + fields("email", "phone", "website", "street", "city", "label", "boss_name")
            + '  </tab>\n  <tab id="rest" title="More">\n'
            + fields("subject", "reference", "note", "terms", "year", "weight", "children", "worth", "parent_price")
            + '  </tab>\n  </tabs>\n</form>\n')


def _role(name: str, role: str, members: range) -> str:
    rights = {"clerk": "{create: true, read: [owner, helper], change: [owner]}",
              "leader": "{create: true, read: true, change: [owner, boss], delete: [boss]}",
              "auditor": "{read: true, export: true}"}[role]
    field = {"clerk": "cost: {read: [owner]}", "leader": "cost: {change: true}", "auditor": "note: {read: false}"}[role]
    lines = (f"  {_name(table)}: {rights}\n  {_name(table)}.{field}\n" for table in members)
    return f"role: {name}\nincludes: [employee]\ngrants:\n{''.join(lines)}"


def _translations(members: range) -> str:
    texts = [f'table {_name(table)}.{part}' for table in members
             for part in ("title", "plural", *(f"fields.{field}.title" for field in ("name", "website")),
                          *(f"rules.{rule}.message" for rule in ("dates", "parent")))]
    texts += [f"choices {_name(table)}_stage.values.{value}.title" for table in members
              for value in ("draft", "active", "waiting", "done", "void")]
    texts += [f"list {_name(table)}.filters.{one}.title" for table in members for one in ("mine", "open", "late")]
    texts += [f"form {_name(table)}.{one}.title" for table in members for one in ("money", "when", "reach", "rest")]
    entries = (f'msgctxt "{text}"\nmsgid "Text {number}"\nmsgstr "文字 {number}"\n'
               for number, text in enumerate(texts))
    return ('msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
            f'"Language: {LANGUAGE}\\n"\n\n' + "\n".join(entries))
