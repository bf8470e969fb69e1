"""Bring every layer's output to one form, (batch, *grid, features)."""

from collections.abc import Sequence

from keras import ops

from .._types import Features, Outputs

MOST_GIVEN_PREFIX = 32  # that many, if the user passes the grid
MOST_PREFIX_TOKENS = 8  # class token, distillation token, registers

Shape = Sequence[int | None]


def channels_last(tensor: Outputs, channels_first: bool) -> Outputs:
    """Move the feature axis of (batch, features, *grid) to the end, where it stands first."""
    return ops.moveaxis(tensor, 1, -1) if channels_first else tensor


def channels_last_shape(shape: Shape, channels_first: bool) -> tuple[int | None, ...]:
    """Return the shape that `channels_last` brings a tensor of this shape to."""
    if not channels_first or len(shape) < 3:
        return tuple(shape)
    return (shape[0], *shape[2:], shape[1])


def token_grid(tokens: int, image: Shape) -> tuple[int, int, int] | None:
    """Find the grid of a patch transformer's tokens.

    Patches are square, so that the grid has the image's proportions; the first tokens may be
    class, distillation or register tokens, which have no place on it. Patches that leave a rest
    at the image's border are believed in only with at most one such token.

    Args:
        tokens: How many tokens the layer returns.
        image: The image's (height, width).

    Returns:
        Rows, columns and the number of prefix tokens, the fewest that leave a grid; None where
        there is no such grid.

    Example:
        >>> token_grid(197, (224, 224)), token_grid(50, (224, 224)), token_grid(13, (32, 32))
        ((14, 14, 1), (7, 7, 1), None)
    """
    height, width = image
    if not height or not width:
        return None
    for prefix in range(min(MOST_PREFIX_TOKENS, tokens - 2) + 1):
        patches = tokens - prefix
        for rows in range(1, patches + 1):
            columns, rest = divmod(patches, rows)
            fits = height // rows == width // columns > 1 and (
                prefix <= 1 or height % rows == width % columns == 0
            )
            if rest == 0 and fits:
                return rows, columns, prefix
    return None


def to_grid(features: Outputs, image: Shape | None, grid: Sequence[int] | None) -> Features:
    """Lay tokens out on their grid; leave features that have a grid as they are.

    Args:
        features: Shape (batch, *grid, features), or (batch, tokens, features) where the image
            has two grid axes.
        image: The image's grid, for instance (height, width), if it is known.
        grid: The tokens' (rows, columns), if the user passes them.

    Returns:
        Shape (batch, *grid, features), prefix tokens dropped.

    Raises:
        ValueError: If the tokens fit no grid.
    """
    if not _are_tokens(tuple(features.shape), image, grid):
        return features
    tokens = features.shape[1]
    if grid is not None:
        rows, columns = grid
        prefix = -1 if tokens is None else tokens - rows * columns
        if rows < 1 or columns < 1 or not 0 <= prefix <= MOST_GIVEN_PREFIX:
            raise ValueError(
                f"grid={tuple(grid)} has {rows * columns} places, but the layer returns {tokens} "
                f"tokens; give the rows and columns of its patches"
            )
    else:
        found = None if tokens is None or image is None else token_grid(tokens, image)
        if found is None:
            raise ValueError(
                f"the layer returns {tokens} tokens, which fit no grid of square patches on an "
                f"image of {tuple(image or ())}; give their rows and columns by grid="
            )
        rows, columns, prefix = found
    shape = [ops.shape(features)[0], rows, columns, features.shape[-1]]
    return ops.reshape(features[:, prefix:], shape)


def _are_tokens(shape: Shape, image: Shape | None, grid: Sequence[int] | None) -> bool:
    return len(shape) == 3 and (grid is not None or (image is not None and len(image) == 2))
