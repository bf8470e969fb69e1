"""Words what `faithfulness.py` measured as Markdown, between the markers of a page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerascam.metrics import METRICS

START, END = "<!-- faithfulness:start -->", "<!-- faithfulness:end -->"
TITLES = {
    "drawn": "Drawn scenes, where the evidence is known",
    "photographs": "Photographs, a network for six classes",
    "imagenet": "Photographs, a network for a thousand classes",
}
SANITY = ("mprt_cascading", "random_logit")
FAILED = ("guided_backprop", "deconvnet")
CONTROL = "saliency"
Run = tuple[str, Any, dict[str, Any]]


def page_of(runs: Sequence[Run]) -> str:
    """Write a section per run."""
    return "\n\n".join(section(*run) for run in runs)


def section(name: str, found: Any, about: dict[str, Any]) -> str:
    """Write what was measured, the table, and what the intervals allow to say."""
    parts = [
        f"## {TITLES[name]}",
        about["words"].format(images=len(found)) + ".",
        steps_of(found),
        found.table().strip(),
    ]
    if about["reasons"]:
        parts.append("\n".join(
            f"- {name}: {why}." for name, why in left_out(about["reasons"]).items()
        ))  # fmt: skip
    parts += ["**Better than all four baselines, on the same images:**", beaten(found)]
    parts += ["**Do the metrics agree?**", agreement(found), "**Sanity checks:**", sanity(found)]
    return "\n\n".join(parts)


def steps_of(found: Any) -> str:
    """Say which options the metrics had."""
    told = {
        METRICS[metric].title: ", ".join(f"{key} {value}" for key, value in options.items())
        for metric, options in found.options.items()
        if options
    }
    return "Options: " + "; ".join(f"{title}: {options}" for title, options in told.items()) + "."


def left_out(reasons: dict[str, str]) -> dict[str, str]:
    """Bring methods with the same reason together."""
    together: dict[str, list[str]] = {}
    for name, why in reasons.items():
        together.setdefault(why.rstrip("."), []).append(f"`{name}`")
    return {", ".join(names): why for why, names in together.items()}


def beaten(found: Any) -> str:
    """List for each metric which methods beat all baselines, by intervals of the difference."""
    lines = []
    for metric in found.metrics:
        if metric in SANITY:
            continue
        over = [(name, *found.above_baselines(name, metric)) for name in found.methods]
        best = [found.titles[name] for name, beats, of in over if of and beats == of]
        number = max((of for _, _, of in over), default=0)
        names = ", ".join(best) if best else "no method"
        lines.append(
            f"- {METRICS[metric].title} ({len(best)} of {len(found.methods)} methods, "
            f"{number} baselines with a figure): {names}."
        )
    return "\n".join(lines)


def agreement(found: Any) -> str:
    """Say which pairs of metrics put the methods in opposite orders, and which in the same."""
    against, alike, unknown = [], [], 0
    for (one, other), value in sorted(found.agreement().items(), key=lambda each: each[1].value):
        pair = f"{METRICS[one].title} and {METRICS[other].title}"
        told = f"{pair} ({value.value:.2f} [{value.low:.2f}, {value.high:.2f}])"
        if value.high < 0:
            against.append(told)
        elif value.low > 0:
            alike.append(told)
        else:
            unknown += 1
    return "\n".join([
        "Spearman's correlation of the means of all methods and baselines, each turned so that "
        "more is better, with its interval over the images:",
        "",
        f"- contradict each other: {'; '.join(against) or 'no pair is shown to'}.",
        f"- agree: {'; '.join(reversed(alike)) or 'no pair is shown to'}.",
        f"- nothing is shown of {unknown} other pairs.",
    ])  # fmt: skip


def sanity(found: Any) -> str:
    """Compare the methods that should fail with the plain gradient."""
    lines = []
    for metric in SANITY:
        title = METRICS[metric].title
        control = found.mean(CONTROL, metric)
        lines.append(
            f"- {title}, less is better. {found.titles[CONTROL]}: {control.value:.2f} "
            f"[{control.low:.2f}, {control.high:.2f}]."
        )
        for name in FAILED:
            if name not in found.methods:
                continue
            mean = found.mean(name, metric)
            apart = found.difference(name, CONTROL, metric)
            verdict = "more alike" if apart.low > 0 else "less" if apart.high < 0 else "not apart"
            lines.append(
                f"  - {found.titles[name]}: {mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}], "
                f"{apart.value:+.2f} [{apart.low:+.2f}, {apart.high:+.2f}] beside it: {verdict}."
            )
        likest = sorted(found.methods, key=lambda each: -_known(found.mean(each, metric).value))
        shown = ", ".join(
            f"{found.titles[name]} {found.mean(name, metric).value:.2f}" for name in likest[:6]
        )
        lines.append(f"  - The six most alike: {shown}.")
    return "\n".join(lines)


def _known(value: float) -> float:
    return value if value == value else -2.0


def put(path: Path, text: str) -> None:
    """Put the text between the markers of a page."""
    before, _, rest = path.read_text(encoding="utf-8").partition(START)
    if END not in rest:
        raise ValueError(f"{path} has no lines {START} and {END} to write between")
    after = rest.partition(END)[2]
    path.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", encoding="utf-8")
