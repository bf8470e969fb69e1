"""Words what was measured as Markdown, and writes it between the markers of a page."""

import os
import platform
import re
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .cases import BATCHES, FORWARD, KERAS, LAYERS, PEERS, THREADS, TORCH
from .goals import Loss, goals, losses
from .notes import LOSSES, NOTES, ONCE, REASONS
from .once import TRACED
from .turns import Time, Times

SECTION = "peers"
PACKAGES = (
    "kerascam", "tensorflow", "keras", *KERAS[2:], "quantus", "torch", *TORCH, "numpy",
)  # fmt: skip
_TO = "\u2060–\u2060"  # a range that no line break parts
SIGNS = {"right": "✓", "wrong": "wrong", "refused": "—"}


def page(report: dict[str, Any]) -> str:
    """Write all sections."""
    times = report["times"]
    parts = [
        head(report),
        goal_table(times, report["kinds"]),
        *[time_table(model, batch, times) for model in LAYERS for batch in BATCHES],
        lost_rows(times),
        missing(report["reasons"]),
        once_table(report["once"], report["starts"]),
        kinds_table(report["kinds"]),
    ]
    return "\n\n".join(part for part in parts if part)


def head(report: dict[str, Any]) -> str:
    """Say where, with what and how it was measured."""
    quick = "**A quick run, to show the form: not a measurement.** " if report["quick"] else ""
    installed = ", ".join(f"{name} {installed_version(name)}" for name in PACKAGES)
    return (
        f"{quick}{processor()}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}; {installed}. {THREADS} threads each, at most "
        f"{report['rounds']} interleaved rounds; {report['minutes']:.0f} minutes in all. "
        f"`{report['command']}`"
    )


def installed_version(name: str) -> str:
    """Ask for a package's version."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "—"


def processor() -> str:
    """Name the processor (Linux), without the maker's frequency."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    found = re.search(r"model name\s*: (.*)", text)
    return found[1] if found else platform.machine()


def time_table(model: str, batch: int, times: Times) -> str:
    """Write a model's rows at one batch size: milliseconds per image, and forward passes."""
    rows = {case: each for case, each in times.items() if case[0] == model and case[2] == batch}
    if not rows:
        return ""
    lines = [f"## {model}, batch {batch}", "", row("ms per image (forward passes)", *PEERS)]
    lines.append(row("---", *["---:"] * len(PEERS)))
    for case, found in rows.items():
        sign = " ⚠" if losses(found) else ""
        lines.append(row(case.method + sign, *(cell(found.get(peer), batch) for peer in PEERS)))
    forward = [
        f"{name} {milliseconds(next(iter(rows.values())).get(name), batch)}"
        for name in FORWARD.values()
    ]
    return "\n".join([*lines, "", f"A forward pass: {', '.join(forward)} ms per image."])


def milliseconds(time: Time | None, batch: int) -> str:
    """Write a median between its quartiles."""
    if time is None:
        return "—"
    low, median, high = (1e3 * value / batch for value in time.seconds)
    digits = 1 if median < 100 else 0
    return f"{median:.{digits}f} [{low:.{digits}f}{_TO}{high:.{digits}f}]"


def cell(time: Time | None, batch: int) -> str:
    """Write what a library took."""
    return "—" if time is None else f"{milliseconds(time, batch)} ({time.ratio.median:.2f}\u00a0×)"


def row(*cells: str) -> str:
    """Write a line of a table."""
    return "| " + " | ".join(cells) + " |"


def lost_rows(times: Times) -> str:
    """List the rows that kerascam loses, and why."""
    lines = [
        f"* {case.model}, {case.method}, batch {case.batch}: "
        + "; ".join(f"{loss.how} ({why(case.method, loss)})" for loss in lost)
        + "."
        for case, each in times.items()
        if (lost := losses(each))
    ]
    if not lines:
        return "kerascam loses no row."
    used = [
        f"* {mark}: {REASONS[mark]}"
        for mark in REASONS
        if any(f"({mark})" in line for line in lines)
    ]
    return "\n".join(["Rows that kerascam loses (⚠):", "", *lines, *used])


def why(method: str, loss: Loss) -> str:
    """Name the reason that was found for a loss."""
    found = LOSSES.get((method, loss.peer))
    return found or ("quartiles overlap" if loss.close else "not yet explained")


def missing(reasons: dict[Any, dict[str, str]], notes: Sequence[str] = NOTES) -> str:
    """Say why a library has no time in a row, and what the times do not show."""
    told: dict[str, dict[str, list[str]]] = {}
    for case, each in reasons.items():
        for peer, reason in each.items():
            methods = told.setdefault(peer, {}).setdefault(reason[:200], [])
            if case.method not in methods:
                methods.append(case.method)
    lines = [
        f"* {peer}: {reason} ({', '.join(methods)})."
        for peer, each in told.items()
        for reason, methods in each.items()
    ]
    return "\n".join(
        ["Why a place is empty (—), and what the times do not show:", "", *lines, *notes]
    )


def once_table(once: dict[str, Any], starts: int) -> str:
    """Write what happens once in a process."""
    if not once:
        return ""
    lines = [
        "## First call, memory and traces",
        "",
        "Grad-CAM on ResNet50 in a fresh process: the first call on one image, from making the "
        f"explainer on, median [least–most] of {starts}; the peak of "
        "resident memory after calls at batch 8; and how often the "
        f"model's Python ran over batches of {', '.join(map(str, TRACED))} images, and over the "
        "same again. A run of the Python is a trace, or an eager pass.",
        "",
        row("", "first call, s", "peak memory, MiB", "runs at first", "runs again"),
        row("---", "---:", "---:", "---:", "---:"),
    ]
    for name, found in once.items():
        if "error" in found:
            lines.append(row(name, "—", "—", "—", found["error"][:80]))
            continue
        runs = map(str, found["runs"] or ("", ""))
        low, high = found["first_range_s"]
        first = f"{found['first_s']:.2f} [{low:.2f}–{high:.2f}]"
        lines.append(row(name, first, f"{found['peak_mib']:.0f}", *runs))
    return "\n".join([*lines, "", ONCE])


def kinds_table(kinds: dict[str, dict[str, list[str]]]) -> str:
    """Write which kinds of model each library explains."""
    if not kinds:
        return ""
    names = list(kinds["kerascam"])
    lines = [
        "## Kinds of model",
        "",
        f"Grad-CAM of the {len(names)} kinds of model of `tests/zoo.py`, at the layer named there, "
        "compared with the map computed by hand: each scaled to a maximum of 1, and right within "
        "10⁻³ of it (half precision and 8-bit integers: 3 · 10⁻²). The best of several "
        "ways to ask counts; `benchmarks/peers/attempts.py` has them.",
        "",
        row("", "right", "wrong", "refused"),
        row("---", "---:", "---:", "---:"),
    ]
    for peer, found in kinds.items():
        count = Counter(told[0] for told in found.values())
        lines.append(row(peer, *(str(count[verdict]) for verdict in SIGNS)))
    for peer, found in kinds.items():
        why = Counter(reason(told) for told in found.values() if told[0] != "right")
        if why:
            lines += [
                "",
                f"{peer}: " + "; ".join(f"{text} ({n})" for text, n in why.most_common(6)),
            ]
    lines += ["", "<details><summary>Every kind</summary>", "", row("", *kinds)]
    lines.append(row("---", *[":---:"] * len(kinds)))
    for name in names:
        verdicts = [kinds[peer].get(name, ["refused"])[0] for peer in kinds]
        lines.append(row(f"`{name}`", *(SIGNS[each] for each in verdicts)))
    return "\n".join([*lines, "", "</details>"])


def reason(told: list[str]) -> str:
    """Shorten why a map is missing or wrong, without names and numbers of one case."""
    if told[0] == "wrong":
        return told[1] if told[1].startswith("a map") else "another map than the logit's"
    text = re.sub(r"<[^>]*>|0x\w+|KerasTensor\([^)]*\)|\[?array\(.*", "…", told[1])
    text = re.sub(r"(?<=The layer )\w+(?= has never)", "…", text)
    text = re.sub(r"[|`]", "", text)
    return "`" + (text if len(text) <= 90 else text[:90].rpartition(" ")[0] + " …") + "`"


def goal_table(times: Times, kinds: dict[str, dict[str, list[str]]]) -> str:
    """Write what was aimed at."""
    lines = ["## What kerascam aims at", "", row("goal", "measured", ""), row(*["---"] * 3)]
    lines += [row(goal, text, "met" if met else "**missed**") for goal, text, met in
              goals(times, kinds)]  # fmt: skip
    return "\n".join(lines)


def around(path: Path, section: str = SECTION) -> tuple[str, str]:
    """Read what stands before and after a section's markers; raise if the page has none."""
    start, end = markers(section)
    before, _, rest = path.read_text(encoding="utf-8").partition(start)
    if end not in rest:
        raise ValueError(f"{path} has no lines {start} and {end} to write between")
    return before, rest.partition(end)[2]


def write(path: Path, text: str, section: str = SECTION) -> None:
    """Put the text between a section's markers."""
    (start, end), (before, after) = markers(section), around(path, section)
    path.write_text(f"{before}{start}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def markers(section: str) -> tuple[str, str]:
    """Return the lines between which a section is written."""
    return f"<!-- {section}:start -->", f"<!-- {section}:end -->"
