"""What is wrong with a run's data and what was done about it, in plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from scene_classification.pictures.numbers import NO_BREAK
from scene_classification.report.numbers import count, listed, plural


def problems(audit: dict[str, Any]) -> list[str]:
    """Say in plain sentences what is wrong with the data, and what was done about it.

    Args:
        audit: What `Audit.to_json` returns.
    """
    return [
        _balance(audit["imbalance"]),
        _unreadable(audit["unreadable"]),
        _sizes(audit["sizes"]),
        _copies(audit["copies"]["groups"]),
        _dropped(audit["dropped"]),
    ]


def _balance(imbalance: dict[str, Any]) -> str:
    times = f"{imbalance['ratio']:.2f} times"
    if imbalance["flagged"]:
        return (
            f"The classes are out of balance, by a limit of {imbalance['threshold']:g} times: "
            f"{imbalance['largest']} has {times} the training images of {imbalance['smallest']}."
        )
    if imbalance["ratio"] == 1:
        return "All classes have the same number of training images."
    return (
        f"The classes are in balance, by a limit of {imbalance['threshold']:g} times: the largest, "
        f"{imbalance['largest']}, has {times} the training images of the smallest, "
        f"{imbalance['smallest']}."
    )


def _unreadable(files: Sequence[dict[str, Any]]) -> str:
    if not files:
        return "Every file can be decoded."
    return f"{plural(len(files), 'file')} cannot be decoded and {_was(len(files))} left out."


def _sizes(sizes: Sequence[dict[str, int]]) -> str:
    if not sizes:
        return "No image could be read."
    common, odd = sizes[0], sum(one["images"] for one in sizes[1:])
    size = f"{common['width']}{NO_BREAK}×{NO_BREAK}{common['height']} pixels"
    if not odd:
        return f"All {count(common['images'])} images measure {size}."
    return (
        f"{plural(common['images'], 'image')} measure {size}; {plural(odd, 'image')} of other "
        f"sizes {_was(odd)} resized, like all that do not fit the network."
    )


def _copies(groups: Sequence[dict[str, Any]]) -> str:
    if not groups:
        return "No image is there twice, pixel for pixel; near copies are not looked for."
    harm = {
        "under two labels": sum(one["two_labels"] for one in groups),
        "both to learn from and to be tested on": sum(one["across_splits"] for one in groups),
        "more than once to learn from": sum(one["repeated"] for one in groups),
    }
    said = listed([f"{count(number)} {what}" for what, number in harm.items() if number])
    verb = "is" if len(groups) == 1 else "are"
    first = f"{plural(len(groups), 'image')} {verb} there more than once"
    if said:
        return f"{first}: {said}."
    return f"{first}, but under one label and not among the training images."


def _dropped(dropped: dict[str, Any]) -> str:
    reasons = Counter(file["reason"] for file in dropped["files"])
    if not reasons:
        return "Nothing had to be left out."
    said = [
        f"{count(number)} {'with a ' if reason.startswith('copy') else ''}{reason}"
        for reason, number in reasons.most_common()
    ]
    files = len(dropped["files"])
    return f"{plural(files, 'file')} {_was(files)} left out: {listed(said)}."


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
