"""What a command may be told: fields with explanations and bounds, checked when they are set."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints


def setting(
    default: Any,
    explanation: str,
    choices: tuple[str, ...] = (),
    *,
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """Return a field of `Settings` with what the command line says of it, and what it may be.

    Args:
        default: Its value where none is given; `dataclasses.MISSING` where one must be.
        explanation: What `--help` says.
        choices: What a text may be.
        least: The smallest that a number may be.
        most: The largest.
    """
    about = {"explanation": explanation, "choices": choices, "least": least, "most": most}
    return dataclasses.field(default=default, metadata=about)


@dataclass(frozen=True)
class Settings:
    """Fields that are made by `setting`, each an option of the command line."""

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            ValueError: If one is of another type, not among its choices, or out of its range.
        """
        types = get_type_hints(type(self))
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name), types[field.name])


def _check(field: dataclasses.Field[Any], value: Any, annotation: Any) -> None:
    kinds = get_args(annotation) or (annotation,)
    # A whole number is a number too, but True is neither.
    fits = isinstance(value, (*kinds, int) if float in kinds else kinds)
    if not fits or isinstance(value, bool):
        names = " or ".join(kind.__name__.replace("NoneType", "None") for kind in kinds)
        raise ValueError(f"{field.name}={value!r} is a {type(value).__name__}; give {names}")
    choices, least, most = (field.metadata[name] for name in ("choices", "least", "most"))
    if choices and value not in choices:
        raise ValueError(f"{field.name}={value!r} is unknown; choose one of {list(choices)}")
    if least is not None and not value >= least:
        raise ValueError(f"{field.name}={value!r} is too small; give at least {least}")
    if most is not None and not value <= most:
        raise ValueError(f"{field.name}={value!r} is too large; give at most {most}")
