"""The commands of docs/serving.md, run as they stand against the development server."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import cv2
import pytest

import kerascam
from kerascam.serving import running_server
from scene_classification import load_reference_model, reference_classes
from scene_classification.explanation.photographs import shipped_photographs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "serving.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the commands need curl")
def test_the_commands_do_what_the_page_says(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    (tmp_path / "work").mkdir()
    model = load_reference_model()
    code = example.replace('"models/scenes"', repr(str(tmp_path / "models" / "scenes")))
    exec(compile(code, str(PAGE), "exec"), {"model": model})
    photo = shipped_photographs()["china.jpg"]
    cv2.imwrite(str(tmp_path / "work" / "photo.jpg"), photo[..., ::-1])

    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    outputs = []
    with running_server(tmp_path / "models" / "scenes", "scenes") as url:
        for block in blocks:
            script = re.sub(r"^   ", "", block, flags=re.MULTILINE)
            script = script.replace("http://localhost:8501", url)
            done = subprocess.run(
                ["sh", "-e", "-c", script], cwd=tmp_path / "work", capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            outputs.append(done.stdout)
    status, _, looked, _, predicted = outputs

    assert json.loads(status)["model_version_status"][0]["state"] == "AVAILABLE"
    name, probability, state = looked.split()
    assert (name, state) == ("buildings", "ok")
    assert json.loads(predicted)["outputs"]["class_name"] == ["buildings"]
    assert json.loads(predicted)["outputs"]["probabilities"][0][0] == pytest.approx(
        float(probability), abs=1e-5
    )
    answer = json.loads((tmp_path / "work" / "sea-answer.json").read_text())["predictions"][0]
    assert answer["class_name"] == reference_classes()[4] == "sea"
    drawn = cv2.imread(str(tmp_path / "work" / "overlay.png"))
    assert drawn.shape == (171, 256, 3)
    assert kerascam.__version__ in (tmp_path / "models/scenes/1/assets/manifest.json").read_text()
