"""A small SavedModel with every kind of input and output, and servers of it."""

import contextlib
import hashlib
import shutil
import tempfile
import threading
import time
from pathlib import Path

import httpx
import keras
import numpy as np
import tensorflow as tf

from kerascam.serving.server.server import ModelServer

_MADE = tempfile.TemporaryDirectory()
NAME = "scenes"
SIDE = 8
CLASSES = ["forest", "glacier", "sé"]
DTYPES = {
    "f32": tf.float32,
    "f64": tf.float64,
    "i8": tf.int8,
    "i32": tf.int32,
    "i64": tf.int64,
    "u8": tf.uint8,
    "u64": tf.uint64,
    "flag": tf.bool,
    "text": tf.string,
}


def small_model(seed):
    """A convolutional classifier whose weights are those of its seed."""
    weights = lambda add: keras.initializers.GlorotUniform(seed=seed + add)  # noqa: E731
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            keras.layers.Conv2D(4, 3, activation="relu", kernel_initializer=weights(0)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax", kernel_initializer=weights(1)),
        ]
    )


def export(model, folder):
    """Write the SavedModel beside `folder`, and rename it: it is there whole or not at all.

    It is made once for each model's weights, and copied after that.
    """
    weights = b"".join(values.tobytes() for values in model.get_weights())
    made = Path(_MADE.name, hashlib.sha256(weights).hexdigest())
    if not made.exists():
        _write(model, made)
    beside = folder.parent / f".writing-{folder.name}"
    shutil.copytree(made, beside)
    beside.rename(folder)
    return folder


def _write(model, folder):
    archive = keras.export.ExportArchive()
    archive.track(model)

    def explain(image_bytes, class_index):
        images = tf.map_fn(_decode, image_bytes, fn_output_signature=tf.TensorSpec((SIDE, SIDE, 3)))
        rows = model(images / 255.0)
        found = tf.argmax(rows, axis=-1, output_type=tf.int32)
        chosen = tf.where(class_index < 0, found, class_index)
        png = tf.map_fn(_png, images, fn_output_signature=tf.string)
        return {
            "overlay_bytes": png,
            "probabilities": rows,
            "class_index": chosen,
            "class_name": tf.gather(tf.constant(CLASSES), chosen),
        }

    def slow(steps):
        count = tf.while_loop(lambda i: i < tf.reduce_max(steps), lambda i: (i + 1,), (0,))[0]
        return {"steps": tf.zeros_like(steps) + count}

    def uneven(values):
        return {"values": values, "half": values[: tf.shape(values)[0] // 2]}

    def total(values):
        return {"values": values, "total": tf.reduce_sum(values)}

    rows = {name: tf.TensorSpec((None,), dtype, name=name) for name, dtype in DTYPES.items()}
    images = tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32, name="image")
    files = tf.TensorSpec((None,), tf.string, name="image_bytes")
    index = tf.TensorSpec((None,), tf.int32, name="class_index")
    values = [tf.TensorSpec((None,), tf.float32, name="values")]
    archive.add_endpoint(
        "serving_default", lambda image: {"probabilities": model(image)}, input_signature=[images]
    )
    archive.add_endpoint("explain_bytes", explain, input_signature=[files, index])
    archive.add_endpoint("slow", slow, input_signature=[tf.TensorSpec((None,), tf.int32, "steps")])
    archive.add_endpoint("echo", _echo, input_signature=[rows])
    archive.add_endpoint("uneven", uneven, input_signature=values)
    archive.add_endpoint("total", total, input_signature=values)
    archive.write_out(str(folder), verbose=False)


def _echo(tensors):
    return {name: tf.identity(tensor) for name, tensor in tensors.items()}


def _decode(data):
    image = tf.io.decode_image(data, channels=3, expand_animations=False)
    return tf.image.resize(tf.ensure_shape(image, (None, None, 3)), (SIDE, SIDE))


def _png(image):
    return tf.io.encode_png(tf.cast(tf.round(image), tf.uint8))


def some_images(count, seed=0):
    """Images that JSON holds without loss: few digits, and exact in float32."""
    whole = np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3))
    return (whole / 256).astype(np.float32)


@contextlib.contextmanager
def serving(base, *, wait=True, **settings):
    """Serve a folder in a thread of this process; yields a client of the server.

    The server opens its port when it has a model: without `wait`, there may be nobody to ask yet.
    """
    server = ModelServer(base, NAME, **{"poll_seconds": 0.05, **settings})
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            if wait:
                until(lambda: is_open(client))
            yield client
    finally:
        server.stop()
        thread.join(60)


def is_open(client):
    """Whether the server's port is open, and a version of the model is available."""
    with contextlib.suppress(httpx.ConnectError):
        return "AVAILABLE" in states(client).values()
    return False


def states(client):
    """What the server says of every version: its state by its number."""
    told = client.get(f"/v1/models/{NAME}").json().get("model_version_status", [])
    return {int(version["version"]): version["state"] for version in told}


def predict(client, content, path=f"/v1/models/{NAME}:predict"):
    """Ask with a body that is JSON already, or is to be."""
    body = {"content": content} if isinstance(content, bytes) else {"json": content}
    return client.post(path, **body)


def until(condition, seconds=60):
    """Wait for a condition; fail if it does not come."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := condition()):
        assert time.monotonic() < end, "the condition did not come"
        pause.wait(0.01)
    return found
