"""Which segments are shown together, and linear models of the scores of such coalitions.

Nothing here depends on an image: what is drawn and how a model is fitted is known before. A
coalition z of d segments has a 1 for each that is shown.
"""

from itertools import product
from math import comb

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_LARGEST = 16  # segments, of which all coalitions are few enough to list


def lime_coalitions(
    segments: int, samples: int, kernel_width: float, seed: int
) -> tuple[Numbers, Numbers]:
    r"""Draw coalitions, each segment with probability ½, and weigh them by LIME's kernel.

    Returns:
        Coalitions, (samples, segments), the whole image first, and weights, (samples,).
    """
    drawn = np.random.default_rng(seed).integers(0, 2, (samples, segments)).astype(float)
    drawn[0] = 1
    distances = 1 - np.sqrt(drawn.mean(1))
    return drawn, np.exp(-(distances**2) / (2 * kernel_width**2))


def shapley_coalitions(segments: int, samples: int, seed: int) -> tuple[Numbers, Numbers, bool]:
    r"""List all coalitions but the empty and the whole one, or draw some with their complements.

    The size $k$ of one that is drawn has the probability of the Shapley kernel's total weight of
    that size, $\propto (d - 1) / (k (d - k))$, and all of that size are equally likely.

    Returns:
        Coalitions, (n, segments), weights that sum to 1, (n,), and whether these are all. Those
        that are drawn stand in pairs, each before its complement.
    """
    if segments <= _LARGEST and 2**segments - 2 <= samples:
        every = np.array(list(product((0.0, 1.0), repeat=segments)))[1:-1]
        sizes = every.sum(1).astype(int)
        kernel = [(segments - 1) / (comb(segments, k) * k * (segments - k)) for k in sizes]
        return every, np.array(kernel) / max(sum(kernel), 1e-300), True
    random = np.random.default_rng(seed)
    sizes = np.arange(1, segments)
    likely = 1 / (sizes * (segments - sizes))
    pairs = (samples + 1) // 2
    chosen = random.choice(sizes, pairs, p=likely / likely.sum())
    ranks = random.random((pairs, segments)).argsort(1).argsort(1)
    shown = (ranks < chosen[:, None]).astype(float)
    drawn = np.stack([shown, 1 - shown], 1).reshape(-1, segments)
    return drawn, np.full(len(drawn), 1 / len(drawn)), False


def ridge_fit(drawn: Numbers, weights: Numbers, ridge: float) -> Numbers:
    r"""Return the matrix that maps scores to the coefficients of a ridge regression.

    $$w = (\tilde Z^\top \Pi \tilde Z + \lambda I)^{-1} \tilde Z^\top \Pi S$$ with $\tilde Z$ less
    its weighted mean, so that there is a constant, which is not penalised.

    Returns:
        Shape (segments, n).

    Raises:
        ValueError: If there are too few coalitions to tell all segments apart.
    """
    centred = drawn - np.average(drawn, axis=0, weights=weights)
    normal = centred.T @ (weights[:, None] * centred) + ridge * np.eye(drawn.shape[1])
    return np.asarray(np.linalg.solve(_regular(normal, drawn), centred.T * weights), float)


def shapley_fit(drawn: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    r"""Return what maps scores to Shapley values whose sum is exact.

    They minimise $\sum_i \pi_i (v_i - \varphi \cdot z_i)^2$, $v_i$ being scores less that of the
    baseline, under $\sum_j \varphi_j = \Delta$, the change of the score in all.

    Returns:
        A matrix for $v$, (segments, n), and a vector for $\Delta$, (segments,).

    Raises:
        ValueError: If there are too few coalitions to tell all segments apart.
    """
    segments = drawn.shape[1]
    if segments == 1:
        return np.zeros((1, len(drawn))), np.ones(1)
    normal = drawn.T @ (weights[:, None] * drawn)
    inverse = np.linalg.inv(_regular(normal, drawn))
    share = inverse.sum(1) / inverse.sum()
    return (inverse - np.outer(share, inverse.sum(0))) @ (drawn.T * weights), share


def _regular(normal: Numbers, drawn: Numbers) -> Numbers:
    count, segments = drawn.shape
    if np.linalg.matrix_rank(normal) < segments:
        raise ValueError(
            f"samples must be more, or cells fewer: {count} coalitions do not tell {segments} "
            f"segments apart"
        )
    return normal
