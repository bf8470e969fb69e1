"""Export an explainer: one SavedModel in a version folder, whole or not at all."""

import os
import shutil
import uuid
from pathlib import Path
from typing import Any

from ..arguments import whole_number
from ..explain import Explainer
from ..preprocessing import preprocessing
from ..probe import write_saved_model
from ..render import choose_colormap
from .check import run_in_session
from .decoding import RESIZERS
from .endpoints import make_endpoints
from .manifest import manifest_id, write_manifest
from .plan import Drawing, settle
from .warm_up import make_requests, write_requests

_FITS = ("stretch", "crop")


def export(
    explainer: Explainer,
    path: str | os.PathLike[str],
    *,
    version: int | None = None,
    preprocess: str = "none",
    fit: str = "stretch",
    resize: str = "area",
    size: tuple[int, int] | None = None,
    colormap: str = "auto",
    alpha: float = 0.5,
    overlay_side: int | None = 512,
    raw_maps: bool = False,
    max_pixels: int = 50_000_000,
    warm_up: bool = True,
    example: Any = None,
) -> Path:
    """Export a model with its explanations, for TensorFlow Serving to run without Python.

    Writes `<path>/<version>/`, a SavedModel with five signatures; every input and output has the
    batch as its first axis, of any length:

    | signature | takes | answers |
    | --- | --- | --- |
    | `serving_default` | `image` (batch, *size, channels), as the model takes it | `probabilities` (batch, classes), or `outputs` where the model gives none; `class_index` (batch,); `class_name` where the explainer has labels |
    | `explain` | the same, and `class_index` (batch,) or one for all: -1 is the predicted class | the same of the explained class, and `probability`, `score`, `status`, `heatmap` (batch, *size), `manifest_id`; with `raw_maps`, `map` (batch, *grid) |
    | `serving_default_bytes` | `image_bytes` (batch,): JPEG, PNG, WebP, GIF or BMP files of any size | as `serving_default` |
    | `explain_bytes` | `image_bytes` and `class_index` | as `explain`, and `overlay_bytes` (batch,): PNG files, as large as the photographs up to `overlay_side` |
    | `manifest` | `index` (batch,): any numbers | the manifest, once for each |

    A model of several inputs has their names in place of `image`, and no `_bytes` signatures; nor
    have models of other inputs than grey or RGB images. The manifest, in
    `assets/manifest.json` too, says what was exported: method, layer, labels, preprocessing. The
    file is run in a session, as servers run it, before it gets its name.

    Args:
        explainer: Says the model, method, layer, target, labels and scale of what is exported. Its
            options hold too; with `freeze=True` the weights are constants of the graph, which
            makes the server faster and the file larger.
        path: The folder of the model's versions, made where it is missing; its last part is the
            model's name by which it is usually served.
        version: A positive number; None takes the one behind the highest that is there. Servers
            run the highest.
        preprocess: What turns RGB from 0 to 255 into what the model takes, in the `_bytes`
            signatures: "none", "0-1", "-1-1" or a module of keras.applications, such as
            "resnet50". The other signatures take what the model takes.
        fit: Whether a photograph is stretched to the model's size ("stretch"), or its largest
            middle part in the model's proportions is taken ("crop").
        resize: How: "area" takes the mean of the area where a side shrinks, as `kerascam explain`
            does; "bilinear" is what `keras.utils.image_dataset_from_directory` does; "antialias"
            is `tf.image.resize(..., antialias=True)`. A network answers best what is resized as
            its training images were.
        size: The (height, width) that photographs are brought to, for a model that takes any.
        colormap: Of the overlays: a matplotlib name; "auto" is inferno, two-sided where signed.
        alpha: Opacity of the overlays' heatmap, 0 to 1.
        overlay_side: How long an overlay's longer side may be, in pixels: a larger photograph is
            shrunk for it. Encoding PNG takes most of the time that an overlay costs, in proportion
            to its pixels. None draws on the photograph in its own size.
        raw_maps: Whether explanations hold the raw maps too; of several layers, `map_0`, `map_1`.
        max_pixels: Photographs that claim more are refused before they are decoded.
        warm_up: Whether requests are included that a server asks itself when it loads the model.
            They need the package tensorflow-serving-api: `pip install 'kerascam[serving]'`.
        example: A batch of the model's inputs, for a model that does not say what it takes.

    Returns:
        The version's folder.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If an argument has a value that does not fit, or the version is there already.
        ImportError: If `warm_up` needs a package that is not installed.
        RuntimeError: If the SavedModel does not run in a session; nothing is left behind.

    Example:
        >>> import keras, tempfile
        >>> from kerascam import GradCAM
        >>> model = keras.Sequential([
        ...     keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3),
        ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     export(GradCAM(model), folder, preprocess="0-1").name
        '1'
    """  # noqa: E501 - the rows of a table
    _check(explainer, fit, resize, alpha, warm_up)
    _check_at_least_one("max_pixels", max_pixels)
    if overlay_side is not None:
        _check_at_least_one("overlay_side", overlay_side)
    choose_colormap(colormap, signed=False)
    path = Path(path)
    if version is not None:
        _check_version(path, version)
    plan = settle(
        explainer,
        example,
        size=size,
        resize=resize,
        crop=fit == "crop",
        max_pixels=max_pixels,
        preprocess=preprocessing(preprocess),
        drawing=Drawing(colormap, alpha, overlay_side),
        raw_maps=raw_maps,
    )
    manifest = write_manifest(plan, preprocess)
    endpoints = make_endpoints(plan, manifest, manifest_id(manifest))
    requests = make_requests(endpoints, None if plan.fitting is None else plan.fitting.size)
    path.mkdir(parents=True, exist_ok=True)
    # Beside, and renamed: a server that watches the folder never finds a half.
    unfinished = path / f".{uuid.uuid4().hex}.tmp"
    try:
        write_saved_model(
            None if explainer.programs.freeze else explainer.model, unfinished, endpoints
        )
        (unfinished / "assets").mkdir(exist_ok=True)
        (unfinished / "assets" / "manifest.json").write_text(manifest, encoding="utf-8")
        if warm_up:
            write_requests(unfinished, path.resolve().name, requests)
        run_in_session(unfinished, requests)
        return _rename(unfinished, path, version)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _check(explainer: Any, fit: str, resize: str, alpha: float, warm_up: bool) -> None:
    if not isinstance(explainer, Explainer):
        raise TypeError(f"explainer must be one, such as GradCAM(model), not {explainer!r}")
    if fit not in _FITS:
        raise ValueError(f"fit must be 'stretch' or 'crop', not {fit!r}")
    if resize not in RESIZERS:
        known = ", ".join(map(repr, RESIZERS))
        raise ValueError(f"resize must be one of {known}, not {resize!r}")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
    if warm_up:
        try:
            import tensorflow_serving.apis  # noqa: F401 - before the work, and not behind it
        except ImportError as error:
            raise ImportError(
                "warm_up=True needs the package tensorflow-serving-api: "
                "pip install 'kerascam[serving]', or pass warm_up=False"
            ) from error


def _check_at_least_one(name: str, number: int) -> None:
    if whole_number(name, number) < 1:
        raise ValueError(f"{name} must be at least 1, got {number}")


def _check_version(path: Path, version: int) -> None:
    _check_at_least_one("version", version)
    if (path / str(version)).exists():
        raise ValueError(
            f"version={version} is in {str(path)!r} already; leave it out for the next one"
        )


def _rename(unfinished: Path, path: Path, version: int | None) -> Path:
    while True:
        number = _next(path) if version is None else version
        try:
            return unfinished.rename(path / str(number))
        except OSError:  # another export took this number meanwhile
            if version is not None:
                _check_version(path, version)
            if not (path / str(number)).exists():
                raise


def _next(path: Path) -> int:
    taken = [int(child.name) for child in path.iterdir() if child.name.isdecimal()]
    return max(taken, default=0) + 1
