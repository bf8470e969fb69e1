"""What a client is made with and cannot use is told at once, before anything is sent."""

import subprocess
import sys

import numpy as np
import pytest
from model_servers import NAME

from kerascam.serving import Client


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:8501", "url must begin with one of http://.*received 'localhost:8501'"),
        ("ftp://localhost", "url must begin with one of"),
        *(
            (f"{scheme}://{host}", f"url must have a host.*port.*; received '{scheme}://.*: ")
            for scheme in ("http", "https", "grpc", "grpcs")
            for host in (
                "localhost:abc",
                "localhost:0",
                "localhost:99999",
                "a..b:8500",
                "999.1.1.1:8500",
                "-host:8500",
                "a host:8500",
                "host:8500/a b",
                "[::g]:8500",
                "[::1:8500",
                f"{'a' * 64}.example:8500",
            )
        ),
        ("htp://me:secret@localhost:abc", "give passwords by headers="),
        ("http://localhost:8501?key=secret", "give passwords by headers="),
        ("grpc://localhost", "a host and a port for gRPC, as in"),
        ("grpc://localhost:8500/v1", "a host and a port for gRPC"),
        ("http://localhost:8501/v1/models/scene", "must end before '/v1/models'"),
        ("http://me:secret@localhost:8501", "give passwords by headers="),
    ],
)
def test_a_url_that_is_none(url, message):
    with pytest.raises(ValueError, match=message) as error:
        Client(url, NAME)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"retries": -1}, "retries must be at least 0, not -1"),
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"timeout": 0}, "timeout must be positive and at most 86400 seconds; received 0"),
        ({"timeout": np.inf}, "timeout must be positive and at most 86400 seconds; received inf"),
        ({"timeout": np.nan}, "timeout must be positive.*received nan"),
        ({"timeout": 10**400}, "timeout must be positive and at most 86400 seconds"),
        ({"backoff": -1}, "backoff must be at least 0 and at most 86400 seconds; received -1"),
        ({"backoff": np.inf}, "backoff must be at least 0.*received inf"),
        ({"version": -1}, "version must be at least 0, not -1"),
        ({"version": 2**63}, "version must be at most 9223372036854775807, not 92"),
    ],
)
@pytest.mark.parametrize("url", ["http://localhost:8501", "grpc://localhost:8500"])
def test_numbers_out_of_range(url, arguments, message):
    with pytest.raises(ValueError, match=message):
        Client(url, NAME, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"timeout": None}, "timeout must be a number of seconds, not None"),
        ({"timeout": "3"}, "timeout must be a number of seconds, not '3'"),
        ({"timeout": True}, "timeout must be a number of seconds, not True"),
        ({"backoff": None}, "backoff must be a number of seconds, not None"),
        ({"retries": 1.5}, "retries must be a whole number, not 1.5"),
        ({"version": "1"}, "version must be a whole number, not '1'"),
        ({"headers": {"X-Key": 3}}, "headers must be .*'X-Key' is of type int: give both as str"),
        ({"headers": {3: "x"}}, "headers must be a dict of texts by name; the value of 3"),
        ({"headers": [("X-Key", "x")]}, "headers must be a dict of texts by name, not a list"),
        ({"url": None}, "url must be text, not None"),
        ({"model": 3}, "model must be text, not 3"),
    ],
)
@pytest.mark.parametrize("url", ["http://localhost:8501", "grpc://localhost:8500"])
def test_what_is_of_another_type(unchecked, url, arguments, message):
    with pytest.raises(TypeError, match=message):
        Client(**{"url": url, "model": NAME} | arguments)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("X-Key", "sécret", "values of printable ASCII .* of 'X-Key' has others: strip"),
        ("X-Key", "secret\n", "without spaces at their ends; that of 'X-Key'"),
        ("X-Key", "secret\r\nX-Other: 1", "values of printable ASCII"),
        ("X Key", "secret", "names of ASCII letters, digits, .*; received 'X Key'"),
        ("Schlüssel", "secret", "names of ASCII letters"),
        ("", "secret", "names of ASCII letters.*received ''"),
    ],
)
@pytest.mark.parametrize("url", ["http://localhost:8501", "grpc://localhost:8500"])
def test_headers_that_cannot_be_sent(url, name, value, message):
    with pytest.raises(ValueError, match=message) as error:
        Client(url, NAME, headers={name: value})
    assert "secret" not in str(error.value) and "sécret" not in str(error.value)


def test_grpc_has_fewer_names_of_headers():
    Client("http://localhost:8501", NAME, headers={"X-Key-Bin": "", "X!": "a  b"}).close()
    for name in ("X-Key-Bin", "X!"):
        with pytest.raises(ValueError, match="not ending in -bin, for gRPC; received"):
            Client("grpc://localhost:8500", NAME, headers={name: "x"})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://models", "http://models"),
        ("http://tf_serving:8501/", "http://tf_serving:8501"),
        ("https://127.0.0.1/vision/", "https://127.0.0.1/vision"),
        ("grpc://[::1]:8500", "grpc://[::1]:8500"),
        ("grpcs://Models.Müller.example:8500", "grpcs://models.xn--mller-kva.example:8500"),
    ],
)
def test_hosts_of_any_kind(url, shown):
    with Client(url, NAME) as client:
        assert repr(client) == f"Client(model 'scene' at {shown})"


@pytest.mark.parametrize(
    ("package", "url"), [("httpcore", "http://localhost:1"), ("tenacity", "http://localhost:1")]
)
def test_a_package_that_is_missing(package, url):
    code = f"import sys; sys.modules[{package!r}] = None; from kerascam.serving import Client; "
    code += f"Client({url!r}, 'scene')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    said = f"needs the package {package!r}; pip install httpcore orjson tenacity"
    assert said in done.stderr
