"""The development server speaks as TensorFlow Serving does: paths, bodies, numbers and errors."""

import base64
import gzip
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from served_model import CLASSES, NAME, SIDE, export, predict, serving, small_model, some_images
from tensorflow.core.protobuf import meta_graph_pb2

from kerascam.serving.server.servable import Signature

MODEL = f"/v1/models/{NAME}"
ECHO = {
    "f32": 0.1,
    "f64": 1e300,
    "i8": -128,
    "i32": 7,
    "i64": -(2**63),
    "u8": 255,
    "u64": 2**64 - 1,
    "flag": True,
    "text": "sé",
}


@pytest.fixture(scope="module")
def model():
    return small_model(1)


@pytest.fixture(scope="module")
def client(model, tmp_path_factory):
    base = tmp_path_factory.mktemp("served")
    export(model, base / "1")
    with serving(base) as client:
        yield client


def encoded(image, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind)
    return {"b64": base64.b64encode(file.getvalue()).decode()}


def error_of(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert list(content) == ["error"]
    return content["error"]


# --------------------------------------------------------------------------- status and metadata


@pytest.mark.parametrize("path", [MODEL, f"{MODEL}/versions/1"])
def test_status_is_that_of_tensorflow_serving(client, path):
    assert client.get(path).json() == {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


@pytest.mark.parametrize("path", [f"{MODEL}/metadata", f"{MODEL}/versions/1/metadata"])
def test_metadata_tell_of_every_signature(client, path):
    told = client.get(path).json()
    assert told["model_spec"] == {"name": NAME, "signature_name": "", "version": "1"}
    signatures = told["metadata"]["signature_def"]["signature_def"]
    default = signatures["serving_default"]
    assert default["method_name"] == "tensorflow/serving/predict"
    image = default["inputs"]["image"]
    assert image["dtype"] == "DT_FLOAT"
    assert image["name"].endswith(":0")
    assert image["tensor_shape"] == {
        "dim": [{"size": size, "name": ""} for size in ("-1", "8", "8", "3")],
        "unknown_rank": False,
    }
    overlay = signatures["explain_bytes"]["outputs"]["overlay_bytes"]
    assert overlay["dtype"] == "DT_STRING"
    assert overlay["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]
    assert default["defaults"] == {}


def test_metadata_tell_the_default_of_an_input():
    definition = meta_graph_pb2.SignatureDef()
    definition.defaults["class_index"].CopyFrom(tf.make_tensor_proto(-1, tf.int32, []))
    (default,) = Signature.of(definition).metadata()["defaults"].items()
    name, told = default
    assert name == "class_index"
    assert (told["dtype"], told["int_val"]) == ("DT_INT32", [-1])
    assert told["tensor_shape"] == {"dim": [], "unknown_rank": False}
    assert told["float_val"] == []  # also what is empty is told
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/models/other", 404, "Could not find any versions of model other"),
        ("GET", f"{MODEL}/versions/7", 404, f"Could not find version 7 of model {NAME}"),
        ("GET", "/v1/models/other/versions/7", 404, "Could not find version 7 of model other"),
        ("GET", f"{MODEL}?x=1", 404, f"Could not find any versions of model {NAME}?x=1"),
        ("GET", f"{MODEL}%3Fx", 404, f"Could not find any versions of model {NAME}?x"),
        (
            "GET",
            f"{MODEL}/versions/7/metadata",
            404,
            f"Servable not found for request: Specific({NAME}, 7)",
        ),
        (
            "POST",
            "/v1/models/other:predict",
            404,
            "Servable not found for request: Latest(other)",
        ),
        (
            "POST",
            f"{MODEL}/versions/{2**63 - 1}:predict",
            404,
            f"Servable not found for request: Specific({NAME}, {2**63 - 1})",
        ),
        ("POST", f"{MODEL}:predict?x=1", 400, f"Malformed request: POST {MODEL}:predict?x=1"),
        ("GET", f"{MODEL}/metadata?x=1", 400, f"Malformed request: GET {MODEL}/metadata?x=1"),
        ("GET", f"{MODEL}:predict", 400, f"Malformed request: GET {MODEL}:predict"),
        ("POST", MODEL, 400, f"Malformed request: POST {MODEL}"),
        ("POST", f"{MODEL}:classify", 400, f"Malformed request: POST {MODEL}:classify"),
        ("DELETE", f"{MODEL}", 400, f"Malformed request: DELETE {MODEL}"),
        ("OPTIONS", f"{MODEL}", 400, f"Malformed request: OPTIONS {MODEL}"),
        ("GET", f"{MODEL}/", 400, f"Malformed request: GET {MODEL}/"),
        ("GET", f"{MODEL}/versions/x", 400, f"Malformed request: GET {MODEL}/versions/x"),
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("GET", "/v1/", 400, "Malformed request: GET /v1/"),
    ],
)
def test_other_paths_are_refused_in_its_words(client, method, path, status, message):
    body = {"json": {"instances": [1]}} if method == "POST" else {}
    assert error_of(client.request(method, path, **body), status) == message


@pytest.mark.parametrize("number", [str(2**63), "9" * 5000], ids=["int64", "5000 digits"])
@pytest.mark.parametrize("path", [":predict", "/metadata", ""])
def test_a_version_beyond_int64_is_refused_without_a_word(client, number, path):
    method = "POST" if path == ":predict" else "GET"
    answer = client.request(method, f"{MODEL}/versions/{number}{path}")
    assert (answer.status_code, answer.content) == (400, b"")


@pytest.mark.parametrize("path", ["/", "/docs", "/v1", "/v2/models/scenes", "/metrics?x=/v1/"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_outside_of_the_interface_there_is_a_page(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1>Not Found</h1>" in answer.text


def test_paths_are_not_case_sensitive_and_names_are(client):
    loud = f"/V1/Models/{NAME}"
    assert client.get(f"{loud}/VERSIONS/1").json() == client.get(MODEL).json()
    assert client.get(f"{loud}/Metadata").json() == client.get(f"{MODEL}/metadata").json()
    assert predict(client, {"instances": [IMAGE]}, f"{loud}:PREDICT").status_code == 200
    assert client.get(f"/v1/models/{NAME.upper()}").status_code == 404


# ---------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("path", [f"{MODEL}:predict", f"{MODEL}/versions/1:predict"])
def test_rows_are_answered_with_the_models_own_numbers(client, model, path, named):
    images = some_images(5)
    rows = [{"image": row} for row in images.tolist()] if named else images.tolist()
    answer = predict(client, {"instances": rows}, path).json()
    assert list(answer) == ["predictions"]
    np.testing.assert_allclose(answer["predictions"], np.asarray(model(images)), atol=1e-6)


@pytest.mark.parametrize("named", [False, True])
def test_columns_are_answered_with_the_models_own_numbers(client, model, named):
    images = some_images(5)
    values = {"image": images.tolist()} if named else images.tolist()
    content = {"signature_name": "serving_default", "inputs": values}
    answer = predict(client, content).json()
    assert list(answer) == ["outputs"]
    np.testing.assert_allclose(answer["outputs"], np.asarray(model(images)), atol=1e-6)


@pytest.mark.parametrize("by_rows", [False, True])
def test_files_are_decoded_and_answered_with_files_text_and_numbers(client, model, by_rows):
    images = np.random.default_rng(3).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    files, index = [encoded(image) for image in images], [-1, 2]
    if by_rows:
        rows = [
            {"image_bytes": file, "class_index": i} for file, i in zip(files, index, strict=True)
        ]
        content = {"signature_name": "explain_bytes", "instances": rows}
        answers = predict(client, content).json()["predictions"]
    else:
        values = {"image_bytes": files, "class_index": index}
        content = {"signature_name": "explain_bytes", "inputs": values}
        outputs = predict(client, content).json()["outputs"]
        answers = [
            dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)
        ]
    expected = np.asarray(model(images / np.float32(255)))
    chosen = [int(expected[0].argmax()), 2]
    for answer, image, row, number in zip(answers, images, expected, chosen, strict=True):
        assert answer["class_index"] == number
        assert answer["class_name"] == CLASSES[number]
        np.testing.assert_allclose(answer["probabilities"], row, atol=1e-6)
        overlay = Image.open(io.BytesIO(base64.b64decode(answer["overlay_bytes"]["b64"])))
        np.testing.assert_array_equal(np.asarray(overlay), image)


def test_one_row_is_answered_as_in_a_batch(client):
    images = some_images(4).tolist()
    together = predict(client, {"instances": images}).json()["predictions"]
    alone = [predict(client, {"instances": [row]}).json()["predictions"][0] for row in images]
    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_every_type_comes_back_as_it_was_sent(client):
    rows = [ECHO, {**ECHO, "f32": 3, "flag": False, "text": {"b64": "c8Op"}, "i64": 5}]
    content = {"signature_name": "echo", "instances": rows}
    first, second = predict(client, content).json()["predictions"]
    assert first == ECHO
    assert second == {**ECHO, "f32": 3.0, "flag": False, "i64": 5}
    assert isinstance(second["f32"], float)
    columns = {name: [value] for name, value in ECHO.items()}
    outputs = predict(client, {"signature_name": "echo", "inputs": columns}).json()["outputs"]
    assert outputs == columns


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_numbers_that_are_none_go_both_ways(client, form):
    row = json.dumps({**ECHO, "f32": 0.25}).encode()
    row = row.replace(b"1e+300", b"-Infinity").replace(b"0.25", b"NaN")
    assert b"NaN" in row
    assert b"-Infinity" in row
    if form == "instances":
        body = b'{"signature_name": "echo", "instances": [%s]}' % row
        answer = json.loads(predict(client, body).content)["predictions"][0]
    else:
        columns = {name: [value] for name, value in json.loads(row).items()}
        body = json.dumps({"signature_name": "echo", "inputs": columns}).encode()
        outputs = json.loads(predict(client, body).content)["outputs"]
        answer = {name: column[0] for name, column in outputs.items()}
    assert np.isnan(answer.pop("f32"))
    assert answer.pop("f64") == -np.inf
    assert answer == {name: ECHO[name] for name in answer}


def test_rows_in_which_only_some_numbers_are_none_keep_the_others(client):
    body = b'{"signature_name": "total", "inputs": [1.5, NaN, Infinity]}'
    outputs = json.loads(predict(client, body).content)["outputs"]
    assert outputs["values"][0] == 1.5
    assert np.isnan(outputs["values"][1])
    assert outputs["values"][2] == np.inf
    assert np.isnan(outputs["total"])


def test_columns_need_no_common_batch_axis(client):
    content = {"signature_name": "total", "inputs": [1.5, 2.0, -1]}
    assert predict(client, content).json()["outputs"] == {
        "values": [1.5, 2.0, -1.0],
        "total": 2.5,
    }


@pytest.mark.parametrize("text", ["YQ==", "YQ", " Y Q\n=="])
def test_base64_may_lack_padding_and_hold_spaces(client, text):
    rows = [{**ECHO, "text": {"b64": text}}]
    content = {"signature_name": "echo", "instances": rows}
    assert predict(client, content).json()["predictions"][0]["text"] == "a"


# ----------------------------------------------------------------------------------------- errors

IMAGE = some_images(1)[0].tolist()
PNG = encoded(np.zeros((2, 2, 3), np.uint8))
TRUNCATED = {"b64": PNG["b64"][:48]}


def explain(**changes):
    row = {"image_bytes": PNG, "class_index": 0, **changes}
    return {
        "signature_name": "explain_bytes",
        "instances": [{name: value for name, value in row.items() if value is not ...}],
    }


def echo(**changes):
    return {"signature_name": "echo", "instances": [{**ECHO, **changes}]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b"{", "JSON Parse error"),
        (b"\xff\xfe{}", "JSON Parse error"),
        (b"[" * 100_000, "JSON Parse error"),
        (b'{"instances": [NaN, ' + b"[" * 100_000, "JSON Parse error: nested too deeply"),
        (b'{"instances": NaN, "\xff": 1}', "JSON Parse error"),
        (b'{"instances": [' + b"[" * 900 + b"1" + b"]" * 900 + b"]}", "nested 5 deep or more"),
        ([1], "Is not object"),
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"instances": [IMAGE], "inputs": [IMAGE]}, "only one of 'inputs' or 'instances'"),
        ({"instances": IMAGE[0][0][0]}, "Expecting 'instances' to be a list"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"inputs": []}, "'image' holds no values"),
        ({"instances": [[]]}, "'image' holds no values"),
        ({"inputs": None}, r"'image' has shape \(\); give DT_FLOAT of shape \(-1, 8, 8, 3\)"),
        ({"signature_name": 3, "instances": [1]}, "must be a string value: 3"),
        ({"signature_name": "other", "instances": [1]}, "'other' not found in signature def"),
        (
            {"signature_name": "__saved_model_init_op", "instances": [1]},
            "'__saved_model_init_op' not found in signature def",
        ),
        ({"instances": [IMAGE[:7]]}, r"'image' has shape \(1, 7, 8, 3\); give"),
        ({"instances": IMAGE}, r"'image' has shape \(8, 8, 3\); give"),
        ({"instances": [IMAGE, IMAGE[:7]]}, "'image' is ragged at depth 1"),
        ({"instances": [IMAGE, 1]}, "'image' is ragged at depth 1"),
        ({"instances": [1, IMAGE]}, "'image' is ragged at depth 1"),
        ({"instances": [None]}, "'image' has shape"),
        ({"instances": [[[[None] * 3] * 8] * 8]}, "'image' holds null; give DT_FLOAT values alone"),
        ({"instances": [[[["1"] * 3] * 8] * 8]}, "'image' holds text"),
        ({"instances": [[[[True] * 3] * 8] * 8]}, "'image' holds true or false"),
        ({"instances": [{"picture": IMAGE}]}, "element: 0 .* keys must be equal to: image"),
        ({"instances": [{"image": IMAGE}, IMAGE]}, "got a value at item 1"),
        ({"inputs": {"picture": IMAGE}}, "keys must hold: image"),
        (explain(class_index=...), "keys must be equal to: class_index,image_bytes"),
        (explain(other=1), "keys must be equal to: class_index,image_bytes"),
        (
            {"signature_name": "explain_bytes", "inputs": {"image_bytes": [PNG]}},
            "keys must hold: class_index,image_bytes",
        ),
        ({**explain(), "instances": [PNG]}, "plain list, but expecting objects"),
        (
            {"signature_name": "explain_bytes", "inputs": [PNG]},
            "inputs is a plain value or list, but expecting objects",
        ),
        (explain(class_index=0.5), "'class_index' holds decimal numbers; give DT_INT32"),
        (explain(class_index="0"), "'class_index' holds text"),
        (explain(class_index=2**31), "'class_index' holds 2147483648; give -2147483648 to"),
        (explain(image_bytes={"b64": "?"}), "Unable to base64 decode"),
        (explain(image_bytes={"b64": "AAAAA"}), "Unable to base64 decode"),
        (explain(image_bytes={"b64": "é"}), "Unable to base64 decode"),
        (explain(image_bytes={"b64": 3}), "'image_bytes' holds .*; give text or"),
        (explain(image_bytes=3), "'image_bytes' holds 3; give text or"),
        (explain(image_bytes="no image"), "'image_bytes' holds 8 bytes that are not an image"),
        (explain(image_bytes={"b64": ""}), "'image_bytes' holds 0 bytes that are not an image"),
        (explain(image_bytes=TRUNCATED), "Invalid PNG|that are not an image"),
        (explain(class_index=3), "indices.* = 3 is not in"),
        (echo(i8=128), "'i8' holds 128; give -128 to 127"),
        (echo(u8=-1), "'u8' holds -1; give 0 to 255"),
        (echo(i64=2**63), "'i64' holds 9223372036854775808"),
        (echo(i64=1.0), "'i64' holds decimal numbers"),
        (echo(u64=2**64), "'u64' holds decimal numbers"),  # as orjson reads it
        (echo(f32=1e39), "1e.39 of input 'f32' to float32 without loss"),
        (echo(f32=2**24), "16777216 of input 'f32' to float32 without loss"),
        (echo(flag=1), "'flag' holds numbers; give DT_BOOL"),
        (b'{"signature_name": "\\ud800", "instances": [NaN]}', "not found in signature def"),
        ({"signature_name": "uneven", "instances": [1, 2, 3]}, "inconsistent batch size: 3"),
        ({"signature_name": "total", "instances": [1, 2, 3]}, "total has no batch axis"),
    ],
)
def test_a_wrong_body_is_refused_and_says_why(client, content, message):
    error = error_of(predict(client, content), 400)
    with pytest.raises(ValueError, match=message):
        raise ValueError(error)
    assert len(error.splitlines()) == 1


def test_half_a_surrogate_pair_is_no_text(client):
    body = json.dumps(echo(text="\ud800", f32=float("nan"))).encode()
    assert "'text' holds text that is not Unicode" in error_of(predict(client, body), 400)


def test_whole_numbers_that_a_float_holds_are_taken(client):
    content = {"signature_name": "total", "inputs": [2**24 - 1, 1e38]}
    values = predict(client, content).json()["outputs"]["values"]
    np.testing.assert_array_equal(np.float32(values), np.float32([2**24 - 1, 1e38]))


def test_an_input_that_is_not_there_is_passed_over_in_columns(client, model):
    content = {"inputs": {"image": [IMAGE], "other": [[1, 2], "text"]}}
    answer = predict(client, content).json()["outputs"]
    np.testing.assert_allclose(answer, np.asarray(model(np.float32([IMAGE]))), atol=1e-6)


def test_a_byte_order_mark_is_passed_over(client):
    content = json.dumps({"signature_name": "total", "inputs": [1.5]}).encode("utf-8-sig")
    assert predict(client, content).json()["outputs"]["total"] == 1.5


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP"])
def test_a_compressed_body_is_refused_and_said_to_be(client, encoding):
    content = gzip.compress(json.dumps({"signature_name": "total", "inputs": [1.5]}).encode())
    answer = client.post(
        f"{MODEL}:predict", content=content, headers={"Content-Encoding": encoding}
    )
    assert error_of(answer, 400) == f"the body is encoded as '{encoding}'; send it as it is"
    assert "JSON Parse error" in error_of(predict(client, content), 400)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_known_kind_of_file_is_taken(client, kind):
    if kind == "WEBP" and not hasattr(tf.io, "decode_webp"):
        pytest.skip("this TensorFlow reads no WebP")
    gray = np.full((SIDE, SIDE, 3), 128, np.uint8)
    answer = predict(client, explain(image_bytes=encoded(gray, kind))).json()["predictions"][0]
    overlay = Image.open(io.BytesIO(base64.b64decode(answer["overlay_bytes"]["b64"])))
    np.testing.assert_allclose(np.asarray(overlay), gray, atol=2)


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "BMP"])
def test_an_unknown_kind_of_file_is_not(client, kind):
    answer = predict(client, explain(image_bytes=encoded(np.zeros((8, 8, 3), np.uint8), kind)))
    assert "are not an image; send a file of one of JPEG, PNG" in error_of(answer, 400)


def test_a_body_in_chunks_is_a_body(client, model):
    images = some_images(2)
    body = json.dumps({"instances": images.tolist()}).encode()
    chunks = (body[start : start + 100] for start in range(0, len(body), 100))
    answer = client.post(f"{MODEL}:predict", content=chunks).json()
    np.testing.assert_allclose(answer["predictions"], np.asarray(model(images)), atol=1e-6)


def test_the_session_gives_what_the_file_gives_when_loaded_otherwise(client, tmp_path):
    export(small_model(4), tmp_path / "2")
    loaded = tf.saved_model.load(str(tmp_path / "2")).signatures["serving_default"]
    images = some_images(3)
    with serving(tmp_path) as other:
        answer = predict(other, {"instances": images.tolist()}).json()["predictions"]
    expected = loaded(image=tf.constant(images))["probabilities"]
    np.testing.assert_allclose(answer, np.asarray(expected), atol=1e-6)


def test_a_fault_of_the_server_has_the_same_form(client, monkeypatch):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("hidden")

    monkeypatch.setattr("kerascam.serving.server.app.make_answer", fail)
    answer = predict(client, {"instances": [IMAGE]})
    assert error_of(answer, 500) == "internal error: ZeroDivisionError"
