"""How a plain and a residual network of the same depth learn: measured once, and kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: Written by `benchmarks/depth.py`.
DEPTH = Path(__file__).with_name("depth.json")


def depth_compared() -> dict[str, Any]:
    """Return the losses and accuracies of every epoch of both networks, and what they are.

    Example:
        >>> found = depth_compared()
        >>> found["residual"]["loss"][-1] < found["plain"]["loss"][-1]
        True
    """
    return dict(json.loads(DEPTH.read_text(encoding="utf-8")))


def depth_in_words() -> str:
    """Say what both networks reached."""
    found = depth_compared()
    plain, residual = found["plain"], found["residual"]
    right = (f"{100 * one['val_accuracy'][-1]:.0f} %" for one in (plain, residual))
    return (
        f"Two networks of {found['convolutions']} convolutions, the same but for the sum, learned "
        f"from the same {found['images']:,} drawn scenes in the same order. After "
        f"{len(plain['loss'])} epochs the training loss of the plain one was "
        f"{plain['loss'][-1]:.2f}, of the residual one {residual['loss'][-1]:.2f}; of "
        f"{found['held_out']} scenes held out they answered {' and '.join(right)} correctly."
    )
