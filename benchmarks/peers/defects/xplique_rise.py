"""xplique's RISE shifts all masks of a batch by one and the same offset."""

from .telling import tell


def main() -> None:
    """Give it many copies of one coarse mask: shifted each by itself, they differ."""
    import numpy as np
    import tensorflow as tf
    from xplique.attributions import Rise

    tf.random.set_seed(0)
    coarse = np.random.default_rng(0).random((1, 7, 7, 1)) < 0.5
    _, masks = Rise._apply_masks(tf.ones((56, 56, 1)), tf.constant(np.repeat(coarse, 50, 0)))
    count = len(np.unique(masks.numpy().reshape(50, -1), axis=0))
    tell(
        "xplique",
        "how many different masks 50 copies of one coarse mask become by random shifts",
        count,
        "nearly all of the 50: the paper shifts each mask by an offset of its own, so that the "
        "grid of the coarse masks does not show in the map",
        shown=count == 1,
    )


if __name__ == "__main__":
    main()
