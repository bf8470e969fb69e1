"""Export an explainer: one SavedModel in a version folder, whole or not at all."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..arguments import check_flag, conform_path, whole_number
from ..errors import brief
from ..explain import Explainer, check_explainer
from ..model import Preprocess, preprocessing_of, write_saved_model
from ..pictures import MAX_PIXELS, MAX_REQUEST_FILES, MAX_REQUEST_PIXELS, Look, Style, check_fit
from ..spelling import name_of
from .check import run_in_session
from .decoding import RESIZERS
from .endpoints import make_endpoints
from .limits import Limits
from .manifest import PLACE, manifest_id, write_manifest
from .plan import Drawing, settle
from .versions import check_place, put_in_place, unfinished_version
from .warm_up import make_requests, write_requests

# What a graph counts lengths in, and pixels.
_MOST_LENGTH, _MOST_PIXELS = 2**31 - 1, 2**63 - 1


def export(
    explainer: Explainer,
    path: str | os.PathLike[str],
    *,
    version: int | None = None,
    preprocess: str | Preprocess = "none",
    fit: str = "stretch",
    resize: str = "area",
    size: tuple[int, int] | None = None,
    colormap: str = "auto",
    alpha: float | None = None,
    style: Style = "heat",
    levels: Sequence[float] | None = None,
    overlay_side: int | None = 256,
    raw_maps: bool = False,
    max_pixels: int = MAX_PIXELS,
    max_request_pixels: int = MAX_REQUEST_PIXELS,
    max_files: int = MAX_REQUEST_FILES,
    warm_up: bool = True,
    example: Any = None,
) -> Path:
    """Export a model with its explanations, for TensorFlow Serving to run without Python.

    Writes `<path>/<version>/`, a SavedModel with five signatures; every input and output has the
    batch as its first axis, of one image or more:

    | signature | takes | answers |
    | --- | --- | --- |
    | `serving_default` | `image` (batch, *size, channels), as the model takes it | `probabilities` (batch, classes), or `outputs` if the model returns none; `class_index` (batch,); `class_name` where the explainer has class names; `manifest_id` |
    | `explain` | the same, and `class_index` (batch,) or one for all: -1 is the predicted class | the same of the explained class, and `probability`, `score`, `status`, `heatmap` (batch, *size); with `raw_maps`, `map` (batch, *grid) |
    | `serving_default_bytes` | `image_bytes` (batch,): JPEG, PNG or WebP files of any size | as `serving_default` |
    | `explain_bytes` | `image_bytes` and `class_index` | as `explain`, and `overlay_bytes` (batch,): PNG files, as large as the photographs up to `overlay_side` |
    | `manifest` | `index` (batch,): any numbers | the manifest, once for each |

    A model of several inputs has their names in place of `image`, made into identifiers, and no
    `_bytes` signatures; nor have models of other inputs than grey or RGB images. The manifest, in
    `assets/manifest.json` too, says what was exported: method, layer, class names, preprocessing. The
    file is run in a session, as servers run it, before it gets its name.

    Args:
        explainer: Says the model, method, layer, target, class names and scale of what is exported. Its
            options hold too; with `freeze=True` the weights are constants of the graph, which
            makes the server faster and the file larger.
        path: The folder of the model's versions, made if it is missing; its last part is the
            model's name by which it is usually served.
        version: A positive number; None takes the one after the highest that is there. Servers
            run the highest.
        preprocess: What turns RGB from 0 to 255 into what the model takes, in the `_bytes`
            signatures: "none", "0-1", "-1-1", a module of keras.applications, such as "resnet50",
            or a function of a float32 tensor (batch, *size, channels), giving one. The other signatures take what the model takes.
        fit: Whether a photograph is stretched to the model's size ("stretch"), or its largest
            middle part in the model's proportions is taken ("crop").
        resize: How: "area" takes the mean of the area along a side that shrinks, as `kerascam explain`
            does; "bilinear" is what `keras.utils.image_dataset_from_directory` does; "antialias"
            is `tf.image.resize(..., antialias=True)`. "area" yields whole numbers from 0 to 255,
            the others what lies between them, too. A network answers best what is resized as
            its training images were.
        size: The (height, width) that photographs are brought to, for a model that takes any.
        colormap: The overlays' colormap: a matplotlib name; "auto" is inferno, two-sided if signed.
        alpha: Opacity of the overlays, 0 to 1, as in `overlay`.
        style: The style of the overlays: "heat", "uniform" or "outline", as in `overlay`.
        levels: Where the lines of an outline run, as in `overlay`.
        overlay_side: How long an overlay's longer side may be, in pixels: a larger photograph is
            shrunk for it. Encoding PNG takes most of the time that an overlay costs, in proportion
            to its pixels. None draws on the photograph in its own size.
        raw_maps: Whether explanations hold the raw maps too; of several layers, `map_0`, `map_1`.
        max_pixels: A photograph that claims more is refused before it is decoded.
        max_request_pixels: How many pixels the photographs of one request may claim together. A
            server that joins requests (batching) counts them as one.
        max_files: How many photographs one request may hold.
        warm_up: Whether requests are included that a server asks itself when it loads the model.
            They need the package tensorflow-serving-api: `pip install tensorflow-serving-api`.
        example: A batch of the model's inputs, for a model that does not say what it takes.

    Returns:
        The version's folder.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If an argument has a value that does not fit, the model runs Python code, the
            version is there already, or there is no next one.
        ImportError: If `warm_up` needs a package that is not installed.
        OSError: If the folder cannot be written to, or the disk is full.
        RuntimeError: If the SavedModel does not run in a session. After an error or an interrupt,
            nothing is left of what was written.

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
    _check(explainer, fit, resize, raw_maps, warm_up)
    look = Look(colormap, alpha, style, levels)
    limits = Limits(
        pixels=_conform_count("max_pixels", max_pixels, _MOST_PIXELS),
        request_pixels=_conform_count("max_request_pixels", max_request_pixels, _MOST_PIXELS),
        files=_conform_count("max_files", max_files),
    )
    if overlay_side is not None:
        _conform_count("overlay_side", overlay_side)
    path = Path(conform_path("path", path))
    check_place(path, version)
    plan = settle(
        explainer,
        example,
        size=_conform_size(size),
        resize=resize,
        crop=fit == "crop",
        limits=limits,
        preprocess=preprocess if callable(preprocess) else preprocessing_of(preprocess),
        drawing=Drawing(look, overlay_side),
        raw_maps=raw_maps,
    )
    manifest = write_manifest(plan, name_of(preprocess))
    endpoints = make_endpoints(plan, manifest, manifest_id(manifest))
    requests = make_requests(endpoints, plan.blank, limits)
    with unfinished_version(path) as unfinished:
        write_saved_model(
            None if explainer.programs.freeze else explainer.model, unfinished, endpoints
        )
        (unfinished / PLACE).parent.mkdir(exist_ok=True)
        (unfinished / PLACE).write_text(manifest, encoding="utf-8")
        if warm_up:
            write_requests(unfinished, path.resolve().name, requests)
        run_in_session(unfinished, requests)
        return put_in_place(unfinished, path, version)


def _check(explainer: Any, fit: Any, resize: Any, raw_maps: Any, warm_up: Any) -> None:
    around = isinstance(getattr(explainer, "explainer", None), Explainer)
    hint = "; what stands around an explainer runs in Python: export its .explainer"
    check_explainer(explainer, hint if around else "")
    check_fit(fit)
    if not isinstance(resize, str) or resize not in RESIZERS:
        known = ", ".join(map(repr, RESIZERS))
        raise ValueError(f"resize must be one of {known}, not {brief(resize)}")
    check_flag("raw_maps", raw_maps)
    check_flag("warm_up", warm_up)
    if warm_up:
        try:
            import tensorflow_serving.apis  # noqa: F401 - before the work, not after it
        except ImportError as error:
            raise ImportError(
                "warm_up=True needs the package tensorflow-serving-api: "
                "pip install tensorflow-serving-api, or pass warm_up=False"
            ) from error


def _conform_count(name: str, number: Any, most: int = _MOST_LENGTH) -> int:
    count = whole_number(name, number)
    if count < 1:
        raise ValueError(f"{name} must be at least 1, got {brief(number)}")
    if count > most:
        raise ValueError(f"{name} must be at most {most}, got {brief(number)}")
    return count


def _conform_size(size: Any) -> tuple[int, int] | None:
    if size is None:
        return None
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        raise ValueError(f"size must be the two numbers (height, width), not {brief(size)}")
    height, width = size
    return _conform_count("size", height), _conform_count("size", width)
