"""Run the user's model and see its layers: the only package that touches the model.

`shadow` listens to layers for the length of one trace, `survey` lists what a forward pass
computes, `trace` differentiates a score by layers or inputs, `relu` replaces the ReLUs' backward
step, `compiled` keeps the result as one graph, `archive` as a SavedModel. `interrupts` keeps
Ctrl-C out of all that, and `copying` says whether a model can be copied.
"""

from .archive import Endpoint, write_saved_model
from .bias_terms import Biases
from .choice import Choice, guess, shape_words
from .compiled import Compiled, compile_graph, run
from .copying import OwnObjects, check_copyable
from .effective import effective_shift
from .entrance import entrance_of, scaling_layers
from .fingerprint import fingerprint_of
from .form import Form
from .graph_errors import BadArgumentError, GraphError, OutOfMemoryError
from .image_form import image_form_of, output_shapes
from .input_form import InputForm
from .inside import PYTHON_CODE
from .layers import declared_shape, find_part, layer_at, place_of, walk, walked_once
from .loop import InGraph
from .measuring import measure
from .preprocessing import Preprocess, preprocessing_of
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
from .suggest import choose_from, suggest_layers
from .survey import Discovery, discover
from .tokens import embedding, takes_tokens, takes_tokens_too
from .trace import Trace, probe
from .weights import other_weights, shuffled, trained_weights
from .which_input import check_input

__all__ = [
    "BadArgumentError",
    "Biases",
    "Choice",
    "Compiled",
    "Discovery",
    "Endpoint",
    "Form",
    "GraphError",
    "InGraph",
    "InputForm",
    "Measured",
    "OutOfMemoryError",
    "OwnObjects",
    "PYTHON_CODE",
    "Preprocess",
    "Question",
    "ReluCount",
    "Shift",
    "Signature",
    "Site",
    "Trace",
    "USUAL_LENGTHS",
    "built_shape",
    "check_copyable",
    "check_input",
    "check_model",
    "choose_from",
    "compile_graph",
    "declared_batch",
    "declared_shape",
    "declared_units",
    "discover",
    "effective_shift",
    "embedding",
    "entrance_of",
    "find_part",
    "fingerprint_of",
    "guess",
    "image_form_of",
    "input_specs",
    "is_half",
    "layer_at",
    "measure",
    "other_weights",
    "output_shapes",
    "own_answer",
    "place_of",
    "preprocessing_of",
    "probe",
    "run",
    "scaling_layers",
    "shape_words",
    "shuffled",
    "site_of",
    "sized",
    "suggest_layers",
    "takes_tokens",
    "takes_tokens_too",
    "tensor_spec",
    "trained_weights",
    "walk",
    "walked_once",
    "with_classes",
    "write_saved_model",
]
