"""Quantus's pointing game counts an empty mask as a hit."""

from .telling import tell


def main() -> None:
    """Ask it about two images without a mask."""
    import numpy as np
    import quantus

    generator = np.random.default_rng(0)
    masks = np.zeros((3, 1, 8, 8), bool)
    masks[0, 0, :4] = True
    maps = generator.random((3, 1, 8, 8)) / 2
    maps[0, 0, 7, 7] = 1  # outside of the first image's mask
    found = quantus.PointingGame(disable_warnings=True)(
        model=None,
        x_batch=generator.random((3, 1, 8, 8)),
        y_batch=np.zeros(3, int),
        a_batch=maps,
        s_batch=masks,
        channel_first=True,
    )
    tell(
        "quantus",
        "the pointing game of an image whose mask is missed, and of two whose masks are empty",
        [bool(each) for each in found],
        "[False, not defined, not defined]; its code writes NaN, into an array of truth values",
        shown=bool(found[1]) and bool(found[2]),
    )


if __name__ == "__main__":
    main()
