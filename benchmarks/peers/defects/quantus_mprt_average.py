"""Quantus's randomisation test averages the untouched model in."""

from .telling import constant_classifier, tell


def main() -> None:
    """Give it maps that have nothing in common with those of the random models."""
    import numpy as np
    import quantus
    from quantus.functions.similarity_func import correlation_spearman

    model = constant_classifier()
    rows = np.arange(64.0).reshape(1, 1, 8, 8) + 1
    first = []

    def explain(model: object, inputs: object, targets: object) -> np.ndarray:
        first.append(model)
        return rows if model is first[0] else rows[..., ::-1, ::-1]  # the opposite order

    found = quantus.MPRT(
        similarity_func=correlation_spearman,
        return_average_correlation=True,
        disable_warnings=True,
        normalise=False,
    )(
        model=model,
        x_batch=np.random.default_rng(0).random((1, 8, 8, 1)),
        y_batch=np.zeros(1, int),
        a_batch=rows,
        explain_func=explain,
        channel_first=False,
    )
    tell(
        "quantus",
        "the average correlation of a map with those of the randomised models, of one layer, each "
        "in the opposite order",
        round(float(found[0]), 3),
        "-1; the map's correlation with itself, 1, is averaged in: what is left out is called "
        "'orig', and it is called 'original'",
        shown=abs(found[0] + 1) > 0.1,
    )


if __name__ == "__main__":
    main()
