"""Layouts as trees: XML elements become a body, and changes aim at its nodes by ref."""

from __future__ import annotations

from dataclasses import replace

from core.definition.merge import Change
from core.definition.names import suggestion
from core.definition.tree import Node
from core.definition.values import Body, BodyPath, Mark
from core.definition.xml import Element
from core.errors import Problem

OPERATIONS = ("after", "before", "into", "set", "move", "remove")
PLACES = ("after", "before", "into")


def body_of(root: Element, problems: list[Problem]) -> tuple[Body, dict[BodyPath, Mark]]:
    """The body of a definition in XML: its attributes, and `layout` (or `changes`) from its elements."""
    positions: dict[BodyPath, Mark] = {(): root.mark}
    body: Body = {}
    for name, value in root.attributes.items():
        body[name] = value
        positions[(name,)] = root.marks.get(name, root.mark)
    change = "change" in root.attributes
    key = "changes" if change else "layout"
    if change:
        _check_operations(root, problems)
    if root.children:
        body[key] = [_raw(child, (key, index), positions) for index, child in enumerate(root.children)]
        positions[(key,)] = root.children[0].mark
    return body, positions


def _raw(element: Element, path: BodyPath, positions: dict[BodyPath, Mark]) -> Body:
    positions[path] = element.mark
    attributes = element.attributes
    raw: Body = {"tag": element.tag,
                 "ref": attributes.get("id") or attributes.get("ref") or attributes.get("name") or element.tag}
    if attributes:
        raw["attributes"] = dict(attributes)
        for name in attributes:
            positions[(*path, "attributes", name)] = element.marks.get(name, element.mark)
    if element.children:
        raw["children"] = [_raw(child, (*path, "children", index), positions)
                           for index, child in enumerate(element.children)]
    return raw


def _check_operations(root: Element, problems: list[Problem]) -> None:
    for element in root.children:
        if element.tag not in OPERATIONS:
            problems.append(element.mark.problem(f"<{element.tag}> is no change: there are "
                                                 + ", ".join(OPERATIONS) + suggestion(element.tag, OPERATIONS)))
        elif not element.attributes.get("ref"):
            problems.append(element.mark.problem(f'<{element.tag}> needs "ref": the node it aims at'))
        elif element.tag == "move" and sum(place in element.attributes for place in PLACES) != 1:
            problems.append(element.mark.problem('<move> needs one of "after", "before", "into": the node it goes to'))
        elif element.tag in PLACES and not element.children:
            problems.append(element.mark.problem(f"<{element.tag}> is empty: put the elements to add into it"))


def change_layout(below: Node, change: Node, what: Change) -> Node:
    """Carry out the changes of one layer, in their order; each must aim at exactly one node."""
    members = {**below.map, **{key: node for key, node in change.map.items() if key != "changes"}}
    layout = members.get("layout", Node([], below.origin))
    for operation in change.map["changes"].items if "changes" in change.map else []:
        layout = _carry_out(layout, operation, what)
    members["layout"] = layout
    return Node(members, below.origin)


def _carry_out(layout: Node, operation: Node, what: Change) -> Node:
    tag = str(operation.map["tag"].value)
    attributes = operation.map["attributes"].map
    aim = _followed(layout, attributes["ref"], what)
    if not _aims_at_one(layout, aim, what):
        return layout
    ref = str(aim.value)
    new = operation.map["children"].items if "children" in operation.map else []
    if tag in PLACES:
        return _insert(layout, tag, ref, new)
    if tag == "set":
        return _set(layout, ref, {key: node for key, node in attributes.items() if key != "ref"})
    moved = _find(layout, ref)[0]
    if tag == "remove":
        return _without(layout, ref)
    place = next(key for key in attributes if key in PLACES)
    goal = _followed(layout, attributes[place], what)
    if any(_is(node, str(goal.value)) for node in _all(moved)):
        what.tell(goal.mark, f'"{ref}" cannot move into or beside itself')
        return layout
    if not _aims_at_one(layout, goal, what):
        return layout
    return _insert(_without(layout, ref), place, str(goal.value), [moved])


def _followed(layout: Node, aim: Node, what: Change) -> Node:
    """An aim as it is, or by the name of now if it is written with a former one."""
    tag, colon, ref = str(aim.value).rpartition(":")
    known = [] if _find(layout, str(aim.value)) else \
        [str(node.map["ref"].value) for child in layout.items for node in _all(child)]
    return replace(aim, value=tag + colon + what.aim(aim, ref, known))


def _aims_at_one(layout: Node, aim: Node, what: Change) -> bool:
    ref = str(aim.value)
    found = _find(layout, ref)
    if len(found) == 1:
        return True
    if found:
        lines = ", ".join(f"{node.mark.file}:{node.mark.line}" for node in found)
        tags = " or ".join(dict.fromkeys(f'"{node.map["tag"].value}:{ref}"' for node in found))
        what.tell(aim.mark, f'"{ref}" is {len(found)} nodes of {what.what} ({lines}): a change aims at exactly one'
                  + (f", write {tags}" if " or " in tags else ""))
    else:
        known = [str(node.map["ref"].value) for child in layout.items for node in _all(child)]
        what.tell(aim.mark, f'{what.what} has no node "{ref}"' + suggestion(ref, known))
    return False


def _all(node: Node) -> list[Node]:
    """A node and all below it."""
    inner = node.map["children"].items if "children" in node.map else []
    return [node, *(below for child in inner for below in _all(child))]


def _find(layout: Node, ref: str) -> list[Node]:
    return [node for child in layout.items for node in _all(child) if _is(node, ref)]


def _is(node: Node, ref: str) -> bool:
    """True if a ref means this node: its id or name, with or without its tag (`tab:lines`) before it."""
    tag, _, name = ref.rpartition(":")
    return node.map["ref"].value == name and tag in ("", node.map["tag"].value)


def _children(holder: Node, items: list[Node]) -> Node:
    """A layout, or a node, with other children."""
    if isinstance(holder.value, list):
        return Node(items, holder.origin)
    members = {key: node for key, node in holder.map.items() if key != "children"}
    if items:
        members["children"] = Node(list(items), holder.origin)
    return Node(members, holder.origin)


def _items(holder: Node) -> list[Node]:
    if isinstance(holder.value, list):
        return holder.items
    return holder.map["children"].items if "children" in holder.map else []


def _insert(holder: Node, place: str, ref: str, new: list[Node]) -> Node:
    items: list[Node] = []
    for child in _items(holder):
        hit = _is(child, ref)
        inner = _insert(child, place, ref, new)
        if hit and place == "into":
            inner = _children(inner, [*_items(inner), *new])
        items.extend([*new, inner] if hit and place == "before" else [inner, *new] if hit and place == "after"
                     else [inner])
    return _children(holder, items) if items or not isinstance(holder.value, dict) else holder


def _without(holder: Node, ref: str) -> Node:
    items = [_without(child, ref) for child in _items(holder) if not _is(child, ref)]
    return _children(holder, items)


def _set(holder: Node, ref: str, attributes: dict[str, Node]) -> Node:
    items: list[Node] = []
    for child in _items(holder):
        if _is(child, ref):
            said = child.map.get("attributes", Node({}, child.origin))
            merged = Node({**said.map, **attributes}, said.origin)
            child = replace(child, value={**child.map, "attributes": merged})
        items.append(_set(child, ref, attributes))
    return _children(holder, items) if items or isinstance(holder.value, list) else holder
