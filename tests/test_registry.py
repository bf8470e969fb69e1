"""The table of methods: what is entered is found, and what is not is named."""

import pytest

from kerascam.registry import METHODS, Citation, Method, Registry


def filled():
    registry = Registry("method")

    @registry.register(kind="gradient", title="Plain", class_name="Plain", citation=None)
    def plain(gradient, images, *, steps=3, localization=None):
        """Take the first line.

        Not the second.
        """

    @registry.register(kind="cam", title="Other", class_name="Other", citation=None, signed=True)
    def another(activations, gradients):
        """Do another thing."""

    return registry, plain, another


def test_functions_are_found_under_their_names_in_order():
    registry, plain, another = filled()
    assert list(registry) == ["plain", "another"] and len(registry) == 2
    assert "plain" in registry and "simple" not in registry
    assert registry["plain"].function is plain and registry["another"].function is another
    assert registry["plain"] == Method("plain", "Plain", "Plain", "gradient", plain, None)
    assert registry["another"].signed
    assert [method.title for method in registry.values()] == ["Plain", "Other"]


def test_a_decorated_function_stays_itself():
    _, plain, _ = filled()
    assert plain.__name__ == "plain" and plain(None, None) is None


def test_facts_read_from_the_function():
    method = filled()[0]["plain"]
    assert method.summary == "Take the first line."
    assert method.options == {"steps": 3}  # the localization is no option of the user's


def test_a_name_is_taken_once():
    registry, plain, _ = filled()
    with pytest.raises(ValueError, match="a method named 'plain' is registered already"):
        registry.register(kind="cam", title="", class_name="", citation=None)(plain)
    assert len(registry) == 2


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("plane", "did you mean 'plain'?"),
        ("Another", "did you mean 'another'?"),
        ("zzz", "one of: plain, another"),
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


def test_the_table_of_methods_is_filled():
    assert {"grad_cam", "grad_cam_plus_plus", "eigen_cam", "layer_cam", "saliency"} <= set(METHODS)
    assert {method.kind for method in METHODS.values()} == {"cam", "gradient"}
