"""Run the user's model and see its layers: the only package that touches the model.

`shadow` listens to layers for the length of one trace, `discover` lists what a forward pass
computes, `trace` differentiates a score by layers or inputs, `relu` replaces the ReLUs' backward
step, `compiled` keeps the result as one graph, `archive` as a SavedModel. `interrupts` keeps
Ctrl-C out of all that, and `copying` says whether a model can be copied.
"""

from . import graph_errors
from .archive import Endpoint, write_saved_model
from .compiled import Compiled, compile_graph, run
from .copying import check_copyable, custom_classes
from .discover import Discovery, discover
from .effective import effective_shift
from .form import Form
from .input_form import InputForm
from .loop import InGraph
from .measuring import measure
from .question import Measured, Question, Shift
from .reference import is_half, own_answer
from .relu import ReluCount
from .sites import Site, site_of
from .specs import (
    USUAL_LENGTHS,
    Signature,
    built_shape,
    check_model,
    declared_batch,
    declared_units,
    input_specs,
    sized,
    tensor_spec,
    with_classes,
)
from .trace import Trace, probe

__all__ = [
    "Compiled",
    "USUAL_LENGTHS",
    "Discovery",
    "Endpoint",
    "Form",
    "InGraph",
    "InputForm",
    "Measured",
    "Question",
    "ReluCount",
    "Shift",
    "Signature",
    "Site",
    "Trace",
    "built_shape",
    "check_copyable",
    "check_model",
    "compile_graph",
    "custom_classes",
    "declared_batch",
    "declared_units",
    "discover",
    "graph_errors",
    "effective_shift",
    "input_specs",
    "is_half",
    "measure",
    "own_answer",
    "probe",
    "run",
    "site_of",
    "sized",
    "tensor_spec",
    "with_classes",
    "write_saved_model",
]
