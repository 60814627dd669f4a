"""What the words of a command line become: text, paths, numbers, choices.

Typer makes values of words by pydantic, whose import takes longer than reading a workbook. The few kinds of values that the
commands take are made here, and what cannot be one is told in the language in use; other kinds are left to Typer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

from typer._coercion import RuntimeParam  # it has no public name; pyproject.toml keeps to the versions that have it

from jdv_qa.cli.misuse import needs_a_value, not_a_number, not_one_of, too_low

_PLAIN = (str, int, bool, Path)


@dataclass(frozen=True)
class Values(RuntimeParam):
    """Makes the values of one parameter."""

    kind: type
    many: bool

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        return [self._made(each, param, ctx) for each in value] if self.many else self._made(value, param, ctx)

    def _made(self, value: Any, param: Any, context: Any) -> Any:
        if not isinstance(value, str) or isinstance(value, Enum):  # a default
            return value
        if value.startswith("-") and any(value in other.opts for other in context.command.params):
            raise needs_a_value(*name_and_value(param))  # the value was forgotten, and the next option is none
        if issubclass(self.kind, Enum):
            known = [choice.value for choice in self.kind]
            if value not in known:
                raise not_one_of(value, known, _place(param, context))
        elif self.kind is int:
            return self._number(value, _place(param, context))
        return self.kind(value)

    def _number(self, text: str, place: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise not_a_number(text, place) from None
        lowest = self.parameter_info.min
        if lowest is not None and number < lowest:
            raise too_low(number, int(lowest), place)
        return number


def make_values(parameters: list[Any]) -> None:
    """Have the values of a command's parameters, as Typer has built them, made here."""
    for parameter in parameters:
        described = getattr(parameter, "type_descriptor", None)
        if described is None:
            continue
        many = get_origin(described.annotation) is list
        kind = get_args(described.annotation)[0] if many else described.annotation
        if kind in _PLAIN or (isinstance(kind, type) and issubclass(kind, Enum)):
            parameter._runtime_param = Values(
                annotation=described.annotation, parameter_info=described.parameter_info, kind=kind, many=many
            )


def name_of(parameter: Any) -> str:
    """Return what people call a parameter: `WORKBOOK`, `--format`."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name).removesuffix("...").strip("[]")
    return str(parameter.opts[0])


def name_and_value(option: Any) -> tuple[str, str]:
    """Return what people call an option and what it takes: `--limit`, `N`; `--fail-on`, `error|warning|info|never`."""
    kind = option.type_descriptor.annotation
    choices = "|".join(choice.value for choice in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ""
    return name_of(option), option.metavar or choices or kind.__name__


def _place(parameter: Any, context: Any) -> str:
    """Return where a value comes from: the parameter, or the environment variable that speaks for it."""
    source = context.get_parameter_source(parameter.name)
    return str(parameter.envvar) if source is not None and source.name == "ENVIRONMENT" else name_of(parameter)
