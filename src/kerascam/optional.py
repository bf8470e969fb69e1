"""Packages that are used if they are installed."""

from typing import Any


def pandas_for(function: str) -> Any:
    """Import pandas.

    Args:
        function: What needs it, for the error.

    Raises:
        ModuleNotFoundError: If it is not installed.
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        if error.name != "pandas":
            raise
        raise ModuleNotFoundError(
            f"{function} needs the package 'pandas'; pip install pandas", name="pandas"
        ) from None
    return pandas
