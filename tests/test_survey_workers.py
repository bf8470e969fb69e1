"""Surveys by several processes: the same bytes as by one, and a word where one cannot be had."""

import os
import pickle
import signal
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from proofs import proof
from small_survey import write_place

import kerascam
from kerascam.cli import main
from kerascam.pictures import MAX_PIXELS
from kerascam.surveying.dataset import begin_and
from kerascam.surveying.jobs import job_of
from kerascam.surveying.running import missing
from kerascam.surveying.store import Store
from kerascam.surveying.workers import RayWorkers, settled
from kerascam.surveying.writer import ShardWriter, sent

pa = pytest.importorskip("pyarrow")

NAMES = ["ape", "bee"]
SIZES = {"batch_size": 4, "shard_size": 6}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("surveyed")
    write_place(folder, NAMES, 20)
    return folder


@pytest.fixture(scope="module")
def model(place):
    return keras.saving.load_model(place / "model.keras")


def explainer_of(model, **options):
    return kerascam.GradCAM(model, class_names=NAMES, **options)


def shards(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("shard-*"))}


@pytest.fixture(scope="module")
def made(model, place, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    return kerascam.explain_dataset(explainer_of(model), place / "photos", out, **SIZES)


# ------------------------------------------------------------------------------ without an engine


def job_on(explainer, place, store):
    return job_of(
        explainer, place / "photos", store, None, labels=None, fit="stretch", preprocess="none",
        size=None, max_pixels=MAX_PIXELS, depth=16, threads=None, **SIZES,
    )  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"place": "effective"}])
def test_a_writer_elsewhere_writes_the_same_bytes(model, place, tmp_path, monkeypatch, options):
    explainer = explainer_of(model, **options)
    kerascam.explain_dataset(explainer, place / "photos", tmp_path / "one", **SIZES)
    store = Store(tmp_path / "two")
    job, settings = job_on(explainer_of(model, **options), place, store)

    def work(own):
        monkeypatch.chdir("/")
        write = ShardWriter(sent(job, store, own, pickle))
        for number in reversed(list(missing(job, store, own))):
            files = pickle.dumps(job.items.part(job.shard(number)))
            batch = {"shard": [number], "files": [files]}
            assert write(batch) == {"shard": [number]}
            before = store.shard(number).stat().st_mtime_ns
            write(batch)
            assert store.shard(number).stat().st_mtime_ns == before
        (store.folder / ".shard-00001.parquet.0a1b2c.part").write_bytes(b"given up")
        (store.folder / ".shard-mine.part").write_bytes(b"mine")

    begin_and(job, store, settings, work)
    assert shards(tmp_path / "two") == shards(tmp_path / "one")
    hidden = {path.name for path in store.folder.iterdir() if path.name.startswith(".")}
    assert hidden == {".shard-mine.part"}


def test_a_writer_elsewhere_must_be_of_the_same_kind_and_see_the_folder(model, place, tmp_path):
    store = Store(tmp_path / "out")
    job, _ = job_on(explainer_of(model), place, store)
    own = store.begin({"any": 1}, {})
    given = sent(job, store, own, pickle)
    with pytest.raises(ValueError, match="worker on .*: keras was .0.1. and is .*Install the same"):
        ShardWriter(given._replace(versions={**given.versions, "keras": "0.1"}))
    with pytest.raises(ValueError, match="is not the survey's folder here: give a folder that all"):
        ShardWriter(given._replace(folder=str(tmp_path / "elsewhere")))
    with pytest.raises(ValueError, match="is not the survey's folder here"):
        ShardWriter(given._replace(own="another"))


# ------------------------------------------------------------------------------- what is asked for


def node(processors, gpus=0, alive=True):
    return {"Alive": alive, "Resources": {"CPU": processors, "GPU": gpus, "memory": 1e9}}


@pytest.mark.parametrize(
    ("nodes", "asked", "count"),
    [
        ([node(3)], {"workers": 2}, 2),
        ([node(8)], {}, 1),
        ([node(8), node(8), node(8, alive=False)], {}, 2),
        ([node(8, 4), node(8)], {"gpus_per_worker": 1}, 4),
        ([node(8, 4)], {"gpus_per_worker": 0.5}, 7),  # a processor each, and one is left
        ([node(16, 3)], {"gpus_per_worker": 0.4}, 6),
        ([node(16, 8), node(16, 3)], {"gpus_per_worker": 2}, 5),
        ([node(1), node(1), node(1)], {"workers": 2}, 2),
    ],
)
def test_workers_that_machines_have_room_for(nodes, asked, count):
    assert settled(RayWorkers(**asked), nodes) == count


@pytest.mark.parametrize(
    ("nodes", "asked", "message"),
    [
        ([node(2)], {"workers": 2}, "at most 1, not 2: Ray has 1 machine with 2 processors and 0"),
        ([node(1)], {}, "which is too little for one worker"),
        ([], {}, "Ray has 0 machines with 0 processors"),
        ([node(8)], {"gpus_per_worker": 1}, "one needs 1 processor and 1 GPUs on one machine"),
        # Two GPUs in all, but no machine has both.
        ([node(8, 1), node(8, 1)], {"gpus_per_worker": 2}, "too little for one worker"),
        ([node(8, 1)], {"gpus_per_worker": 0.5, "workers": 3}, "at most 2, not 3"),
    ],
)
def test_what_would_wait_for_ever_is_refused(nodes, asked, message):
    with pytest.raises(ValueError, match=message):
        settled(RayWorkers(**asked), nodes)


@pytest.mark.usefixtures("unchecked")
def test_mistakes(model, place, tmp_path):
    for arguments, message in (
        ({"workers": 0}, "workers must be at least 1"),
        ({"gpus_per_worker": 1.5}, "a whole number or a share of one, not 1.5"),
        ({"gpus_per_worker": -1}, "a whole number or a share of one"),
    ):
        with pytest.raises(ValueError, match=message):
            RayWorkers(**arguments)
    with pytest.raises(TypeError, match="address must be"):
        RayWorkers(None)
    options = {"out": tmp_path, "workers": 2}
    with pytest.raises(TypeError, match=r"workers must be RayWorkers\(...\) or None, not 2"):
        kerascam.explain_dataset(explainer_of(model), place / "photos", **options)
    batches = tf.data.Dataset.from_tensor_slices(np.zeros((2, 12, 12, 3))).batch(2)
    options["workers"] = RayWorkers()
    with pytest.raises(TypeError, match="images must be files for workers"):
        kerascam.explain_dataset(explainer_of(model), batches, **options)


def test_where_no_cluster_is_none_is_waited_for(model, place, tmp_path):
    pytest.importorskip("ray")
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(
            ConnectionError, match=f"'{address}': no cluster of Ray lets us in there .*refused"
        ):
            kerascam.explain_dataset(
                explainer_of(model), place / "photos", tmp_path, workers=RayWorkers(address)
            )


def test_the_extra_is_named_if_ray_is_missing(model, place, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs the package 'ray'; pip install"):
        kerascam.explain_dataset(
            explainer_of(model), place / "photos", tmp_path, workers=RayWorkers()
        )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "2"], "--workers needs --ray ADDRESS"),
        (["--gpus-per-worker", "1"], "--gpus-per-worker needs --ray ADDRESS"),
        (["--ray", "local", "--gpus-per-worker", "1.5"], "a whole number or a share of one"),
    ],
)
def test_mistakes_of_the_command(place, tmp_path, capsys, words, message):
    command = ["survey", str(place / "model.keras"), str(place / "photos"), *words]
    assert main([*command, "--out", str(tmp_path / "never")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "never").exists()


# --------------------------------------------------------------------------- rows for any engine


def test_rows_of_a_batch_are_those_of_the_survey(model, place, made):
    explain = pickle.loads(pickle.dumps(kerascam.RowExplainer(explainer_of(model), batch_size=4)))
    table = pa.concat_tables(
        pa.parquet.read_table(path, partitioning=None) for path in sorted(made.folder.glob("s*-*"))
    ).replace_schema_metadata(None)
    files = [str(place / "photos" / key) for key in table["key"].to_pylist()]
    own = explain(files, table["label"].to_pylist())
    assert own.schema == explain.schema == table.drop_columns("position").schema
    assert explain([]).num_rows == 0 and own["key"].to_pylist() == files
    exact = ("label", "label_class", "class", "class_name", "status", "error", "map_scale")
    for name in exact:
        assert own[name].to_pylist() == table[name].to_pylist(), name
    close = ("probability", "score", "heat_border", "heat_entropy", "relevance_scale")
    for name in close:
        pairs = zip(own[name].to_pylist(), table[name].to_pylist(), strict=True)
        assert all(a == b or abs(a - b) < 1e-5 for a, b in pairs), name
    assert own["status"].to_pylist().count("unreadable") == 1


def test_rows_of_arrays(model, place, made):
    good = [made.path(index) for index in range(len(made))]
    images = kerascam.load_images(good, model).images
    explain = kerascam.RowExplainer(explainer_of(model))
    table = explain(images, made.column("label_class").astype(int))
    assert table["key"].to_pylist() == [str(place) for place in range(len(made))]
    assert table["label_class"].to_pylist() == made.column("label_class").tolist()
    own = np.array(table["map"].to_pylist(), np.float64) * table["map_scale"].to_numpy()[:, None]
    np.testing.assert_allclose(own, made.maps().reshape(own.shape), atol=2e-3 * own.max())
    with pytest.raises(ValueError, match="labels must be one for each of the 2 images, not 1"):
        explain(images[:2], [0])
    all_bad = explain([str(place / "photos" / "bee" / "00.jpg")])
    assert all_bad.schema == table.schema and all_bad["class"].to_pylist() == [None]


# A program whose layer, method, target and preprocessing no other process can import.
PROGRAM = """
import sys
import keras, numpy as np
from keras import ops
import kerascam
from kerascam.registry import METHODS
from ray import cloudpickle

@keras.saving.register_keras_serializable("own")
class Twice(keras.layers.Layer):
    def __init__(self, factor=2, **arguments):
        super().__init__(**arguments)
        self.factor = factor
    def call(self, x):
        return self.factor * x
    def get_config(self):
        return {**super().get_config(), "factor": self.factor}

@keras.saving.register_keras_serializable()
class Plain(keras.layers.Layer):
    def call(self, x):
        return x + 1

@keras.saving.register_keras_serializable("own")
def bent(x):
    return ops.maximum(x, 0.25 * x)

def mine(outputs, classes):
    return 3 * kerascam.targets.logit(outputs, classes)

@METHODS.register(title="Mine", class_name="Mine", citation=None)
def mine_cam(activations, gradients):
    "Sum of activations times gradients."
    return ops.relu(ops.sum(activations * gradients, -1))

scale = 255

keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((12, 12, 3)), Twice(3), Plain(), keras.layers.Conv2D(4, 3, activation=bent),
    keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, activation="softmax")])
explain = kerascam.RowExplainer(
    kerascam.Explainer(model, "mine_cam", target=mine), preprocess=lambda pixels: pixels / scale)
with open(sys.argv[1] + "/explain", "wb") as file:
    file.write(cloudpickle.dumps(explain))
table = explain(np.random.default_rng(0).random((3, 12, 12, 3)))
with open(sys.argv[1] + "/table", "wb") as file:
    file.write(cloudpickle.dumps(table))
"""


def test_what_stands_in_a_program_goes_to_other_processes(tmp_path):
    cloudpickle = pytest.importorskip("ray.cloudpickle")
    subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], check=True)
    known = dict(keras.saving.get_custom_objects())
    try:
        explain = cloudpickle.loads((tmp_path / "explain").read_bytes())
        table = explain(np.random.default_rng(0).random((3, 12, 12, 3)))
    finally:
        keras.saving.get_custom_objects().clear()
        keras.saving.get_custom_objects().update(known)
    assert table.equals(pickle.loads((tmp_path / "table").read_bytes()))


# --------------------------------------------------------------------------------------- with Ray


@pytest.fixture(scope="module")
def cluster():
    """Ray with room for two workers; what it starts costs seconds, and is shared."""
    ray = pytest.importorskip("ray")
    pytest.importorskip("ray.data")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_BACKEND_LOG_LEVEL"] = "fatal"
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - as Ray spells it
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
    ray.init("local", num_cpus=3, **quiet)
    yield ray
    ray.shutdown()


def by_ray(model, place, out, workers=2, **options):
    workers = RayWorkers(workers=workers)
    return kerascam.explain_dataset(
        explainer_of(model), place / "photos", out, workers=workers, **SIZES, **options
    )


def test_two_workers_write_the_same_bytes_as_one_process(
    model, place, made, tmp_path, monkeypatch, cluster
):
    monkeypatch.chdir(place)
    seen = []
    survey = by_ray(model, place, tmp_path, progress=lambda *done: seen.append(done))
    assert shards(tmp_path) == shards(made.folder) and len(shards(tmp_path)) == 4
    assert survey.failures() == made.failures() and len(survey.failures()) == 1
    assert seen[0] == (0, 21) and seen[-1] == (21, 21) and len(seen) == 5


@proof
def test_a_survey_that_one_process_has_begun_goes_on_with_workers(
    model, place, made, tmp_path, cluster
):
    for name, content in shards(made.folder).items():
        if name != "shard-00002.parquet":
            (tmp_path / name).write_bytes(content)
    (tmp_path / "survey.json").write_bytes((made.folder / "survey.json").read_bytes())
    before = (tmp_path / "shard-00000.parquet").stat().st_mtime_ns
    by_ray(model, place, tmp_path)
    assert shards(tmp_path) == shards(made.folder)
    assert (tmp_path / "shard-00000.parquet").stat().st_mtime_ns == before


@proof
def test_a_worker_that_is_killed_is_started_again(model, place, tmp_path, cluster):
    here, died = os.getpid(), str(tmp_path / "died")

    def mortal(pixels):
        if os.getpid() != here and not os.path.exists(died):
            with open(died, "w"):
                os.kill(os.getpid(), signal.SIGKILL)
        return pixels

    by_ray(model, place, tmp_path / "two", preprocess=mortal)
    assert os.path.exists(died)
    kerascam.explain_dataset(
        explainer_of(model), place / "photos", tmp_path / "one", preprocess=mortal, **SIZES
    )
    assert shards(tmp_path / "two") == shards(tmp_path / "one")


@proof
def test_a_worker_that_always_dies_ends_the_call_and_nothing_else(model, place, tmp_path, cluster):
    here, allowed = os.getpid(), str(tmp_path / "allowed")

    def mortal(pixels):
        if os.getpid() != here and not os.path.exists(allowed):
            os.kill(os.getpid(), signal.SIGKILL)
        return pixels

    with pytest.raises(RuntimeError, match="a worker of Ray failed; what .* was begun 4 times"):
        by_ray(model, place, tmp_path / "out", preprocess=mortal)
    assert not (tmp_path / "out" / "manifest.json").exists()
    with open(allowed, "w"):
        assert len(by_ray(model, place, tmp_path / "out", preprocess=mortal)) == 20


@proof
def test_an_error_of_a_worker_is_the_calls_own(model, place, tmp_path, cluster):
    here = os.getpid()

    def wrong(pixels):
        if os.getpid() != here:
            raise ValueError("pixels do not please me")
        return pixels

    with pytest.raises(ValueError, match="^pixels do not please me$"):
        by_ray(model, place, tmp_path / "out", preprocess=wrong)
    assert not shards(tmp_path / "out")


def test_more_workers_than_ray_has_room_for_are_refused(model, place, tmp_path, cluster):
    with pytest.raises(ValueError, match="workers must be at most 2, not 3: Ray has 1 machine"):
        by_ray(model, place, tmp_path / "out", workers=3)
    assert not (tmp_path / "out" / "survey.json").exists()


@proof
def test_the_command_with_ray_of_its_own_writes_the_same(place, made, tmp_path):
    pytest.importorskip("ray.data")
    command = [sys.executable, "-m", "kerascam", "survey", "model.keras", "photos"]
    command += ["--class-names", "names.txt", "--batch-size", "4", "--shard-size", "6"]
    command += ["--no-study", "--ray", "local", "--workers", "2", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr  # one file cannot be read
    assert "20 of 21 images" in done.stderr and done.stdout == ""
    assert shards(tmp_path) == shards(made.folder)
