"""Figures from maps, to read and to print: a row a sample, with titles and colour bars."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .render import choose_colormap, colorize, is_signed, overlay, resize_heatmap, to_uint8_rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 2.9  # inches: the width of one picture
BAR, GAP = 0.85, 0.15  # inches: a colour bar with what is written beside it; between pictures
MARGIN = 0.08  # inches between what is drawn and the edge of the figure
TITLE, LABEL, TICK = 11, 9, 8  # points
SOFT = 0.7  # opacity of the heat behind a line: the line can be seen on the darkest
LINE = TITLE * 1.35 / 72  # inches: the height of one line of a title


def figure(
    photos: ArrayLike | Sequence[ArrayLike] | None,
    heatmaps: ArrayLike | Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    *,
    colormap: str = "auto",
    alpha: float = 0.5,
    signed: bool | None = None,
    max_rows: int = 8,
) -> "Figure":
    """Draw a row an image: the photo, its heatmap with a colour bar, both overlaid.

    Args:
        photos: (batch, height, width, channels) or a list of images of any sizes, as
            `to_uint8_rgb` takes them (all of one shape share one range); None: heatmaps alone.
        heatmaps: (batch, h, w) or a list, in [0, 1], or [-1, 1] where signed.
        titles: A text above each row, wrapped to fit.
        colormap: As in `colorize`.
        alpha: Opacity of the overlay's colours, 0 to 1.
        signed: As in `colorize`, decided once over all heatmaps.
        max_rows: Rows drawn at most; a line at the bottom says how many were left out.

    Returns:
        A matplotlib figure that pyplot does not know: nothing to close.

    Raises:
        ValueError: If photos, heatmaps and titles differ in number, or as `overlay`.

    Example:
        >>> drawn = figure(np.zeros((2, 8, 8, 3)), np.ones((2, 4, 4)), ["cat 98 %", "dog 71 %"])
        >>> len(drawn.axes)  # three pictures and a colour bar a row
        8
    """
    heats = _rows(heatmaps, "heatmaps", 2)
    pictures = None if photos is None else _photos(photos, len(heats))
    names = ("heatmap",) if pictures is None else ("image", "heatmap", "overlay")
    signed = any(map(is_signed, heats)) if signed is None else signed

    def draw(row: int, axes: Sequence["Axes"]) -> None:
        heat, panel = heats[row], axes[names.index("heatmap")]
        if pictures is not None:
            heat = resize_heatmap(heat, pictures[row].shape[:2])
            axes[0].imshow(pictures[row])
            axes[2].imshow(overlay(pictures[row], heat, colormap, alpha, signed=signed))
        panel.imshow(colorize(heat, colormap, signed=signed), interpolation="nearest")
        _color_bar(panel, colormap, signed)
        for ax, name in zip(axes, names, strict=True):
            ax.axis("off")
            ax.set_title(name, fontsize=LABEL, color="0.35")

    shapes = [one.shape[:2] for one in pictures or heats]
    heights = [PANEL * min(max(high / wide, 0.6), 1.6) for high, wide in shapes]
    width = len(names) * (PANEL + GAP) + BAR
    return _draw_rows(draw, heights, len(names), width, titles, max_rows)


def signal_figure(
    signals: ArrayLike | Sequence[ArrayLike],
    heatmaps: ArrayLike | Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    *,
    colormap: str = "auto",
    signed: bool | None = None,
    max_rows: int = 8,
) -> "Figure":
    """Draw a row a signal: its line, with the heat behind it as a coloured strip.

    Args:
        signals: (batch, steps) or (batch, steps, channels), or a list of different lengths.
        heatmaps: (batch, length), of any length, in [0, 1], or [-1, 1] where signed.
        titles: A text above each row, wrapped to fit.
        colormap: As in `colorize`, but "auto" has a light zero, as a line is drawn on it.
        signed: As in `colorize`.
        max_rows: Rows drawn at most.

    Raises:
        ValueError: If signals, heatmaps and titles differ in number, or in rank.

    Example:
        >>> drawn = signal_figure(np.zeros((1, 50)), np.ones((1, 10)))
        >>> drawn.axes[0].get_xlabel(), drawn.axes[0].get_ylabel()
        ('step', 'value')
    """
    from matplotlib.patheffects import withStroke

    heats = _rows(heatmaps, "heatmaps", 1)
    lines = _rows(signals, "signals", 1, 2)
    _same_count("signals", len(lines), len(heats))
    signed = any(map(is_signed, heats)) if signed is None else signed
    colormap = ("RdBu_r" if signed else "Reds") if colormap == "auto" else colormap

    def draw(row: int, axes: Sequence["Axes"]) -> None:
        signal, ax = lines[row].reshape(len(lines[row]), -1), axes[0]
        steps, channels = signal.shape
        strip = resize_heatmap(heats[row][None], (1, steps))
        for channel in range(channels):
            color = "black" if channels == 1 else f"C{channel % 10}"
            (line,) = ax.plot(signal[:, channel], color=color, lw=1.3, label=f"channel {channel}")
            line.set_path_effects([withStroke(linewidth=3, foreground="white", alpha=0.8)])
        low, high = ax.get_ylim()
        extent = (-0.5, steps - 0.5, low, high)
        ax.imshow(colorize(strip, colormap, signed=signed), extent=extent, alpha=SOFT)
        ax.set(aspect="auto", xlim=extent[:2], ylim=extent[2:])
        ax.set_xlabel("step", fontsize=LABEL)
        ax.set_ylabel("value", fontsize=LABEL)
        ax.tick_params(labelsize=TICK)
        if 1 < channels <= 10:
            ax.legend(fontsize=TICK, ncols=min(channels, 5), loc="upper right", framealpha=0.9)
        _color_bar(ax, colormap, signed, SOFT)

    return _draw_rows(draw, [2.3] * len(lines), 1, 9.6, titles, max_rows)


def volume_figure(
    volumes: ArrayLike | Sequence[ArrayLike],
    heatmaps: ArrayLike | Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    *,
    colormap: str = "auto",
    alpha: float = 0.5,
    signed: bool | None = None,
    max_rows: int = 8,
) -> "Figure":
    """Draw a row a volume: its slice along the first axis with the most evidence.

    Args:
        volumes: (batch, depth, height, width) or the same and 1 or 3 channels, or a list; drawn
            from the smallest value (black) to the largest (white) of each volume, unless uint8.
        heatmaps: (batch, d, h, w) of any size, in [0, 1], or [-1, 1] where signed.
        titles: A text above each row; the slice's index, from 0, is added to it.
        colormap: As in `colorize`.
        alpha: Opacity of the overlay's colours, 0 to 1.
        signed: As in `colorize`; the evidence of a slice is the sum of its absolute values.
        max_rows: Rows drawn at most.

    Raises:
        ValueError: If volumes, heatmaps and titles differ in number, or in rank.

    Example:
        >>> heat = np.zeros((1, 4, 2, 2))
        >>> heat[0, 3] = 1
        >>> drawn = volume_figure(np.zeros((1, 4, 8, 8)), heat, ["nodule 93 %"])
        >>> drawn.subfigs[0].get_suptitle()
        'nodule 93 % · slice 3 of 0-3'
    """
    heats = _rows(heatmaps, "heatmaps", 3)
    solids = _rows(volumes, "volumes", 3, 4)
    _same_count("volumes", len(solids), len(heats))
    _check_titles(titles, len(heats))
    signed = any(map(is_signed, heats)) if signed is None else signed
    photos, slices, texts = [], [], []
    for row, (solid, heat) in enumerate(zip(solids, heats, strict=True)):
        deep = resize_heatmap(heat.reshape(len(heat), -1), (len(solid), heat[0].size))
        best = int(np.abs(deep).sum(axis=1).argmax())
        photos.append(_window(solid)[best])
        slices.append(deep[best].reshape(heat.shape[1:]))
        title = "" if titles is None else f"{titles[row]} · "
        texts.append(f"{title}slice {best} of 0-{len(solid) - 1}")
    rest: dict[str, Any] = {"colormap": colormap, "alpha": alpha, "max_rows": max_rows}
    return figure(photos, slices, texts, signed=signed, **rest)


def _window(volume: NDArray[Any]) -> NDArray[np.uint8]:
    """Show a scan's own range: its values (Hounsfield units, say) are rarely those of a photo."""
    volume = volume[..., None] if volume.ndim == 3 else volume
    if volume.shape[-1] not in (1, 3):
        raise ValueError(
            f"volumes must have 1 or 3 channels, got {volume.shape[-1]}; pass [..., :1]"
        )
    if volume.dtype == np.uint8:
        return to_uint8_rgb(volume)
    low, high = float(volume.min()), float(volume.max())
    return to_uint8_rgb(volume, value_range=(low, high if high > low else low + 1))


def _draw_rows(
    draw: Callable[[int, Sequence["Axes"]], None],
    heights: Sequence[float],
    columns: int,
    width: float,
    titles: Sequence[str] | None,
    max_rows: int,
) -> "Figure":
    from matplotlib.figure import Figure

    _check_titles(titles, len(heights))
    if max_rows < 1:
        raise ValueError(f"max_rows must be at least 1, got {max_rows}")
    rows = min(len(heights), max_rows)
    names = [""] * rows if titles is None else titles[:rows]
    texts = [_wrap(name, width - 2 * MARGIN) for name in names]
    heads = [0.4 + LINE * len(text.splitlines()) for text in texts]
    tall = [height + head for height, head in zip(heights[:rows], heads, strict=True)]
    note = 0.3 * (rows < len(heights))
    whole = Figure(figsize=(width, sum(tall) + note), layout="constrained")
    whole.get_layout_engine().set(w_pad=MARGIN)  # type: ignore[union-attr, call-arg]
    parts = whole.subfigures(rows, 1, squeeze=False, height_ratios=tall)[:, 0]
    for row, (part, text) in enumerate(zip(parts, texts, strict=True)):
        if text:
            head = part.suptitle(text, x=MARGIN / width, ha="left", size=TITLE, weight="bold")
            head.set_parse_math(False)  # a class name may hold a dollar sign
        draw(row, part.subplots(1, columns, squeeze=False)[0])
    if note:
        whole.supxlabel(f"first {rows} of {len(heights)} samples", fontsize=LABEL, color="0.35")
    return whole


def _wrap(text: str, inches: float) -> str:
    """Break a title where it would leave the figure, by the true widths of its letters."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=TITLE, weight="bold")

    def fits(line: str) -> bool:
        width = text_to_path.get_text_width_height_descent(line, font, ismath=False)[0]
        return bool(width <= inches * 72 * 0.97)  # hinting makes drawn letters a little wider

    lines: list[str] = []
    for paragraph in str(text).splitlines():
        line = ""
        for word in paragraph.split():
            joined = f"{line} {word}".strip()
            if not fits(joined):
                lines += [line] * bool(line)
                joined = word
                while not fits(joined):  # one endless word
                    cut = next(n for n in range(len(joined) - 1, 0, -1) if fits(joined[:n]))
                    lines.append(joined[:cut])
                    joined = joined[cut:]
            line = joined
        lines.append(line)
    return "\n".join(lines)


def _color_bar(ax: "Axes", colormap: str, signed: bool, alpha: float = 1) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    low = -1 if signed else 0
    scale = ScalarMappable(Normalize(low, 1), choose_colormap(colormap, signed=signed))
    bar = ax.figure.colorbar(scale, ax=ax, alpha=alpha, fraction=0.05, pad=0.02)
    # two lines: one would be longer than the picture of a wide photo is high
    label = "evidence against / for" if signed else "evidence\n(relative to the strongest)"
    bar.set_label(label, fontsize=LABEL)
    bar.set_ticks([-1, 0, 1] if signed else [0, 0.5, 1])
    bar.ax.tick_params(labelsize=TICK)


def _rows(arrays: Any, argument: str, *ranks: int) -> list[NDArray[Any]]:
    rows = [np.asarray(one) for one in arrays]
    if not rows or any(one.ndim not in ranks or not one.size for one in rows):
        wanted = " or ".join(f"{rank}-D" for rank in ranks)
        received = f"{len(rows)} of shapes {sorted({one.shape for one in rows})}"
        fix = "a single sample needs a batch axis: array[None]"
        raise ValueError(f"{argument} must hold {wanted} arrays, got {received}; {fix}")
    return rows


def _photos(photos: Any, count: int) -> list[NDArray[np.uint8]]:
    pictures = _rows(photos, "photos", 2, 3)
    _same_count("photos", len(pictures), count)
    if len({one.shape for one in pictures}) > 1:
        return [to_uint8_rgb(one) for one in pictures]
    batch = np.stack(pictures)
    return list(to_uint8_rgb(batch if batch.ndim == 4 else batch[..., None]))


def _same_count(argument: str, received: int, heatmaps: int) -> None:
    if received != heatmaps:
        raise ValueError(f"{argument} holds {received} samples, heatmaps {heatmaps}; pass as many")


def _check_titles(titles: Sequence[str] | None, heatmaps: int) -> None:
    if isinstance(titles, str):
        raise TypeError(f"titles must be a list of texts, one a row, got '{titles}'")
    _same_count("titles", heatmaps if titles is None else len(titles), heatmaps)
