"""Where a template reads the names it is given: read off its syntax tree."""

from __future__ import annotations

from jinja2 import nodes

from ..engine.budget import DEFAULT_LIMITS
from ..engine.syntax import parse


def lines_of_names(text: str) -> dict[str, list[int]]:
    """The names a template reads, each with the lines it does so at, in the order of their first lines.

    The parameters of a macro and the variable of a loop are the template's own and not listed; a name that is set
    somewhere may be the template's own or a given one, and is.

    >>> lines_of_names("{{ a }}\\n{% for m in messages %}\\n{{ m.role ~ a }}{% endfor %}")
    {'a': [1, 3], 'messages': [2]}
    """
    tree = parse(text, trim_blocks=True, lstrip_blocks=True, limits=DEFAULT_LIMITS)
    found: dict[str, set[int]] = {}
    _visit(tree, frozenset(), found)
    return {name: sorted(lines) for name, lines in sorted(found.items(), key=lambda item: min(item[1]))}


def _visit(node: nodes.Node, own: frozenset[str], found: dict[str, set[int]]) -> None:
    """Note the names that `node` and what is in it read; those in `own` are the template's."""
    if isinstance(node, nodes.Name):
        if node.ctx == "load" and node.name not in own:
            found.setdefault(node.name, set()).add(node.lineno)
        return
    if isinstance(node, nodes.For):
        # What is looped over is read outside the loop.
        _visit(node.iter, own, found)
        inner = own | _names(node.target) | {"loop"}
        parts = [*([node.test] if node.test else []), *node.body, *node.else_]
    elif isinstance(node, nodes.Macro | nodes.CallBlock):
        for value in [*node.defaults, *([node.call] if isinstance(node, nodes.CallBlock) else [])]:
            _visit(value, own, found)
        inner = own | {name for parameter in node.args for name in _names(parameter)}
        parts = list(node.body)
    else:
        inner, parts = own, list(node.iter_child_nodes())
    for part in parts:
        _visit(part, inner, found)


def _names(target: nodes.Node) -> set[str]:
    """The names that an assignment to `target` sets."""
    names = [target] if isinstance(target, nodes.Name) else target.find_all(nodes.Name)
    return {name.name for name in names}
