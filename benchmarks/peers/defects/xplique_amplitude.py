"""xplique's perturbation "amplitude" multiplies where its documentation adds."""

from .telling import tell


def main() -> None:
    """Perturb an image by masks of one half, which should leave it as it is."""
    import numpy as np
    import tensorflow as tf
    from xplique.attributions.global_sensitivity_analysis.perturbations import amplitude

    found = amplitude(tf.fill((2, 2, 1), 3.0), sigma=1.0)(tf.fill((1, 2, 2, 1), 0.5)).numpy()
    tell(
        "xplique",
        'the perturbation "amplitude", documented as X + (M - 0.5) σ, of X = 3 and M = 0.5',
        float(found.ravel()[0]),
        "3; it computes X (M - 0.5) σ",
        shown=not np.allclose(found, 3),
    )


if __name__ == "__main__":
    main()
