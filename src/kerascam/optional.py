"""Packages that are used if they are installed."""

from importlib import import_module
from typing import Any


def pandas_for(function: str) -> Any:
    """Import pandas.

    Args:
        function: What needs it, for the error.

    Raises:
        ModuleNotFoundError: If it is not installed.
    """
    return package_for(function, "pandas")


def package_for(function: str, module: str, install: str | None = None) -> Any:
    """Import a module of a package that is not always there.

    Args:
        function: What needs it, for the error.
        module: The module.
        install: What pip installs; None if that is the module's package.

    Raises:
        ModuleNotFoundError: If the package is not installed.
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ModuleNotFoundError(
            f"{function} needs the package {package!r}; pip install {install or package}",
            name=package,
        ) from None
