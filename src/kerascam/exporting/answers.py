"""What each signature answers: the names of `signatures`, filled from a compiled program."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from .. import signatures
from ..maps import STATUSES
from ..pictures import Brush
from . import drawing
from .decoding import decode_all, draw_all
from .plan import Plan

Answer = dict[str, tf.Tensor]


def predictions(plan: Plan, images: Sequence[tf.Tensor], manifest_id: str) -> Answer:
    """Answer what the model predicts.

    Args:
        plan: What is exported.
        images: One tensor for each of the model's inputs, batch first.
        manifest_id: Which manifest tells of the answer.
    """
    return _predicted(plan, plan.predict(*images), manifest_id)


def explanations(
    plan: Plan, images: Sequence[tf.Tensor], class_index: tf.Tensor, manifest_id: str
) -> Answer:
    """Answer what the model predicts, and the evidence for the class that is asked for.

    Args:
        plan: What is exported.
        images: One tensor for each of the model's inputs, batch first.
        class_index: Shape (batch,) or (1,), int32; -1 asks for the predicted class.
        manifest_id: Which manifest tells of the answer.
    """
    batch = tf.shape(images[0])[:1]
    classes = tf.broadcast_to(class_index, batch)
    with tf.control_dependencies([_check_classes(classes, plan.program.class_count)]):
        found = plan.program.run(*images, tf.identity(classes))
    with tf.control_dependencies([_check_fit(found["fits"], plan)]):
        heatmaps = tf.identity(found["heatmaps"])
    answer = _predicted(plan, found, manifest_id)
    answer[signatures.PROBABILITY] = found["probabilities"]
    answer[signatures.SCORE] = found["scores"]
    answer[signatures.STATUS] = tf.gather(tf.constant(STATUSES), found["statuses"])
    answer[signatures.HEATMAP] = heatmaps
    return answer | (_raw_maps(found["maps"]) if plan.raw_maps else {})


def explanations_of_files(
    plan: Plan, files: tf.Tensor, class_index: tf.Tensor, manifest_id: str
) -> Answer:
    """Answer the same of encoded photographs, and the overlays.

    Args:
        plan: What is exported, with a fitting.
        files: Shape (batch,), bytes.
        class_index: As in `explanations`.
        manifest_id: As in `explanations`.
    """
    keep = partial(drawing.shrink, side=plan.drawing.side)
    photos, images = _images(plan, files, keep)
    answer = explanations(plan, [images], class_index, manifest_id)
    explainer = plan.explainer
    brush = Brush.of(plan.drawing.look, signed=explainer.keeps_sign)
    of_pixels = explainer.method.of_pixels

    def draw(photo: tf.Tensor, heatmap: tf.Tensor) -> tf.Tensor:
        heat = drawing.shown(heatmap, of_pixels=of_pixels, scaled=explainer.scales)
        return brush.paint(photo, heat, keras.ops)

    answer[signatures.OVERLAY_BYTES] = draw_all(photos, answer[signatures.HEATMAP], draw)
    return answer


def predictions_of_files(plan: Plan, files: tf.Tensor, manifest_id: str) -> Answer:
    """Answer what the model predicts of encoded photographs, shape (batch,)."""
    images = _images(plan, files, lambda photo: photo[:1, :1])[1]
    return predictions(plan, [images], manifest_id)


def _images(
    plan: Plan, files: tf.Tensor, keep: Callable[[tf.Tensor], tf.Tensor]
) -> tuple[tf.TensorArray, tf.Tensor]:
    """Decode photographs; return them and the model's inputs."""
    if plan.fitting is None:
        raise ValueError("plan.fitting must not be None to take photographs")
    photos, pixels = decode_all(files, plan.fitting, keep)
    images = tf.convert_to_tensor(plan.preprocess(pixels))
    if plan.program.input_form.channel == 0:
        images = tf.transpose(images, (0, 3, 1, 2))
    dtype = plan.tensors[0].dtype
    images = images if dtype.is_floating else tf.round(images)
    return photos, tf.cast(images, dtype)


def _predicted(plan: Plan, found: dict[str, Any], manifest_id: str) -> Answer:
    classes = found["classes"]
    answer = {
        signatures.CLASS_INDEX: classes,
        signatures.MANIFEST_ID: tf.fill(tf.shape(classes), manifest_id),
    }
    if plan.explainer.class_names is not None:
        names = tf.constant(plan.explainer.class_names)
        answer[signatures.CLASS_NAME] = tf.gather(names, classes)
    if found["predictions"] is not None:
        gives = plan.program.gives_probabilities
        answer[signatures.PROBABILITIES if gives else signatures.OUTPUTS] = found["predictions"]
    return answer


def _raw_maps(maps: Sequence[tf.Tensor]) -> Answer:
    if len(maps) == 1:
        return {signatures.MAP: maps[0]}
    return {f"{signatures.MAP}_{place}": each for place, each in enumerate(maps)}


def _check_classes(classes: tf.Tensor, count: int | None) -> tf.Operation | None:
    last = "the last class" if count is None else str(count - 1)
    fits = (classes >= -1) & (classes < (classes.dtype.max if count is None else count))
    return tf.debugging.Assert(
        tf.reduce_all(fits),
        [f"class_index must be from 0 to {last}, or -1 for the predicted class; received", classes],
    )


def _check_fit(fits: tf.Tensor, plan: Plan) -> tf.Operation | None:
    explainer = plan.explainer
    return tf.debugging.Assert(
        tf.reduce_all(fits),
        [f"layer {explainer.layer!r} does not suit {explainer.method.title}"],
    )
