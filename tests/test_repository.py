"""What a public host reads of this repository parses, and agrees with the rest of it."""

import os
import re
from pathlib import Path

import pytest
import yaml

import kerascam

ROOT = Path(__file__).resolve().parents[1]
GITHUB = ROOT / ".github"
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
# Of the Citation File Format 1.2.0; `authors`, `cff-version`, `message` and `title` must be there.
CFF_KEYS = {
    "abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi",
    "identifiers", "keywords", "license", "license-url", "message", "preferred-citation",
    "references", "repository", "repository-artifact", "repository-code", "title", "type", "url",
    "version",
}  # fmt: skip


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def project_list(name):
    """The texts of a list in pyproject.toml, which Python 3.10 has no reader for."""
    listed = re.search(rf"^{name} = \[\n(.*?)^\]", PROJECT, re.DOTALL | re.MULTILINE)
    return re.findall(r'"(.+?)"', listed[1])


@pytest.fixture(scope="module")
def workflow():
    return read(GITHUB / "workflows" / "ci.yml")


# ------------------------------------------------------------------------------------- workflows


def test_every_python_of_the_classifiers_is_tested(workflow):
    pattern = re.compile(r"Programming Language :: Python :: (3\.\d+)")
    said = [match[1] for text in project_list("classifiers") if (match := pattern.fullmatch(text))]
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python-version"]
    assert tested == said
    assert f'requires-python = ">={said[0]}"' in PROJECT
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    pythons = [step["with"]["python-version"] for step in steps if "setup-python" in str(step)]
    assert all(isinstance(each, str) for each in [*pythons, *tested])  # 3.10 is no number
    assert {each for each in pythons if "matrix" not in each} <= set(said)


def test_workflows_may_read_and_nothing_more(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in workflow["jobs"].values())
    assert workflow["concurrency"]["cancel-in-progress"] is True
    assert all(job["timeout-minutes"] <= 120 for job in workflow["jobs"].values())
    triggers = workflow[True]  # YAML 1.1 reads "on" as a truth value
    assert set(triggers) == {"push", "pull_request", "schedule"}


def test_actions_are_named_by_commit_and_images_by_digest_where_it_is_known(workflow):
    text = (GITHUB / "workflows" / "ci.yml").read_text(encoding="utf-8")
    steps = [step for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert len(steps) == text.count("uses: ")
    versions = re.findall(r"uses: ([\w/-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)\n", text)
    assert len(versions) == len(steps)
    assert len(set(versions)) == 2, "each action in one version"
    compose = ROOT / "examples/scene_classification/deployment/compose.yaml"
    images = {name: service["image"] for name, service in read(compose)["services"].items()}
    assert re.search(r":-v[\d.]+@sha256:[0-9a-f]{64}\}$", images.pop("prometheus"))


def test_the_security_page_tells_from_which_keras_files_are_guarded():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    trust = (ROOT / "src/kerascam/cli/models.py").read_text(encoding="utf-8")
    since = re.search(r"GUARDED_SINCE = \((\d+), (\d+), (\d+)\)", trust).groups()
    assert f"holds from Keras {'.'.join(since)} on" in text
    assert re.search(r"works from Keras ([\d.]+) on", text)[1] in {
        each.removeprefix("keras>=") for each in project_list("dependencies")
    }


def test_workflows_call_targets_that_there_are(workflow):
    runs = [
        step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step
    ]
    made = {target for run in runs for target in re.findall(r"\bmake ([a-z]+)", run)}
    assert made == {"test", "oldest", "proofs"} and made <= TARGETS


def test_the_oldest_versions_are_those_of_pyproject():
    """The script takes a package's first bound; it must be the one of the library itself."""
    script = (ROOT / "scripts" / "check_oldest").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\(oldest ([a-z]+)\)", script)) == {"tensorflow", "keras"}
    required = project_list("dependencies")
    for name in ("tensorflow", "keras"):
        first = re.search(rf'^ *"({name}>=[\d.]*)"', PROJECT, re.MULTILINE)
        assert first[1] in required


# ----------------------------------------------------------------------------------------- hooks


def test_the_hook_is_the_fast_checks():
    (repository,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    (hook,) = repository["hooks"]
    assert repository["repo"] == "local" and hook["language"] == "system"
    assert hook["entry"] == "scripts/check fast"
    assert hook["always_run"] is True and hook["pass_filenames"] is False


@pytest.mark.parametrize("name", ["check", "check_oldest"])
def test_scripts_can_be_run(name):
    assert os.access(ROOT / "scripts" / name, os.X_OK)


def test_contributing_names_the_targets_that_there_are():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z]+)", text))
    assert named <= TARGETS
    assert {"hooks", "oldest", "peers"} <= named


# --------------------------------------------------------------------------------- who and how


def test_the_citation_is_of_this_version():
    cited = read(ROOT / "CITATION.cff")
    assert set(cited) <= CFF_KEYS
    assert cited["cff-version"] == "1.2.0" and cited["type"] == "software"
    assert cited["title"] == "kerascam" and cited["message"]
    assert cited["version"] == kerascam.__version__
    assert f'license = "{cited["license"]}"' in PROJECT
    assert cited["keywords"] == project_list("keywords")
    assert [author["name"] for author in cited["authors"]] == ["kerascam contributors"]


def test_what_the_texts_link_to_is_there():
    for path in (ROOT / "SECURITY.md", GITHUB / "pull_request_template.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
        assert all((ROOT / link).exists() for link in links), path.name
    form = (GITHUB / "ISSUE_TEMPLATE" / "wrong_map.yml").read_text(encoding="utf-8")
    assert all((ROOT / name).exists() for name in re.findall(r"`(docs/\S+\.md)`", form))


def test_the_security_page_names_what_the_command_line_has():
    from kerascam.cli.parser import parse

    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    options = set(re.findall(r"`(--[a-z]+)`", text))
    assert options == {"--unsafe", "--import"}
    parsed = parse(["explain", "m.keras", "a.png", "--unsafe", "--import", "own"])
    assert parsed.unsafe is True and parsed.imports == ["own"]
