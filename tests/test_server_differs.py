"""The table of docs/serving.md that says where the development server is stricter, row by row."""

import base64
import gzip
import io
import json
import re
from pathlib import Path

import pytest
import test_cli_serve
import test_server
import test_server_limits
import test_server_load
import test_server_versions
from PIL import Image
from served_model import NAME, SIDE, serving

from kerascam.serving.server.limits import DEFAULT_LIMITS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "serving.md"
TABLE = re.search(
    r"\| what is asked \|.*\n\| ---.*\n((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8")
)[1]
ROWS = dict(
    (asked.strip(), here.strip())
    for _, asked, _, here, _, _ in (line.split("|") for line in TABLE.splitlines())
)
PATH = f"/v1/models/{NAME}:predict"


def encoded(data):
    return {"b64": base64.b64encode(data).decode()}


def image(width, height, kind="PNG", **settings):
    file = io.BytesIO()
    Image.new("1" if kind == "PNG" else "L", (width, height)).save(file, kind, **settings)
    return file.getvalue()


def explain(*files):
    rows = [{"image_bytes": encoded(data), "class_index": 0} for data in files]
    return {"signature_name": "explain_bytes", "instances": rows}


def of_many_scans(count):
    data = image(16, 16, "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * count + data[-2:]


IMAGE = [[[0.5] * 3] * SIDE] * SIDE
SIZE = 7000  # a side of a file that alone is within the limit
#: By the first cell of a row: the body to send, or the path and the body, or the body and headers.
ASKED = {
    "a value of another shape than the signature's": {"inputs": [1]},
    "JSON nested 50,000 deep": b'{"instances": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "text after the JSON": json.dumps({"instances": [IMAGE]}).encode() + b" and more",
    "a compressed body": gzip.compress(json.dumps({"instances": [IMAGE]}).encode()),
    "300 for a `uint8`": {"signature_name": "echo", "inputs": {"u8": [300]}},
    '`instances: [{"b64": ...}]`, if there are two inputs and one has a default': {
        "signature_name": "explain_bytes",
        "instances": [encoded(image(8, 8))],
    },
    "a file that is no JPEG, PNG or WebP, for an input `..._bytes`": explain(image(8, 8, "GIF")),
    "an image of more than 50 million pixels": explain(image(SIZE + 100, SIZE + 100)),
    "more than 200 million pixels in one request": explain(*[image(SIZE, SIZE)] * 5),
    "a JPEG of more than 100 scans": explain(of_many_scans(100)),
    "more than 256 rows in one request": {"signature_name": "total", "inputs": [1.0] * 257},
    "a body of more than 64 MiB": b" " * (DEFAULT_LIMITS.body_bytes + 1),
    "more than 2,000,000 values in a body": b'{"inputs": [' + b"[]," * 1_000_000 + b"[]]}",
    "`:classify` and `:regress`": {"examples": [{"image": IMAGE}]},
}
#: The other rows say what is done, not what is answered: where each is tested.
ELSEWHERE = {
    "an error inside the graph": test_server.test_a_wrong_body_is_refused_and_says_why,
    "the text of an answer": test_server.test_every_type_comes_back_as_it_was_sent,
    "a version that cannot be loaded": (
        test_server_versions.test_a_version_is_loading_until_its_tries_are_used_up
    ),
    "a missing folder at the start": test_cli_serve.test_a_mistake_is_one_line,
    "SIGTERM": test_server_load.test_the_end_under_load_loses_no_request_that_was_received,
    "gRPC and batching": test_server_limits.test_what_cannot_be_served_is_said_at_once,
}


@pytest.fixture(scope="module")
def client(one_version):
    with serving(one_version) as client:
        yield client


def test_every_row_is_tested():
    assert {*ROWS} == {*ASKED, *ELSEWHERE}
    assert len(ROWS) == 20


@pytest.mark.parametrize("asked", ASKED)
def test_the_answer_is_that_of_the_table(client, asked):
    body, path, headers = ASKED[asked], PATH, {}
    if asked == "a compressed body":
        headers = {"Content-Encoding": "gzip"}
    if asked.startswith("`:classify`"):
        path = path.replace(":predict", ":classify")
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(path, content=content, headers=headers)
    assert answer.status_code == int(ROWS[asked]), answer.text
    assert list(answer.json()) == ["error"]
    assert len(answer.json()["error"].splitlines()) == 1
