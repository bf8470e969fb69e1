"""The files that put a model behind TensorFlow Serving: they parse, agree, and the check works."""

import subprocess
from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf import wrappers_pb2 as wrappers
from served_model import NAME, export, serving, small_model
from tensorflow_serving.config import model_server_config_pb2

from scene_classification.serving.engines import IMAGE

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "scene_classification" / "deployment"
FIELD = descriptor_pb2.FieldDescriptorProto
# What the package of stubs leaves out: name, number and type of the fields, from the .proto files.
BATCHING = {
    "max_batch_size": (1, "google.protobuf.Int64Value"),
    "batch_timeout_micros": (2, "google.protobuf.Int64Value"),
    "max_enqueued_batches": (3, "google.protobuf.Int64Value"),
    "num_batch_threads": (4, "google.protobuf.Int64Value"),
    "thread_pool_name": (5, "google.protobuf.StringValue"),
    "allowed_batch_sizes": (6, [FIELD.TYPE_INT64]),
    "pad_variable_length_inputs": (7, FIELD.TYPE_BOOL),
}
PROMETHEUS = {"enable": (1, FIELD.TYPE_BOOL), "path": (2, FIELD.TYPE_STRING)}
MONITORING = {"prometheus_config": (1, "tensorflow.serving.PrometheusConfig")}


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def command(compose):
    line = compose["services"]["serving"]["command"]
    return dict(argument.removeprefix("--").split("=", 1) for argument in line)


def parsed(name, message):
    return text_format.Parse((FOLDER / name).read_text(encoding="utf-8"), message)


def message_of(name):
    """An empty message of a type that the stubs lack."""
    file = descriptor_pb2.FileDescriptorProto(
        name="serving.proto",
        package="tensorflow.serving",
        dependency=["google/protobuf/wrappers.proto"],
        syntax="proto3",
    )
    types = {
        "BatchingParameters": BATCHING,
        "PrometheusConfig": PROMETHEUS,
        "MonitoringConfig": MONITORING,
    }
    for title, fields in types.items():
        message = file.message_type.add(name=title)
        for field, (number, kind) in fields.items():
            label = FIELD.LABEL_REPEATED if isinstance(kind, list) else FIELD.LABEL_OPTIONAL
            kind = kind[0] if isinstance(kind, list) else kind
            if isinstance(kind, str):
                message.field.add(
                    name=field,
                    number=number,
                    label=label,
                    type=FIELD.TYPE_MESSAGE,
                    type_name=f".{kind}",
                )
            else:
                message.field.add(name=field, number=number, label=label, type=kind)
    pool = descriptor_pool.DescriptorPool()
    wrapped = descriptor_pb2.FileDescriptorProto()
    wrappers.DESCRIPTOR.CopyToProto(wrapped)
    pool.Add(wrapped)
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"tensorflow.serving.{name}")
    )()


def test_every_file_that_the_command_names_is_mounted_and_there(compose, command):
    models, *volumes = compose["services"]["serving"]["volumes"]
    mounted = dict(volume.removesuffix(":ro").rsplit(":", 1)[::-1] for volume in volumes)
    named = [value for value in command.values() if value.startswith("/config/")]
    assert len(named) == 3
    for path in named:
        assert mounted[path] == f"./{Path(path).name}"
        assert (FOLDER / mounted[path]).is_file()
    assert all(volume.endswith(":ro") for volume in volumes)
    assert (models["type"], models["target"], models["read_only"]) == ("bind", "/models", True)
    assert models["source"].startswith("${MODELS:?")


def test_the_image_is_that_of_the_serve_command(compose):
    name, tag = IMAGE.split(":")
    assert compose["services"]["serving"]["image"] == f"{name}:${{TF_SERVING_TAG:-{tag}}}"


def test_models_are_those_of_the_official_schema():
    config = parsed("models.config", model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == (
        NAME,
        f"/models/{NAME}",
        "tensorflow",
    )
    assert model.model_version_policy.latest.num_versions == 1


def test_batches_are_those_of_the_schema_and_end_at_the_largest():
    batching = parsed("batching.config", message_of("BatchingParameters"))
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(sizes)
    assert sizes[-1] == batching.max_batch_size.value == 32
    assert 0 < batching.batch_timeout_micros.value <= 10_000
    assert batching.num_batch_threads.value >= 1


def test_prometheus_looks_where_the_server_shows_its_metrics(compose, command):
    monitoring = parsed("monitoring.config", message_of("MonitoringConfig")).prometheus_config
    assert monitoring.enable
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    assert job["metrics_path"] == monitoring.path == "/monitoring/prometheus/metrics"
    assert job["static_configs"] == [{"targets": [f"serving:{command['rest_api_port']}"]}]
    assert "serving" in compose["services"]


def test_the_health_check_knows_a_model_that_is_available(compose, tmp_path):
    *shell, script = compose["services"]["serving"]["healthcheck"]["test"][1:]
    assert shell == ["bash", "-c"]

    def is_healthy(client):
        there = script.replace("127.0.0.1/8501", f"127.0.0.1/{client.base_url.port}")
        done = subprocess.run([*shell, there], capture_output=True, timeout=30, check=False)
        return done.returncode == 0

    with serving(tmp_path, wait=False) as client:
        assert not is_healthy(client)
    assert not is_healthy(client)  # nobody listens
    export(small_model(1), tmp_path / "1")
    with serving(tmp_path) as client:
        assert is_healthy(client)
