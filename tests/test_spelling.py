"""Suggestions for misspelt names: whole words and spelling, never parts of words."""

import random
import string

import pytest

from kerascam.spelling import nearest

ANIMALS = [
    "tench, Tinca tinca", "bullfrog, Rana catesbeiana", "tabby, tabby cat", "tiger cat",
    "Persian cat", "hair slide", "crane", "crane-bird", "polecat, fitch",
]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "names", "found"),
    [
        ("cat", ANIMALS, ["tiger cat", "Persian cat", "tabby, tabby cat"]),
        ("CAT", ANIMALS[:3], ["tabby, tabby cat"]),
        ("persian", ANIMALS, ["Persian cat"]),
        ("persain cat", ANIMALS, ["Persian cat"]),
        ("bulfrog", ANIMALS, ["bullfrog, Rana catesbeiana"]),
        ("tensh", ANIMALS, ["tench, Tinca tinca"]),
        ("crane", ["crane-bird", "crane"], ["crane", "crane-bird"]),
        ("air", ANIMALS, ["hair slide"]),  # spelt alike
        ("fit", ANIMALS[:6], []),
        ("beian", ANIMALS, []),
        ("see", ["forest", "sea", "street"], ["sea", "street"]),
        ("dogs", ["cat", "dog", "cow"], ["dog"]),
        ("layers", ["layer", "target"], ["layer"]),
        ("", ANIMALS, []),
        ("?!", ANIMALS, []),
        ("x" * 5000, ["x" * 4999], []),
    ],
)
def test_near_names(wanted, names, found):
    assert nearest(wanted, names) == found


def test_at_most_so_many_and_each_once():
    assert nearest("cat", ["a cat", "a cat", "b cat", "c cat", "d cat"], most=2) == [
        "a cat", "b cat",
    ]  # fmt: skip


def test_any_text_gets_known_names_or_none():
    draw = random.Random(0)
    alphabet = string.ascii_letters + " ,-_'\u0130\u00df\U0001f408\n\0"
    texts = ["".join(draw.choices(alphabet, k=draw.randrange(12))) for _ in range(300)]
    for text in texts:
        assert set(nearest(text, texts)) <= set(texts)


def test_of_very_many_names_the_nearest_is_found():
    names = [f"class number {index}" for index in range(20_000)]
    assert nearest("class nubmer 17", names)
    assert nearest("clazz", names) == []
