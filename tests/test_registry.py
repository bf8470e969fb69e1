"""The table of methods: what is entered is found, and what is not is named."""

import subprocess
import sys
from pathlib import Path

import pytest

import kerascam
from kerascam.registry import METHODS, Citation, Method, Registry, plain_form


def filled():
    registry = Registry("method")

    @registry.register(title="Plain", class_name="Plain", citation=None)
    def plain(gradient, images, localization, *, steps=3, localizer="other"):
        """Take the first line.

        Not the second.
        """

    @registry.register(title="Other CAM++", class_name="Other", citation=None, signed=True)
    def another(activations, gradients):
        """Do another thing."""

    return registry, plain, another


def test_functions_are_found_under_their_names_in_order():
    registry, plain, another = filled()
    assert list(registry) == ["plain", "another"] and len(registry) == 2
    assert "plain" in registry and "simple" not in registry
    assert registry["plain"].function is plain and registry["another"].function is another
    assert registry["plain"] == Method("plain", "Plain", "Plain", plain, None)
    assert registry["another"].signed
    assert [method.title for method in registry.values()] == ["Plain", "Other CAM++"]


def test_a_decorated_function_stays_itself():
    _, plain, _ = filled()
    assert plain.__name__ == "plain" and plain(None, None, None) is None


def test_facts_read_from_the_function():
    registry, _, _ = filled()
    plain, another = registry["plain"], registry["another"]
    assert plain.summary == "Take the first line."
    assert plain.options == {"steps": 3, "localizer": "other"} and another.options == {}
    assert plain.needs == ("gradient", "images", "localization")
    assert plain.of_layers and plain.of_pixels and not plain.of_each_layer
    assert another.of_layers and another.of_each_layer and not another.of_pixels


@pytest.mark.parametrize(
    "spelling",
    ["another", "Another", "Other", "other", "Other CAM++", "other-cam++", "OtherCAMPlusPlus"],
)
def test_a_name_is_taken_as_people_write_it(spelling):
    registry, _, another = filled()
    assert registry[spelling].function is another and spelling in registry


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("GradCAM", "grad_cam"),
        ("Grad-CAM", "grad_cam"),
        ("grad cam", "grad_cam"),
        ("Grad-CAM++", "grad_cam_plus_plus"),
        ("GradCAMPlusPlus", "grad_cam_plus_plus"),
        ("gradcam++", "grad_cam_plus_plus"),
        ("gradient*input", "gradient_times_input"),
        ("Gradient x Input", "gradient_times_input"),
        ("IG", "integrated_gradients"),
        ("HSIC", "hsic_attribution"),
        ("xyz", None),
        ("Gradient × input", "gradient_times_input"),
        ("integrated gradients", "integrated_gradients"),
    ],
)
def test_the_methods_names(spelling, name):
    if name is None:
        assert spelling not in METHODS
    else:
        assert METHODS[spelling].name == name


def test_every_spelling_is_of_one_method():
    spellings = []
    for method in METHODS.values():
        own = (method.title, method.class_name, method.name, *method.aliases)
        spellings += {plain_form(each) for each in own}
        assert all(METHODS[each] is method for each in own)
        assert METHODS[method.title] is METHODS[method.class_name] is METHODS[method.name] is method
    assert len(spellings) == len(set(spellings))


def test_a_name_is_taken_once():
    registry, plain, _ = filled()
    with pytest.raises(ValueError, match="a method named 'plain' is registered already"):
        registry.register(title="", class_name="", citation=None)(plain)
    assert len(registry) == 2


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("plane", "did you mean 'plain'?"),
        ("Anothr", "did you mean 'another'?"),
        ("Othre CAM", "did you mean 'another'?"),
        ("zzz", "one of: plain, another"),
        ("oth", "did you mean 'another'?"),
        (7, "one of: plain, another"),
        (None, "one of: plain, another"),
    ],
)
def test_an_unknown_name(name, hint):
    with pytest.raises(ValueError, match=f"method must be a registered name, not {name!r}; {hint}"):
        filled()[0][name]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", [["plain"], {}], ids=str)
def test_what_is_no_name_at_all(name):
    with pytest.raises((TypeError, ValueError), match="method must be a registered name"):
        filled()[0][name]


def test_it_is_a_mapping_like_any_other():
    registry = filled()[0]
    assert registry.get("plain") is registry["plain"]
    assert registry.get("nothing") is None
    assert dict(registry) == dict(registry.items())


@pytest.mark.parametrize(
    ("authors", "short"),
    [
        ("Doe", "Doe, 2020"),
        ("Doe and Roe", "Doe and Roe, 2020"),
        ("Doe, Roe and Poe", "Doe et al., 2020"),
        ("van der Doe, Roe, Poe and Loe", "van der Doe et al., 2020"),
    ],
)
def test_a_citation_in_short(authors, short):
    assert Citation(authors, 2020, "On maps", "Somewhere", "https://example.org").short == short


def test_the_methods_stand_in_the_order_that_people_expect():
    assert list(METHODS)[:5] == [
        "grad_cam",
        "grad_cam_plus_plus",
        "hires_cam",
        "layer_cam",
        "xgrad_cam",
    ]
    assert list(METHODS)[-1] == "hsic_attribution"
    stub = Path(kerascam.__file__).with_suffix(".pyi").read_text()
    assert len(METHODS) == stub.count("from .methods.")


ORDER = """
import sys
from kerascam.registry import METHODS
assert "tensorflow" not in sys.modules
assert METHODS["Grad-CAM"].name == "grad_cam" and len(METHODS) > 28
"""


def test_it_fills_itself_when_it_is_first_asked():
    """In a fresh process that imported the registry alone."""
    subprocess.run([sys.executable, "-c", ORDER], check=True)
