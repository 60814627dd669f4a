"""The faults that can be put into a module, and those of them that no test could ever see."""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

OPERATORS = (
    "ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq", "ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE", "ReplaceComparisonOperator_GtE_Gt", "ReplaceComparisonOperator_Lt_Gt", "ReplaceComparisonOperator_Gt_Lt",
    "ReplaceComparisonOperator_LtE_GtE", "ReplaceComparisonOperator_GtE_LtE", "ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add", "ReplaceBinaryOperator_Mul_Div", "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul", "ReplaceBinaryOperator_Mod_FloorDiv", "ReplaceBinaryOperator_BitOr_BitAnd", "ReplaceBinaryOperator_BitAnd_BitOr",
    "ReplaceUnaryOperator_Delete_USub", "ReplaceUnaryOperator_Delete_Not", "AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr",
    "ReplaceOrWithAnd", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "NumberReplacer", "ZeroIterationForLoop",
)  # fmt: skip
"""cosmic-ray's operators, of each kind those that make a fault one could write; `a ** b` for `a + b` only makes the score look well."""

_CACHES = ("lru_cache*", "cache", "cached_property", "dataclass*", "contextmanager", "property")


@dataclass(frozen=True)
class Mutant:
    """A fault: an operator of cosmic-ray and which of its places in the module; where that is."""

    path: Path
    operator: str
    occurrence: int
    line: int
    column: int
    function: str

    def __str__(self) -> str:
        """Return where the fault is and of what kind."""
        return f"{self.path}:{self.line}:{self.column} {self.operator}#{self.occurrence} in {self.function or 'the module'}"


@cache
def _operator(name: str) -> Any:
    from cosmic_ray.plugins import get_operator

    return get_operator(f"core/{name}")()


def mutants_of(path: Path) -> list[Mutant]:
    """All mutants of a module that a test could see, in the order of its lines."""
    from cosmic_ray.ast import ast_nodes, get_ast_from_path
    from cosmic_ray.ast.ast_query import ASTQuery

    nodes = list(ast_nodes(get_ast_from_path(path)))
    out_of_sight = list(_out_of_sight(ast.parse(path.read_text(encoding="utf-8"))))
    found = []
    for name in OPERATORS:
        operator = _operator(name)
        places = ((node, start) for node in nodes for start, _ in operator.mutation_positions(node))
        for occurrence, (node, start) in enumerate(places):
            if not any(first <= start < last for first, last in out_of_sight):
                found.append(Mutant(path, name, occurrence, *start, ASTQuery(node).get_definition_name() or ""))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.column, mutant.operator, mutant.occurrence))


def mutated(mutant: Mutant) -> str:
    """The source of the module with the fault in it."""
    from cosmic_ray.mutating import mutate_code

    source = mutate_code(mutant.path.read_text(encoding="utf-8"), _operator(mutant.operator), mutant.occurrence)
    assert source is not None, mutant
    return str(source)


_Place = tuple[int, int]


def _out_of_sight(tree: ast.Module) -> Iterator[tuple[_Place, _Place]]:
    """Yield the stretches of source where a fault changes nothing that runs: annotations, overloads, caches, assertions for mypy."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(decorator_list=[ast.Name(id="overload")]):
                yield _stretch(node)
            case ast.FunctionDef():
                annotations = [argument.annotation for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
                yield from map(_stretch, filter(None, [*annotations, node.returns]))
                yield from _caches(node.decorator_list)
            case ast.ClassDef():
                yield from _caches(node.decorator_list)
            case ast.AnnAssign():
                yield _stretch(node.annotation)
            case ast.Assert():
                yield _stretch(node)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield _stretch(node)


def _caches(decorators: list[ast.expr]) -> Iterator[tuple[_Place, _Place]]:
    for decorator in decorators:
        if any(fnmatch.fnmatchcase(ast.unparse(decorator), pattern) for pattern in _CACHES):
            yield _stretch(decorator)


def _stretch(node: ast.AST) -> tuple[_Place, _Place]:
    place: Any = node
    return (place.lineno, place.col_offset), (place.end_lineno, place.end_col_offset)
