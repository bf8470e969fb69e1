"""A few rows stand for a matrix in every run, and all of them with --proofs."""

import proofs
import pytest

MATRIX = {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(("everything", "wanted"), [(False, ("a", "c")), (True, ("a", "b", "c"))])
def test_rows_keep_their_order(monkeypatch, everything, wanted):
    monkeypatch.setattr(proofs, "ALL", everything)
    assert proofs.rows(("c", "a"), MATRIX) == wanted
    assert proofs.wide(10, 1000) == (1000 if everything else 10)


def test_a_row_that_is_not_in_the_matrix_is_an_error():
    with pytest.raises(ValueError, match=r"no such rows: \['d'\]"):
        proofs.rows(("a", "d"), MATRIX)


def test_each_row_of_two_matrices_is_in_a_pair(monkeypatch):
    monkeypatch.setattr(proofs, "ALL", False)
    assert proofs.pairs("ab", "xyz") == (("a", "x"), ("b", "y"), ("a", "z"))
    monkeypatch.setattr(proofs, "ALL", True)
    assert "".join(map("".join, proofs.pairs("ab", "xyz"))) == "axayazbxbybz"


def test_a_test_that_takes_long_runs_with_proofs_alone(request):
    left = [item for item in request.session.items if item.get_closest_marker("proof")]
    assert proofs.ALL or left == []
