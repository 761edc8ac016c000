"""Template text to a syntax tree: Jinja2's own lexer and parser, bounded before they work."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from ..errors import BudgetError, TemplatesError, TemplateSyntaxError
from .budget import Limits
from .excerpt import excerpt


class _GenerationExtension(Extension):
    tags = {"generation"}  # noqa: RUF012  (jinja2's own attribute)

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        # A call block has the scope the reference gives it; the call's name says what it is.
        call = nodes.Call(nodes.Const(GENERATION), [], [], None, None, lineno=line)
        return nodes.CallBlock(call, [], [], body).set_lineno(line)


#: What stands in the place of the called name in the call block of a generation block.
GENERATION = "{% generation %}"


class _BoundedParser(Parser):
    """Jinja2's parser, refusing to nest deeper than the limits instead of meeting Python's."""

    def __init__(self, environment: _Environment, source: str) -> None:
        self._limits = environment.limits
        self._blocks = self._loops = self._brackets = self._unary = 0
        super().__init__(environment, source)

    def subparse(self, end_tokens: tuple[str, ...] | None = None) -> list[nodes.Node]:
        self._blocks += 1
        if self._blocks > self._limits.blocks + 1:
            raise _TooDeep(f"blocks are nested deeper than {self._limits.blocks}", self.stream.current.lineno)
        try:
            return super().subparse(end_tokens)
        finally:
            self._blocks -= 1

    def parse_for(self) -> nodes.For:
        self._loops += 1
        if self._loops > self._limits.loops:
            raise _TooDeep(f"loops are nested deeper than {self._limits.loops}", self.stream.current.lineno)
        try:
            return super().parse_for()
        finally:
            self._loops -= 1

    def parse_condexpr(self) -> nodes.Expr:
        self._brackets += 1
        if self._brackets > self._limits.brackets:
            raise _TooDeep(f"an expression is nested deeper than {self._limits.brackets}", self.stream.current.lineno)
        try:
            return super().parse_condexpr()
        finally:
            self._brackets -= 1

    def parse_not(self) -> nodes.Expr:
        return self._one_deeper(super().parse_not)

    def parse_unary(self, with_filter: bool = True) -> nodes.Expr:
        if self.stream.current.type not in ("sub", "add"):
            return super().parse_unary(with_filter)
        return self._one_deeper(lambda: super(_BoundedParser, self).parse_unary(with_filter))

    def _one_deeper(self, parse: Any) -> nodes.Expr:
        self._unary += 1
        if self._unary > 2 * self._limits.brackets:
            raise _TooDeep("too many signs or `not` in a row", self.stream.current.lineno)
        try:
            return parse()  # type: ignore[no-any-return]
        finally:
            self._unary -= 1


class _TooDeep(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message, self.line = message, line


class _Environment(jinja2.Environment):
    """Only a holder of options for the parser: nothing is ever compiled or rendered by it."""

    limits: Limits

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        raw: Iterator[tuple[int, str, str]] = self.lexer.tokeniter(source, name, filename, state)
        tokens = list(islice(raw, self.limits.tokens + 1))
        if len(tokens) > self.limits.tokens:
            raise _TooDeep(f"the template has more than {self.limits.tokens:,} tokens", tokens[-1][0])
        return TokenStream(self.lexer.wrap(tokens, name, filename), name, filename)


def parse(source: str, *, trim_blocks: bool, lstrip_blocks: bool, limits: Limits) -> nodes.Template:
    """The tree of `source`.

    Raises:
        TemplateSyntaxError: the text is not a template.
        BudgetError: it is larger or deeper than `limits` allow.
    """
    if len(source) > limits.source:
        raise BudgetError(f"the template has {len(source):,} characters; the limit is {limits.source:,}")
    environment = _Environment(
        trim_blocks=trim_blocks, lstrip_blocks=lstrip_blocks, extensions=[_GenerationExtension, loopcontrols]
    )
    environment.limits = limits
    try:
        tree = _BoundedParser(environment, source).parse()
        _measure(tree, limits)
    except jinja2.TemplateSyntaxError as error:
        raise syntax_error(source, error.message or "the template cannot be parsed", error.lineno) from None
    except _TooDeep as error:
        raise BudgetError(error.message, line=error.line, excerpt=excerpt(source, error.line)) from None
    except RecursionError:
        raise BudgetError("the template is nested too deep for the Python stack that is left") from None
    except TemplatesError:
        raise
    except (ValueError, TypeError, UnicodeError, OverflowError) as error:
        raise TemplateSyntaxError(f"the template cannot be parsed: {error}") from None
    return tree


def syntax_error(source: str, message: str, line: int) -> TemplateSyntaxError:
    """The error of a template that cannot be parsed, with its line."""
    return TemplateSyntaxError(message, line=line, excerpt=excerpt(source, line))


def _measure(tree: nodes.Template, limits: Limits) -> None:
    """Count nodes and depth without recursion: a chain such as `a.b.b.b` is as deep as it is long."""
    level: list[nodes.Node] = [tree]
    count = depth = 0
    while level:
        depth += 1
        count += len(level)
        if depth > limits.depth:
            raise _TooDeep(f"the template is nested deeper than {limits.depth}", level[0].lineno)
        if count > limits.nodes:
            raise _TooDeep(f"the template has more than {limits.nodes:,} nodes", level[0].lineno)
        level = [child for node in level for child in node.iter_child_nodes()]
    for node in tree.find_all(nodes.Const):
        if type(node.value) is int and node.value.bit_length() > limits.integer_bits:
            raise _TooDeep(f"a number has more than {limits.integer_bits} bits", node.lineno)
