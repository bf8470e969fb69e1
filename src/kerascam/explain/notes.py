"""What the user should know of a trace: what was replaced, guessed or left out."""

import math
import warnings
from collections.abc import Mapping

from ..model import Question, ReluCount, Shift, Trace
from ..registry import Method
from ..targets import is_changed_probability, logit

_FEW = 16  # images, below which a measured shift errs by pixels


def notes_of(trace: Trace, method: Method, question: Question) -> tuple[str, ...]:
    """Say what the user should know of a trace."""
    return (
        *_relu_notes(trace.relus, method),
        *_head_notes(trace, question),
        *([] if trace.input_form.note is None else [trace.input_form.note]),
        *trace.of_input,
        *(form.note for form in trace.forms if form.note is not None),
        *(
            f"layer {form.site.path} returns several tensors: {form.site.path}/{form.site.part} is "
            f"explained, which the output is computed from"
            for form in trace.forms
            if form.site.is_settled
        ),
        *_shift_notes(trace),
        *_beside_notes(trace, method),
        *_rule_notes(trace, method),
        *_lost_notes(trace, method),
        *_repeat_notes(trace, method, question),
    )


def _shift_notes(trace: Trace) -> tuple[str, ...]:
    """Say how far cells look from where stretching the map draws them."""
    return tuple(
        f"layer {shift.name} looks {_measured(shift)} pixels from where its cells lie along the "
        f"axes of the images, measured on {shift.images} image{'' if shift.images == 1 else 's'}"
        f"{'; sixteen tell it more exactly' if shift.images < _FEW else ''}: the heatmap is "
        f"moved by that"
        for shift in (form.shift for form in trace.forms)
        if shift is not None
    )


def _measured(shift: Shift) -> str:
    """Word pixels with their standard errors, as in "+5.3 ± 1.1, -0.4 ± 0.9"."""
    return ", ".join(
        f"{pixels:+.1f}" + ("" if math.isnan(error) else f" ± {error:.1f}")
        for pixels, error in zip(shift.pixels, shift.errors, strict=True)
    )


def _beside_notes(trace: Trace, method: Method) -> tuple[str, ...]:
    return tuple(
        f"the score also depends on the images through branches around layer {path}: "
        f"{method.title} replaced the layer's output and left those branches as they were"
        for path in trace.beside
    )


def _rule_notes(trace: Trace, method: Method) -> tuple[str, ...]:
    """Say what bends and keeps its gradient where a rule of differences stands for it."""
    if not trace.without_rule:
        return ()
    kinds = ", ".join(sorted(trace.without_rule))
    return (f"{method.title} has no rule for {kinds}: these keep their gradient",)


def _lost_notes(trace: Trace, method: Method) -> tuple[str, ...]:
    """Say which biases have no place in the map."""
    lost = () if trace.biases is None else trace.biases.lost
    if not lost:
        return ()
    rest = len(lost) - 2
    more = "" if rest < 1 else f" and {rest} other{'' if rest == 1 else 's'}"
    return (
        f"{method.title} left out of the map what {', '.join(lost[:2])}{more} add, as where "
        f"that lies could not be followed through the model; the residual counts it",
    )


def _repeat_notes(trace: Trace, method: Method, question: Question) -> tuple[str, ...]:
    """Say if the weighted sum of features, which Grad-CAM takes, is the logits again."""
    if question.target is not logit or method.name != "grad_cam":
        return ()
    return tuple(
        f"layer {path} is one 1×1 convolution away from the output: {method.title} there "
        f"only repeats the logits of the class; name a layer further from the output"
        for path in trace.repeated
    )


def _head_notes(trace: Trace, question: Question) -> tuple[str, ...]:
    head = trace.head
    if question.target is not logit or head is None or head.probabilities is not None:
        return ()
    if not is_changed_probability(head.outputs):
        return ()
    return (
        "the output is a softmax or sigmoid that is changed after it: its value is explained, "
        "not a logit, and may saturate; give target= to explain another number",
    )


def _relu_notes(relus: ReluCount | None, method: Method) -> tuple[str, ...]:
    if relus is None:
        return ()
    plural = "" if relus.replaced == 1 else "s"
    notes = [f"{method.title} replaced the backward step of {relus.replaced} ReLU{plural}"]
    if not relus.replaced:
        notes = [f"{method.title} found no ReLU in the model: the map is the plain gradient"]
    if not relus.replaced and relus.hidden:
        raise ValueError(
            f"{method.title} reaches no ReLU of the model: {_counted(relus.hidden)} keep their own "
            f"backward step, as they lie inside a function, a loop or a custom gradient; use "
            f"a method that leaves ReLUs as they are, such as Saliency"
        )
    if relus.others:
        notes.append(f"{', '.join(relus.others)} activations kept their own backward step")
    if relus.hidden:
        notes.append(
            f"{_counted(relus.hidden)} kept their own backward step: they lie inside a function, "
            f"a loop or a custom gradient, where {method.title} does not reach"
        )
    if relus.closed:
        notes.append(
            f"what runs inside {', '.join(relus.closed)} cannot be seen: ReLUs there kept their "
            f"own backward step"
        )
    if not relus.replaced or len(notes) > 1:
        warnings.warn("; ".join(notes), UserWarning, stacklevel=6)
    return tuple(notes)


def _counted(hidden: Mapping[str, int]) -> str:
    return " and ".join(
        f"{count} ReLU{'' if count == 1 else 's'} in {place}" for place, count in hidden.items()
    )
