"""Layouts as trees: XML elements become a body, and changes aim at its nodes by ref."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.definition.effects import Gap, Path
from core.definition.merge import Change
from core.definition.names import suggestion
from core.definition.tree import Node
from core.definition.values import Body, BodyPath, Mark
from core.definition.xml import Element
from core.errors import Problem

OPERATIONS = ("after", "before", "into", "set", "move", "remove")
PLACES = ("after", "before", "into")
IDENTITY = ("id", "name")


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
        elif element.tag == "set" and (fixed := next((key for key in IDENTITY if key in element.attributes), None)):
            problems.append(element.marks[fixed].problem(f'"{fixed}" is what an element is known by, so it cannot be '
                                                         "set: remove the element and add another"))
        elif element.tag in PLACES and not element.children:
            problems.append(element.mark.problem(f"<{element.tag}> is empty: put the elements to add into it"))


def change_layout(below: Node, change: Node, what: Change) -> Node:
    """Carry out the changes of one layer, in their order; each must aim at exactly one node."""
    members = dict(below.map)
    for key, node in change.map.items():
        if key != "changes":
            what.log("set", (key,), (key,), node.mark, old=members.get(key), new=node)
            members[key] = node
    layout = members.get("layout", Node([], below.origin))
    for index, operation in enumerate(change.map["changes"].items if "changes" in change.map else []):
        layout = _carry_out(layout, operation, what, ("changes", index))
    members["layout"] = layout
    return Node(members, below.origin)


def _carry_out(layout: Node, operation: Node, what: Change, where: BodyPath) -> Node:
    tag = str(operation.map["tag"].value)
    attributes = operation.map["attributes"].map
    aim = _followed(layout, attributes["ref"], what)
    new = operation.map["children"].items if "children" in operation.map else []
    aimed = _aims_at_one(layout, aim, what, takes_away=tag == "remove")
    if tag in PLACES:
        return _add(layout, tag, aim, new, aimed, what, where)
    named = str(aim.value)
    if not aimed:
        _log_missed(tag, named, attributes, what, where)
        return layout
    node = _find(layout, named)[0]
    if tag == "set":
        return _set_all(layout, node, named, {key: one for key, one in attributes.items() if key != "ref"}, what,
                        where)
    if tag == "remove":
        what.log("remove", (element_name(node),), (*where, "attributes", "ref"), aim.mark, old=node, named=(named,))
        for inner in _all(node)[1:]:
            what.removals[element_name(inner),] = what.removals[element_name(node),]
        return _without(layout, named)
    return _move(layout, node, named, attributes, what, where)


def _log_missed(tag: str, named: str, attributes: Mapping[str, Node], what: Change, where: BodyPath) -> None:
    """Remember a change whose aim is not there, so that an upgrade can tell why."""
    ref = attributes["ref"]
    if tag == "remove":
        what.log("remove", (named,), (*where, "attributes", "ref"), ref.mark, missed=True)
    for key, node in attributes.items():
        if tag == "set" and key != "ref":
            what.log("set", (named, key), (*where, "attributes", key), node.mark, new=node, missed=True)
        elif tag == "move" and key in PLACES:
            what.log("place", (named,), (*where, "attributes", key), node.mark, new=node, missed=True,
                     gap=Gap((), key, str(node.value)))


def _add(layout: Node, tag: str, aim: Node, new: list[Node], aimed: bool, what: Change, where: BodyPath) -> Node:
    """Put new elements after, before or into the aim."""
    target = _find(layout, str(aim.value))[0] if aimed else None
    named = str(aim.value)
    on = ((element_name(target),),) if target is not None else ()
    gap = Gap((), tag, element_name(target) if target is not None else named)
    for index, child in enumerate(new):
        name = str(child.map["ref"].value)
        what.log("add", (element_name(child),), (*where, "children", index), child.mark, new=child, named=(name,),
                 stands_on=on, missed=not aimed)
        if index == 0:
            what.log("place", (element_name(child),), (*where, "attributes", "ref"), aim.mark, new=aim, gap=gap,
                     named=(name,), stands_on=on, missed=not aimed, held=_held(layout, target))
    return _insert(layout, tag, named, new) if aimed else layout


def _set_all(layout: Node, node: Node, named: str, attributes: dict[str, Node], what: Change,
             where: BodyPath) -> Node:
    """Set attributes; one that is set to nothing is taken away."""
    said = node.map["attributes"].map if "attributes" in node.map else {}
    for key, one in attributes.items():
        what.log("set" if one.value else "remove", (element_name(node), key), (*where, "attributes", key), one.mark,
                 old=said.get(key), new=one if one.value else None, named=(named, key))
    return _set(layout, named, attributes)


def _move(layout: Node, node: Node, named: str, attributes: Mapping[str, Node], what: Change, where: BodyPath) -> Node:
    word = next(key for key in attributes if key in PLACES)
    goal = _followed(layout, attributes[word], what)
    inside = any(_is(inner, str(goal.value)) for inner in _all(node))
    if inside:
        what.tell(goal.mark, f'"{named}" cannot move into or beside itself')
    missed = inside or not _aims_at_one(layout, goal, what)
    target = None if missed else _find(layout, str(goal.value))[0]
    on = (*_around(layout, node), *(() if target is None else ((element_name(target),),)))
    what.log("place", (element_name(node),), (*where, "attributes", word), goal.mark, new=goal, named=(named,),
             missed=missed, stands_on=on,
             gap=Gap((), word, str(goal.value) if target is None else element_name(target)),
             held=f"{_held(layout, node)} > {_held(layout, target)}")
    return layout if missed else _insert(_without(layout, named), word, str(goal.value), [node])


def element_name(node: Node) -> str:
    """An element as effects know it."""
    return f'{node.map["tag"].value}:{node.map["ref"].value}'


def _around(layout: Node, node: Node) -> tuple[Path, ...]:
    """The elements that a node stands in, outermost first."""
    for child in layout.items:
        found = _chain(child, node)
        if found is not None:
            return tuple((element_name(one),) for one in found)
    return ()


def _chain(holder: Node, node: Node) -> list[Node] | None:
    if holder is node:
        return []
    for child in _items(holder):
        found = _chain(child, node)
        if found is not None:
            return [holder, *found]
    return None


def _held(layout: Node, node: Node | None) -> str:
    """The element that a node stands in."""
    around = _around(layout, node) if node is not None else ()
    return around[-1][0] if around else "form"


def _followed(layout: Node, aim: Node, what: Change) -> Node:
    """An aim as it is, or by the name of now if it is written with a former one."""
    tag, colon, ref = str(aim.value).rpartition(":")
    known = [] if _find(layout, str(aim.value)) else \
        [str(node.map["ref"].value) for child in layout.items for node in _all(child)]
    return replace(aim, value=tag + colon + what.aim(aim, ref, known))


def _aims_at_one(layout: Node, aim: Node, what: Change, takes_away: bool = False) -> bool:
    ref = str(aim.value)
    found = _find(layout, ref)
    if len(found) == 1:
        return True
    if found:
        lines = ", ".join(str(node.mark) for node in found)
        tags = " or ".join(dict.fromkeys(f'"{node.map["tag"].value}:{ref}"' for node in found))
        what.tell(aim.mark, f'"{ref}" is {len(found)} nodes of {what.what} ({lines}): a change aims at exactly one'
                  + (f", write {tags}" if " or " in tags else ""))
        return False
    known = [str(node.map["ref"].value) for child in layout.items for node in _all(child)]
    tag, _, name = ref.rpartition(":")
    removed = next((effect for path, effect in what.removals.items() if len(path) == 1
                    and path[0].partition(":")[2] == name and tag in ("", path[0].partition(":")[0])), None)
    if removed is not None and takes_away and not what.knows(removed.layer):
        return False                    # an addon beside this one takes it away, too: they agree
    what.tell(aim.mark, f'{what.what} has no node "{ref}"' + (
        f" ({removed.mark} removes it)" if removed else suggestion(ref, known)))
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
            merged = Node({key: node for key, node in {**said.map, **attributes}.items()
                           if node.value or key not in attributes}, said.origin)
            child = replace(child, value={**child.map, "attributes": merged})
        items.append(_set(child, ref, attributes))
    return _children(holder, items) if items or isinstance(holder.value, list) else holder
