"""How a window that slides along an axis, as a convolution's does, moves the places of cells."""

from dataclasses import replace

from .atoms import IMAGE, OWN, Atom, Axis, feature, fine, moved


def slid(
    axis: Axis, *, kernel: int, stride: int, dilation: int, same: bool, length: int | None
) -> Axis:
    """Slide a window along an axis.

    A cell lies in the middle of what its window covers. The padding that keeps a grid as large as
    the window's stride makes it is shared between both sides here, wherever it was added: trained
    kernels make up for a pad on one side. Padding that reaches further than the window is none of
    that kind, and moves the cells.

    Args:
        axis: The axis's atoms.
        kernel: How many cells the window covers.
        stride: How far it moves for each new cell.
        dilation: How far apart the cells that it covers are.
        same: Whether padding is added so that only the stride shortens the axis.
        length: How many new cells there are; None if that is open.

    Returns:
        The new axis.
    """
    axis = fine(axis)
    if len(axis) != 1 or axis[0].kind != IMAGE:
        return _own(axis, length)
    atom = axis[0]
    reach = (kernel - 1) * dilation + 1
    before, after = atom.pad
    kept = not same and before <= reach - 1 and after <= reach - 1
    own, first = atom.length, atom.first
    if kept and own is not None:
        own = round(own - before - after)
    if kept:
        first += atom.step * before
    covered = max(reach, stride)
    if length is not None and own is not None:
        total = (length - 1) * stride + covered - own
    elif same:
        total = covered - stride
    else:
        total = round(before + after) if kept else 0
    shared = same or (kept and before + after > 0) or reach < stride
    pad = max(total, 0) / 2 if shared else 0.0
    shift = (covered - 1) / 2 - pad
    return (moved(replace(atom, first=first), shift, stride, length),)


def spaced_out(axis: Axis, *, stride: float, length: int | None) -> Axis:
    """Put `stride` new cells in the place of each, as a transposed convolution or a resizing does.

    Args:
        axis: The axis's atoms.
        stride: How many new cells there are for each; less than one if there are fewer.
        length: How many new cells there are; None if that is open.

    Returns:
        The new axis: it covers what the old one covered.
    """
    if not axis:  # copies of one value
        return feature(length)
    axis = fine(axis)
    if len(axis) != 1 or axis[0].kind != IMAGE:
        return _own(axis, length)
    atom = axis[0]
    step = atom.step / stride
    beyond = 0.0  # cells that a window larger than its stride adds at each end
    if length is not None and atom.length is not None:
        beyond = (length - atom.length * stride) / 2
    first = atom.first - atom.step / 2 + step / 2 - beyond * step
    return (replace(atom, length=length, step=step, first=first, pad=(0.0, 0.0)),)


def _own(axis: Axis, length: int | None) -> Axis:
    """Return an axis of a grid that runs along no axis of the image, or along several."""
    return () if not axis and length == 1 else (Atom(OWN, length),)
