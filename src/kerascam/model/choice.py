"""Choose the layer that Grad-CAM wants, from what one forward pass computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from .grids import MOST_PREFIX_TOKENS, token_grid


@dataclass(frozen=True)
class Capture:
    """One run of one layer.

    Attributes:
        path: The layer's path.
        kind: The layer's class name.
        shape: The output's, features last, the batch axis None.
        output: The output tensor's name in the traced graph.
        inputs: The input tensors' names.
        used: Whether the explained score depends on it.
        bottleneck: Whether all that the score knows of the image comes through it.
        giving: Whether it holds the output's own numbers, which later steps only put together.
        cells: Where its cells lie on the images, in words; empty if nobody looked.
        mixed: Whether it depends on other inputs with a grid than the one that is asked for, too.
    """

    path: str
    kind: str
    shape: tuple[int | None, ...]
    output: str
    inputs: tuple[str, ...]
    used: bool = True
    bottleneck: bool = True
    giving: bool = False
    cells: str = ""
    mixed: bool = False

    @property
    def grid(self) -> tuple[int | None, ...]:
        """The axes between batch and features."""
        return self.shape[1:-1]


@dataclass(frozen=True)
class Choice:
    """A layer's path, and why it was chosen.

    Attributes:
        path: The path.
        reason: Why, in words.
        beside: Layers of other branches that the score depends on as well.
    """

    path: str
    reason: str
    beside: tuple[str, ...] = ()


#: From the names of outputs to those of the outputs that lead around them to the score.
Around: TypeAlias = Callable[[Sequence[str]], frozenset[str]]

_MOST_BRANCHES = 8

# Steps that only move, drop or thin out what the layer before them found.
_PASSING = ("Pooling", "MaxPool", "AveragePool", "Dropout", "Reshape", "Flatten", "Permute",
            "ZeroPadding", "Cropping", "Identity", "InputLayer")  # fmt: skip
_TURNING = ("Transpose", "Moveaxis", "Swapaxes")  # no transposed convolution


def spatial(captures: Sequence[Capture], image: Sequence[int | None] | None) -> list[Capture]:
    """Keep the captures that still have a grid, each tensor once, in execution order.

    Where none that computes features has all axes of the image's grid, as in a network for each
    frame of a clip, those of the most axes are kept, two at least.

    Args:
        captures: In execution order.
        image: The image input's grid; None if no input has one.
    """
    kept = _with_grid(captures, image)
    for axes in range(len(image or ()) - 1, 1, -1):
        if not all(_only_passes(each.kind) for each in kept):
            break
        kept = _with_grid([each for each in captures if len(each.grid) == axes], None) or kept
    return kept


def _with_grid(captures: Sequence[Capture], image: Sequence[int | None] | None) -> list[Capture]:
    kept: list[Capture] = []
    seen: set[str] = set()
    for capture in captures:
        if capture.output in seen:  # dropout at inference, or the container of the last layer
            continue
        seen.add(capture.output)
        if capture.kind != "InputLayer" and _has_grid(capture, image, kept):
            kept.append(capture)
    return kept


def choose(
    captures: Sequence[Capture],
    image: Sequence[int | None] | None,
    around: Around = lambda outputs: frozenset(),
) -> Choice:
    """Choose the last feature map before global pooling, flattening or the output itself.

    Walking back from the score: the last tensor with a grid of more than one cell on which it
    depends, not a mere branch where a whole one has the same grid; from there back over pooling,
    dropout and reshaping. Behind attention with a class token, whose last step reads that token
    alone, it is what the last attention layer sees. Where the output is put together of scores on
    grids (segmentation, detection), the layers that hold these scores already are passed over.

    Args:
        captures: In execution order.
        image: The image input's grid.
        around: Names what the score depends on beside some outputs.

    Returns:
        The choice.

    Raises:
        ValueError: If no layer has a grid, or the score depends on none that has.
    """
    grids = spatial(captures, image)
    if not grids:
        advice = (
            "a class activation map needs one; a gradient method such as Saliency, or one that "
            "only asks the model such as Occlusion, needs an input that has one"
            if image
            else "its inputs have none either, so there is nothing to draw a map on"
        )
        raise ValueError(
            f"layer cannot be found: no layer of this model returns features on a grid; {advice}"
        )
    used = [capture for capture in grids if capture.used]
    used = [capture for capture in used if not capture.mixed] or used
    if not used:
        raise ValueError(
            "target does not depend on any layer that returns features on a grid; choose another "
            "output by output=, or give another target="
        )
    used = [capture for capture in used if not capture.giving] or used[:1]
    chosen, over = _end(used)
    attention = _last_attention_input(chosen, captures, used, image)
    if attention is not None:
        return Choice(
            attention.path,
            f"the tokens that the last attention layer sees, {shape_words(attention.shape)}",
        )
    stepped = f", stepping back over {', '.join(over)}" if over else ""
    return Choice(
        chosen.path,
        f"the last features on a grid, {shape_words(chosen.shape)}{stepped}",
        _beside(chosen, used, around),
    )


def _end(used: Sequence[Capture]) -> tuple[Capture, list[str]]:
    """Take the last capture that makes features, and the paths that were stepped over to it."""
    chosen = _whole(used)
    over: list[str] = []
    while _only_passes(chosen.kind):
        before = _producer(chosen, used)
        if before is None:
            break
        over.append(chosen.path)
        chosen = before
    return chosen, over


def _beside(chosen: Capture, used: Sequence[Capture], around: Around) -> tuple[str, ...]:
    """List the ends of the other branches, if the chosen one is but a branch."""
    runs = [each for each in used if each.path == chosen.path]  # such as one for each frame
    found: list[Capture] = []
    last = chosen
    while not last.bottleneck and len(found) < _MOST_BRANCHES - 1:
        left = around([each.output for each in (*runs, *found)])
        rest = [each for each in used if each.output in left and each not in (*runs, *found)]
        if not rest:
            break
        last = _end(rest)[0]
        found.append(last)
    return tuple(dict.fromkeys(each.path for each in found[::-1] if each.path != chosen.path))


def guess(declared: Sequence[tuple[str, str, tuple[int | None, ...] | None]]) -> str | None:
    """Guess what `choose` will choose, from shapes that layers declare before anything runs.

    Args:
        declared: Each layer's path, class name and output shape (None if it declares none),
            in the order of the model.

    Returns:
        The last layer of images' features on a grid; None if none declares such a shape.
    """
    for path, kind, shape in reversed(declared):
        grid = () if shape is None or len(shape) < 4 else shape[1:-1]
        if any(length != 1 for length in grid) and not _only_passes(kind):
            return path
    return None


def _only_passes(kind: str) -> bool:
    return kind in _TURNING or any(step in kind for step in _PASSING)


def _whole(used: Sequence[Capture]) -> Capture:
    """Take the last capture, or the last bottleneck of its grid where it is but one branch."""
    same_grid = [capture for capture in used if capture.grid == used[-1].grid]
    return next((c for c in reversed(same_grid) if c.bottleneck), used[-1])


def _has_grid(
    capture: Capture, image: Sequence[int | None] | None, before: Sequence[Capture]
) -> bool:
    cells = [n for n in capture.grid if n is not None]
    if not capture.grid or (len(cells) == len(capture.grid) and prod(cells) <= 1):
        return False
    if image is None or len(capture.grid) == len(image):
        return True
    if len(image) == 1:  # a signal whose frequencies are laid out, as in a spectrogram
        return len(capture.grid) == 2
    return len(image) == 2 and _prefix_tokens(capture, image, before) is not None


def _prefix_tokens(
    capture: Capture, image: Sequence[int | None], before: Sequence[Capture]
) -> int | None:
    """Count the tokens before the patches; None if the capture holds no tokens of an image.

    Tokens come from a grid of features seen before, with a few prefix tokens; only where the
    model has none (it cuts patches by itself) do proportions decide.
    """
    if len(capture.grid) != 1 or capture.grid[0] is None:
        return None
    tokens = capture.grid[0]
    known = [n for c in before if len(c.grid) == 2 for n in [_cells(c.grid)] if n]
    smaller = {n for n in known if n < (_cells(image) or 0)}
    if smaller:
        return next((n for n in range(MOST_PREFIX_TOKENS + 1) if tokens - n in smaller), None)
    found = token_grid(tokens, image)
    return None if found is None else found[2]


def _cells(grid: Sequence[int | None]) -> int | None:
    return prod(n for n in grid if n is not None) if None not in grid else None


def _producer(capture: Capture, captures: Sequence[Capture]) -> Capture | None:
    makers = [c for c in captures if c.output in capture.inputs]
    if makers:
        return makers[-1]
    place = captures.index(capture)
    return captures[place - 1] if place else None


def _last_attention_input(
    chosen: Capture,
    captures: Sequence[Capture],
    used: Sequence[Capture],
    image: Sequence[int | None] | None,
) -> Capture | None:
    if image is None or len(image) != 2 or not _prefix_tokens(chosen, image, used):
        return None
    layers = [c for c in captures if "Attention" in c.kind and len(c.shape) == 3]
    return _producer(layers[-1], used) if layers else None


def shape_words(shape: Sequence[int | None]) -> str:
    """Word an output's shape without its batch axis, as in "7×7×2048"."""
    return "×".join("?" if n is None else str(n) for n in shape[1:])
