"""What may be asked of any target, and how it reads a model's outputs."""

from typing import Any

from keras import ops

from .._types import Outputs, Target
from . import heads
from .names import choices, named


def reads_binary(target: Target) -> bool | None:
    """Tell whether `target` takes one unit for two classes; None leaves it to the output."""
    return getattr(target, "binary", None)


def takes_any_batch(target: Target) -> bool:
    """Tell whether `target` certainly holds nothing that belongs to one batch, as a mask does."""
    return getattr(target, "takes_any_batch", False)


def head_of(target: Target, outputs: Any) -> heads.Head | None:
    """Read a model's outputs as a target does; None if they are several and it takes them all.

    A target may have a `read_head` of its own, such as that which reads one box of many.
    """
    own = getattr(target, "read_head", None)
    if own is not None:
        return own(outputs)
    if not ops.is_tensor(outputs):
        return None
    return heads.read(outputs, binary=reads_binary(target))


def single(outputs: Any) -> Outputs:
    """Return the only output of a model.

    Raises:
        ValueError: If there are several.
    """
    if not ops.is_tensor(outputs):
        raise ValueError(
            f"the model has {len(named(outputs))} outputs; choose one by output=, one of: "
            f"{choices(outputs)}"
        )
    return outputs


def read(outputs: Any) -> heads.Head:
    """Read the only output of a model."""
    return heads.read(single(outputs))
