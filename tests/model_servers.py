"""Model servers for tests, over loopback: TensorFlow Serving's REST and gRPC protocols.

What they serve is a function `(signature, inputs) -> outputs` of arrays by name. `LibraryModel` is
one that runs an explainer; `loaded` makes one of a SavedModel's signatures.
"""

import base64
import hashlib
import json
import re
import threading
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

NAME = "scene"
ALONE = {"manifest": "index", "serving_default_bytes": "image_bytes"}  # only inputs, else "image"


class Refused(Exception):
    """The served function's own error: INVALID_ARGUMENT, or 400."""


# ------------------------------------------------------------------------------- what is served


class LibraryModel:
    """Answers as an exported model does, by running the library's own explainer.

    Args:
        explainer: A kerascam explainer, called once so that its layer is known.
        raw_maps: Whether to answer with maps too.
    """

    def __init__(self, explainer, sample, raw_maps=False):
        self.explainer, self.raw_maps = explainer, raw_maps
        own = [each.name for each in explainer.model.inputs]
        several = isinstance(sample, dict)
        self.names = [re.sub(r"\W", "_", name) for name in own] if several else ["image"]
        forms = [sample[name] for name in own] if several else [sample]
        self.sample = dict(zip(self.names, forms, strict=True))
        known = explainer(sample)
        self.predictions = "outputs" if np.isnan(known.probabilities).all() else "probabilities"
        facts = {
            "export": uuid.uuid4().hex,
            "method": known.method,
            "title": explainer.method.title,
            "of_pixels": explainer.method.of_pixels,
            "layer": known.layer,
            "layers": list(known.layers),
            "class_names": known.class_names and list(known.class_names),
            "notes": list(known.notes),
            "signed": known.signed,
            "scaled": known.scaled,
            "inputs": {
                name: {"name": mine, "shape": [None, *array.shape[1:]], "dtype": str(array.dtype)}
                for mine, (name, array) in zip(own, self.sample.items(), strict=True)
            },
        }
        self.say(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")

    def say(self, manifest):
        """Have a manifest, and its id."""
        self.manifest = manifest
        self.id = hashlib.sha256(manifest.encode()).hexdigest()[:16]

    def __call__(self, signature, inputs):
        if signature == "manifest":
            return {"manifest": np.array([self.manifest] * len(inputs["index"]), object)}
        photos = None
        if signature.endswith("_bytes"):
            photos = [decoded(file, place) for place, file in enumerate(inputs["image_bytes"])]
            size = self.sample["image"].shape[2:0:-1]
            images = np.float32([cv2.resize(photo, size) for photo in photos]) / 255
        else:
            images = [inputs[name] for name in self.names]
            self.check(images)
            images = images[0] if len(images) == 1 else images
        probabilities = self.explainer.model.predict_on_batch(images)
        classes = probabilities.argmax(-1).astype(np.int32)
        if signature.startswith("serving_default"):
            return self.signed({self.predictions: probabilities, "class_index": classes})
        classes = np.where(inputs["class_index"] < 0, classes, inputs["class_index"])
        if classes.max() >= probabilities.shape[-1]:
            raise Refused(f"class_index must be below {probabilities.shape[-1]}")
        found = self.explainer(images, classes)
        answer = {
            self.predictions: probabilities,
            "class_index": found.classes,
            "probability": found.probabilities,
            "score": found.scores,
            "status": np.array(found.statuses, object),
            "heatmap": found.heatmaps,
        }
        if photos is not None:
            drawn = [found[place].overlay(photo[None])[0] for place, photo in enumerate(photos)]
            answer["overlay_bytes"] = np.array([encoded(picture) for picture in drawn], object)
        if self.raw_maps:
            several = isinstance(found.maps, tuple)
            maps = {f"map_{place}": each for place, each in enumerate(found.maps)}
            answer |= maps if several else {"map": found.maps}
        return self.signed(answer)

    def check(self, images):
        for image, form in zip(images, self.sample.values(), strict=True):
            if image.shape[1:] != form.shape[1:] or image.dtype != form.dtype:
                raise Refused(f"expected {form.dtype}, {form.shape}; got {image.dtype}")

    def signed(self, answer):
        answer["manifest_id"] = np.array([self.id] * len(answer["class_index"]), object)
        if self.explainer.class_names is None:
            return answer
        names = [self.explainer.class_names[index] for index in answer["class_index"]]
        return answer | {"class_name": np.array(names, object)}


def loaded(folder):
    """Serve a SavedModel's signatures: what `kerascam.export` wrote."""
    model = tf.saved_model.load(str(folder))

    def answer(signature, inputs):
        asked = {name: tf.constant(array.tolist() if array.dtype == object else array)
                 for name, array in inputs.items()}  # fmt: skip
        try:
            found = model.signatures[signature](**asked)
        except (tf.errors.InvalidArgumentError, TypeError) as error:
            raise Refused(str(error)) from error
        return {name: as_text(name, tensor.numpy()) for name, tensor in found.items()}

    answer.keeps = model  # its functions hold it weakly
    return answer


def as_text(name, array):
    if array.dtype != object or name.endswith("_bytes"):
        return array
    return np.array([each.decode() for each in array], object)


def encoded(picture):
    """A PNG file of an RGB picture."""
    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes()


def decoded(file, place=0):
    """An RGB picture of a PNG file."""
    found = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR) if file else None
    if found is None:
        raise Refused(f"image_bytes[{place}] is no image")
    return np.ascontiguousarray(found[..., ::-1])


# ---------------------------------------------------------------------------------- the servers


class Server:
    """What both servers know.

    Attributes:
        answer: The function that is served.
        faults: Taken one by one, each before a request is answered; see the servers.
        asked: (signature, inputs, metadata) of each request.
        states: The state of each version, by number.
        url: Where to ask.
    """

    def __init__(self, answer):
        self.answer = answer
        self.faults = deque()
        self.asked = []
        self.states = {1: "AVAILABLE"}
        self.url = ""

    def signatures(self):
        return [signature for signature, _, _ in self.asked]

    def run(self, signature, inputs, metadata):
        self.asked.append((signature, inputs, metadata))
        if signature.startswith("explain") and "class_index" not in inputs:
            raise Refused("Missing input class_index")
        return self.answer(signature, inputs)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, content, **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        states = self.server.serves.states
        states = states() if callable(states) else states
        if not states:
            return self.say(404, {"error": "Could not find any versions of model"})
        listed = [{"version": str(each), "state": state} for each, state in states.items()]
        return self.say(200, {"model_version_status": listed})

    def do_POST(self):
        serves = self.server.serves
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if serves.faults and serves.faults.popleft()(self):
            return None
        if self.path not in (f"/v1/models/{NAME}:predict", f"/v1/models/{NAME}/versions/1:predict"):
            return self.say(404, {"error": f"Servable not found for request: {self.path}"})
        content = json.loads(body)
        signature, rows = content["signature_name"], content["instances"]
        if not isinstance(rows[0], dict) or set(rows[0]) == {"b64"}:
            rows = [{ALONE.get(signature, "image"): row} for row in rows]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        inputs = {name: from_json(name, values) for name, values in columns.items()}
        try:
            found = serves.run(signature, inputs, dict(self.headers))
        except Refused as error:
            return self.say(400, {"error": str(error)})
        return self.say(200, {"predictions": in_rows(found)})


def from_json(name, values):
    if name.endswith("_bytes"):
        return np.array([base64.b64decode(each["b64"]) for each in values], object)
    return np.array(values, np.int32 if name in ("class_index", "index") else np.float32)


def in_rows(outputs):
    """As TensorFlow Serving answers rows: an only output without its name."""
    columns = {name: to_json(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def to_json(name, array):
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(each).decode()} for each in array]
    return array.tolist()  # json writes NaN as TensorFlow Serving does: as a bare token


@contextmanager
def rest_server(answer):
    """Serve over HTTP. A fault takes the handler, and tells whether it answered in its place."""
    serves = Server(answer)

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *args):
            pass  # clients that hang up are part of the tests

    with Quiet(("127.0.0.1", 0), Handler) as http:
        http.serves = serves
        serves.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield serves
        finally:
            http.shutdown()
            thread.join()


class Predictions(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, serves):
        self.serves = serves

    def Predict(self, request, context):
        if self.serves.faults:
            self.serves.faults.popleft()(context)
        if request.model_spec.name != NAME:
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request")
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        try:
            found = self.serves.run(
                request.model_spec.signature_name, inputs, dict(context.invocation_metadata())
            )
        except Refused as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        response = predict_pb2.PredictResponse()
        for name, array in found.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(array))
        return response


class Models(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, serves):
        self.serves = serves

    def GetModelStatus(self, request, context):
        states = self.serves.states
        states = states() if callable(states) else states
        if not states:
            context.abort(grpc.StatusCode.NOT_FOUND, "Could not find any versions of model")
        response = get_model_status_pb2.GetModelStatusResponse()
        for version, state in states.items():
            response.model_version_status.add(version=version, state=state)
        return response


@contextmanager
def grpc_server(answer):
    """Serve over gRPC. A fault takes the context, and may abort."""
    serves = Server(answer)
    with ThreadPoolExecutor(16) as pool:
        server = grpc.server(pool, options=[("grpc.max_receive_message_length", -1)])
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            Predictions(serves), server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(Models(serves), server)
        serves.url = f"grpc://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield serves
        finally:
            server.stop(None).wait()
