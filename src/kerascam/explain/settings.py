"""All that decides what an explainer computes, as JSON can hold it."""

from typing import Any

from ..fingerprints import described
from .explainer import Explainer


def settings_of(explainer: Explainer) -> dict[str, Any]:
    """Describe what an explainer computes of its model, before its first call or after it.

    Args:
        explainer: Any.

    Returns:
        Its method, options, layers (None if the first call chooses), target and the rest.
    """
    programs = explainer.programs
    recipe, question = programs.recipe, programs.recipe.question
    sites = None if programs.chose else programs.sites
    return {
        "method": recipe.method.name,
        "options": described({**recipe.method.options, **recipe.options}),
        "layers": None if sites is None else [[site.name, site.run] for site in sites],
        "call_index": programs.call_index,
        "normalize": recipe.normalize,
        "target": described(question.target),
        "output": question.output,
        "input": question.input,
        "grid": described(question.grid),
        "axes": question.axes,
        "place": question.place,
        "freeze": programs.freeze,
    }
