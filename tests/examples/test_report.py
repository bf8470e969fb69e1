"""The report: one file that needs no other, tells what the run found, and trusts no name."""

import base64
import json
import re
import shlex
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_sample_image
from small_evaluation import evaluation_of

from scene_classification.config import Config
from scene_classification.data.audit import Audit
from scene_classification.data.examine import Examined
from scene_classification.evaluation.metrics import measure
from scene_classification.evaluation.mistakes import confused_pairs, describe, worst_positions
from scene_classification.evaluation.network import describe_network
from scene_classification.explanation.measurement import summarize
from scene_classification.networks.depth import depth_in_words
from scene_classification.networks.description import StageFacts
from scene_classification.networks.residual import residual_network
from scene_classification.pictures.numbers import NO_BREAK, interval, percent, span
from scene_classification.report.made import commands
from scene_classification.report.numbers import count
from scene_classification.report.pictures import embed
from scene_classification.report.problems import problems
from scene_classification.report.step import write_report
from scene_classification.run_folder import RunFolder

HOSTILE = "<script>alert(1)</script>"
PARTS = (
    *("config", "data", "network", "metrics", "explanations"),
    *("surveyed", "photographs", "served"),
)
PICTURES = (
    *("methods", "samples", "counts", "evidence", "problems", "augmented", "training"),
    *("confusion", "per_class", "roc", "reliability", "evidence_share", "explain_mistakes"),
    *("mistakes", "photographs", "served", "blocks", "depth"),
)
VOID = {"meta", "link", "img", "input", "br", "hr"}


class Page(HTMLParser):
    """Checks that tags are balanced, and keeps the elements, the text and the identifiers."""

    def __init__(self, html):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self):
        """The words, parted by one space, be it one that breaks a line or not."""
        return " ".join(" ".join(self.words).split())

    def attributes(self, name):
        return [(tag, own[name]) for tag, own in self.elements if name in own]


def png(height=24, width=32):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def audited(classes):
    """One unreadable file, one of odd size, an image under two labels and one thrice in a class."""
    root = Path("/scenes")

    def file(name, split, label, **facts):
        folder = root / f"seg_{split}" / f"class{label}"
        return Examined(folder / name, split, label, **facts)

    files = [
        file(f"{number}.jpg", split, label, size=(9, 12), pixels=f"{split} {label} {number}")
        for split in ("train", "test")
        for label in range(len(classes))
        for number in range(4)
    ]
    files += [
        file("broken.jpg", "train", 0, error="it is not an image"),
        file("odd.jpg", "train", 0, size=(7, 7), pixels="odd"),
        file(f"{HOSTILE[:8]}.jpg", "train", 0, size=(9, 12), pixels="twice"),
        file("again.jpg", "train", 1, size=(9, 12), pixels="twice"),
        *(file(f"copy{n}.jpg", "train", 1, size=(9, 12), pixels="copied") for n in range(3)),
    ]
    return Audit(root, classes, tuple(files)).to_json()


def measured(classes):
    """All images of the first class are right, one in four of the others is taken for it."""
    labels = np.repeat(np.arange(len(classes)), 8)
    answers = np.where(np.arange(len(labels)) % 4, labels, 0)
    probabilities = np.full((len(labels), len(classes)), 0.1 / (len(classes) - 1), np.float32)
    probabilities[np.arange(len(labels)), answers] = 0.9
    metrics = measure(labels, probabilities, classes, resamples=50)
    worst = worst_positions(labels, probabilities, 3)
    paths = [f"seg_test/{HOSTILE}/{number}.jpg" for number in range(len(labels))]
    return {
        **metrics,
        "worst_mistakes": describe(worst, paths, labels, probabilities, classes),
        "confused_pairs": confused_pairs(metrics["confusion"], classes, 5),
    }


def explained(classes):
    def values(low):
        shares = np.linspace(low, low + 0.2, 12)
        return np.stack([shares, np.rint(shares)])

    baselines = {"uniform": values(0.1), "centered_gaussian": values(0.2)}
    labels = np.arange(12) % len(classes)
    fact = {
        "title": "Grad-CAM",
        "summary": "Weigh <b>each</b> feature map.",
        "citation": "Selvaraju et al., 2017",
        "url": "https://arxiv.org/abs/1610.02391",
        "layer": "last",
        "notes": ["layer last was chosen"],
    }
    plain = {**fact, "title": "Saliency", "citation": None, "url": None, "layer": None}
    example = {"image": "a.jpg", "probability": 0.5, "predicted": classes[0]}
    return {
        "seed": 0,
        "methods": {"grad_cam": fact, "saliency": plain | {"notes": []}},
        "examples": [{**example, "class": name} for name in classes for _ in range(2)],
        "mistakes": [],
        "evidence": summarize(
            evaluation_of({"grad_cam": values(0.5), "saliency": values(0.3)}, baselines, labels),
            classes,
        ),
    }


def stage(*values):
    return StageFacts(*values)._asdict()


@cache
def findings(classes):
    """What the steps of a run find, as the text of JSON."""
    used = dict.fromkeys(classes, 1500)
    splits = {"training": used, "validation": used, "test": used}
    rest = {"unused": {"unlabelled": 0}, "pictures": {}}
    data = {"source": "folder", "audit": audited(classes), "used": splits, **rest}
    return json.dumps(
        {
            "data": data,
            "network": {
                "image_size": 96,
                "parameters": 1_259_878,
                "averaged": True,
                "stages": [
                    stage(HOSTILE, (24, 24, 32), 0, 992, 7),
                    stage("stage 1", (24, 24, 32), 1, 18_688, 23),
                    stage("head", (6,), 0, 1_158, None),
                ],
            },
            "metrics": measured(classes),
            "explanations": explained(classes),
            "surveyed": {
                "network": "own",
                "method": "Grad-CAM",
                "images": 24,
                "unreadable": 1,
                "suspects": [f"{HOSTILE}: a frame"],
                "notes": [],
                "page": "survey/survey.html",
            },
            "photographs": {
                "china.jpg": {"class": classes[0], "probability": 0.25, "layer": "last"}
            },
            "served": {
                "photograph": "china.jpg",
                "class": classes[1],
                "probability": 0.75,
                "method": "Grad-CAM",
                "layer": "last",
                "version": "3",
                "requests": 5,
                "seconds": 0.0834,
                "bytes": 300_000,
            },
        }
    )


def fill(run, classes):
    """Write a whole run, as its steps write it."""
    Config(source="folder", data=f"/home/someone/{HOSTILE[:8]}", epochs=2).write(run.config)
    found = json.loads(findings(classes))
    for name, part in found.items():
        (run.root / f"{name}.json").write_text(json.dumps(part))
    run.log("train").write_text(
        "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.5,0.61,1.25\n1,0.75,1,NA,NA\n"
    )
    for name in (*PICTURES, "explain_sea"):
        (run.pictures / f"{name}.png").write_bytes(png())
    return found


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "try me")


@pytest.fixture
def whole(run):
    return fill(run, ("sea", HOSTILE, "forest"))


def read(run):
    return Page(write_report(run).read_text(encoding="utf-8"))


def test_nothing_comes_from_elsewhere(run, whole):
    page = read(run)
    assert all(source.startswith("data:image/webp;") for _, source in page.attributes("src"))
    assert all(tag == "a" or link == "data:," for tag, link in page.attributes("href"))
    html = run.report.read_text(encoding="utf-8")
    assert not re.search(r"@import|url\(|srcset|<(iframe|object|embed|base)\b", html)


def test_links_within_the_page_arrive(run, whole):
    page = read(run)
    names = [name for _, name in page.attributes("id")]
    inside = [link[1:] for _, link in page.attributes("href") if link.startswith("#")]
    assert len(names) == len(set(names))
    assert set(inside) <= set(names) and {"data", "training", "mistakes", "made"} <= set(inside)


def test_every_picture_is_there_decodes_and_is_described(run, whole):
    images = [own for tag, own in read(run).elements if tag == "img"]
    assert len(images) == len(PICTURES) + 1
    for own in images:
        data = base64.b64decode(own["src"].partition(",")[2])
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert pixels.shape == (int(own["height"]), int(own["width"]), 3)
        assert len(own["alt"]) > 20


def test_figures_are_those_of_the_run(run, whole):
    text = read(run).text
    metrics, evidence = whole["metrics"], whole["explanations"]["evidence"]
    inside = evidence["methods"]["grad_cam"]["share_inside"]
    # One in four of 16 images of two classes was taken for the first: 20 of 24 are right.
    assert metrics["accuracy"]["value"] == 20 / 24
    assert f"Test accuracy 83.3 % {span(metrics['accuracy'])}" in text
    assert "on 24 images; by chance, 33.3 %" in text
    # The mean of 0.5 … 0.7, against 0.1 … 0.3.
    assert f"Heat on evidence 60.0 % {span(inside)}" in text
    assert "of a uniform map, 20.0 %" in text and "+40.0 (+40.0 to +40.0)" in text
    assert "Images trained on 4,500" in text
    for one in metrics["per_class"].values():
        for score in ("precision", "recall", "f1"):
            told = f"{percent(one[score]['value'])} ({span(one[score])})"
            assert told.replace(NO_BREAK, " ") in text
    assert "The best validation accuracy, 61.0 %, came after epoch 1 of 2" in text
    assert "train 2 1.000 0.750 — —" in text


def test_the_survey_is_linked_with_what_it_suspects(run, whole):
    page = read(run)
    assert ("a", "survey/survey.html") in page.attributes("href")
    assert (
        "Grad-CAM of 24 images, of each for the class that was answered; 1 file could" in page.text
    )
    assert f"{HOSTILE}: a frame" in page.text and "a person decides" in page.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"suspects": []}, "Nothing of that, put into images of other classes"),
        ({"suspects": [], "notes": ["cues were not tried"]}, "cues were not tried"),
    ],
)
def test_a_survey_without_suspects_says_whether_any_were_looked_for(run, whole, changed, said):
    found = whole["surveyed"] | changed
    (run.root / "surveyed.json").write_text(json.dumps(found))
    text = read(run).text
    assert said in text and "a person decides" not in text


def test_data_is_told_in_sentences():
    sentences = problems(audited(("sea", "forest")))
    assert [one.replace(NO_BREAK, " ") for one in sentences] == [
        "The classes are in balance, by a limit of 1.5 times: the largest, forest, has 1.14 times "
        "the training images of the smallest, sea.",
        "1 file cannot be decoded and was left out.",
        "21 images measure 12 × 9 pixels; 1 image of other sizes was resized, like all "
        "that do not fit the network.",
        "2 images are there more than once: 1 under two labels and 1 more than once to learn from.",
        "5 files were left out: 2 with a copy under another label, 2 with a copy in the same class "
        "and 1 unreadable.",
    ]


def test_names_are_never_markup(run, whole):
    html = write_report(run).read_text(encoding="utf-8")
    assert HOSTILE not in html and "<b>each</b>" not in html
    assert html.count("<script>") == 1
    assert HOSTILE in Page(html).text


def test_a_report_tells_no_folder_of_its_maker(run, whole):
    html = write_report(run).read_text(encoding="utf-8")
    assert "/home/someone" not in html and str(run.root.parent) not in html
    assert "--run 'try me'" in read(run).text


def test_commands_go_on_with_the_run_from_where_they_are_typed(run, whole, monkeypatch):
    folder = run.root.parent
    for here, named in ((folder, "'try me'"), (folder.parent, f"'{folder.name}/try me'")):
        monkeypatch.chdir(here)
        assert f"python -m scene_classification run --run {named}" in read(run).text
    (folder / "beside").mkdir()
    monkeypatch.chdir(folder / "beside")
    assert "python -m scene_classification run --run 'try me'" in read(run).text


@pytest.mark.parametrize("missing", PARTS)
def test_one_part_may_be_missing(run, whole, missing):
    (run.root / f"{missing}.json").unlink()
    read(run)


@pytest.mark.parametrize("present", [None, *PARTS])
def test_one_part_is_enough(run, whole, present):
    for name in PARTS:
        if name != present:
            (run.root / f"{name}.json").unlink()
    run.log("train").unlink()
    text = read(run).text
    commands = {
        "data": "data", "evaluate": "metrics", "explain": "explanations", "train": "train",
    }  # fmt: skip
    for step, part in commands.items():
        told = f"python -m scene_classification {step} --run" in text
        assert told == (part != present)


def test_the_network_is_told_stage_by_stage_and_how_it_learns(run, whole):
    text = read(run).text
    assert "1,259,878 weights, for images of 96 × 96 pixels" in text
    assert "stage 1 24 × 24 × 32 1 18,688 23 × 23" in text
    assert "head 6 — 1,158 all" in text
    assert "averages 2 × 2 cells" in text and "lattice" not in text
    assert "The learning rate rises to 0.002 over the first epoch and falls to 0" in text
    assert depth_in_words() in text
    (run.root / "network.json").write_text(json.dumps(whole["network"] | {"averaged": False}))
    assert "maps of the layer before show a lattice" in read(run).text


def test_a_network_is_described_as_it_is_and_a_backbone_not_at_all(run):
    network = residual_network("tiny", input_shape=(64, 64, 3), projection="strided")
    found = describe_network(network, run, "own")
    assert json.loads(json.dumps(found)) == json.loads((run.root / "network.json").read_text())
    assert found["parameters"] == network.count_params() and not found["averaged"]
    assert [one["receptive_field"] for one in found["stages"]] == [7, 23, 47, 95, 159, None]
    (run.root / "network.json").unlink()
    plain = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    assert describe_network(plain, run, "own") is None
    assert not (run.root / "network.json").exists()


def test_the_command_that_repeats_a_run_can_be_pasted(run, whole):
    command = commands(Config.read(run.config), "try me")["run"]
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:6] == ["python", "-m", "scene_classification", "run", "--run", "try me"]
    assert words[words.index("--data") + 1] == f"path/to/{HOSTILE[:8]}"
    assert "put where your own files lie in place of path/to" in read(run).text


def test_the_lattice_is_explained_where_it_is_seen(run, whole):
    told = "The dots of LayerCAM and of the guided methods are a mark of this network"
    assert told not in read(run).text
    (run.root / "network.json").write_text(json.dumps(whole["network"] | {"averaged": False}))
    assert told in read(run).text


def test_a_measured_model_was_not_trained_here(run, whole):
    run.log("train").unlink()
    Config(model="reference").write(run.config)
    used = whole["data"]["used"]
    unused = {"training": {name: 2000 for name in used["test"]}, "unlabelled": 0}
    data = {**whole["data"], "used": {"test": used["test"]}, "unused": unused}
    (run.root / "data.json").write_text(json.dumps(data))
    page = read(run)
    assert "training" not in [name for _, name in page.attributes("id")]
    assert "The reference network does better than chance" in page.text
    assert "Images trained on" not in page.text and "trained in this run" not in page.text
    assert "Images tested on 4,500 and 6,000 to train on, which this run leaves alone" in page.text
    assert "Class Test sea 1,500" in page.text and "all 4,500" in page.text


def test_without_masks_nothing_is_claimed_of_evidence(run, whole):
    explanations = whole["explanations"] | {"evidence": None}
    (run.root / "explanations.json").write_text(json.dumps(explanations))
    text = read(run).text
    assert "Heat on evidence" not in text and "--source drawn" in text


def test_undefined_figures_are_dashes(run, whole):
    metrics = whole["metrics"]
    nothing = dict.fromkeys(("value", "low", "high"))
    metrics["per_class"]["sea"] |= {"precision": nothing, "roc_auc": None}
    (run.root / "metrics.json").write_text(json.dumps(metrics))
    assert "sea 8 — 100.0 % (100.0–100.0)" in read(run).text


def test_a_damaged_picture_is_left_out(run, whole):
    for name, data in (("roc", b""), ("confusion", b"no picture")):
        (run.pictures / f"{name}.png").write_bytes(data)
    assert len([tag for tag, _ in read(run).elements if tag == "img"]) == len(PICTURES) - 1


def test_a_damaged_file_is_named(run):
    (run.root / "metrics.json").write_text("[1")
    with pytest.raises(ValueError, match=r"metrics\.json of this run is no JSON object.*again"):
        write_report(run)


def test_the_same_run_gives_the_same_bytes(run, whole):
    assert write_report(run).read_bytes() == write_report(run).read_bytes()


def test_charts_are_kept_as_they_are_and_photographs_nearly():
    def decoded(picture):
        data = base64.b64decode(picture.source.partition(",")[2])
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)

    chart = np.full((200, 300, 3), 255, np.uint8)
    cv2.line(chart, (10, 190), (290, 20), (0, 0, 200), 2, cv2.LINE_AA)
    assert np.array_equal(decoded(embed(cv2.imencode(".png", chart)[1].tobytes())), chart)
    noise = np.random.default_rng(0).normal(scale=4, size=(200, 300, 3))
    ramp = np.linspace(40, 200, 300)[None, :, None] + noise
    photograph = ramp.clip(0, 255).astype(np.uint8)
    data = cv2.imencode(".png", photograph)[1].tobytes()
    picture = embed(data)
    assert len(picture.source) < len(data) / 4
    assert np.abs(decoded(picture) - ramp).mean() < 4


def test_a_report_stays_below_six_megabytes():
    photo = load_sample_image("china.jpg")
    # Pieces of a photograph, enlarged as on a sheet; a report has fifteen sheets of this size.
    places = np.random.default_rng(0).integers(0, (427 - 100, 640 - 100), (60, 2))
    tiles = [
        cv2.resize(photo[top : top + 100, left : left + 100], (150, 150)) for top, left in places
    ]
    sheet = np.vstack([np.hstack(tiles[row : row + 10]) for row in range(0, 60, 10)])
    assert sheet.shape == (900, 1500, 3)
    assert len(embed(cv2.imencode(".png", sheet)[1].tobytes()).source) < 6e6 / 15


@given(st.floats(0, 1), st.floats(0, 1))
def test_an_interval_is_its_ends(low, high):
    text = span({"value": low, "low": low, "high": high})
    ends = [float(end) / 100 for end in text.split("–")]
    assert ends == pytest.approx([low, high], abs=0.00051)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_figure_is_its_value_and_its_ends(value, low, high):
    text = interval({"value": value, "low": low, "high": high})
    told = [float(part) for part in re.split(r" \(|–|\)", text)[:3]]
    assert told == pytest.approx([100 * value, 100 * low, 100 * high], abs=0.051)


def test_a_figure_without_an_interval_or_a_value_tells_what_there_is():
    assert interval({"value": 0.5, "low": None, "high": None}) == "50.0"
    assert interval(dict.fromkeys(("value", "low", "high"))) == "—"


@given(st.integers(0, 10**12))
def test_thousands_are_parted_and_nothing_else(number):
    assert int(count(number).replace(",", "")) == number
