"""An explainer's compiled programs, and the layers that they look at."""

import threading
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import keras
import numpy as np

from ..errors import DoesNotFitError, OpenLengthsError
from ..inputs import InputSpec
from ..model import (
    Choice,
    Discovery,
    Measured,
    Shift,
    Signature,
    Site,
    check_model,
    choose_from,
    declared_shape,
    discover,
    effective_shift,
    find_part,
    guess,
    layer_at,
    measure,
    place_of,
    scaling_layers,
    site_of,
    walk,
    walked_once,
)
from .asking import Asked
from .forward import Scoring, compile_scores
from .program import Program, Recipe, compile_program
from .steps import Stepwise, compile_steps
from .tracing_form import TracingForm

T = TypeVar("T")


def find_sites(model: keras.Model, layers: Sequence[Any], call_index: int | None) -> list[Site]:
    """Find the layers that the user names.

    Raises:
        ValueError: If there is no such layer, or more than one.
    """
    found = (find_part(model, layer) for layer in layers)
    return [site_of(model, path, layer, call_index, part) for path, layer, part in found]


@dataclass
class Programs:
    """One program for each form of input, compiled at its first use.

    Attributes:
        model: The model.
        recipe: What is computed.
        sites: The layers to look at; None until the first input chooses one.
        call_index: Which run of a chosen layer.
        freeze: Whether the weights become constants.
        notes: Why the chosen layer was taken.
        chose: Whether the layers are those that the first input chose.
    """

    model: keras.Model
    recipe: Recipe
    sites: list[Site] | None
    call_index: int | None
    freeze: bool
    notes: tuple[str, ...] = ()
    chose: bool = False
    _compiled: dict[Any, Program] = field(default_factory=dict)
    _stepwise: dict[Any, Stepwise] = field(default_factory=dict)
    _scoring: dict[Any, Scoring] = field(default_factory=dict)
    _first: tuple[keras.Layer, ...] | None = None
    _form: TracingForm | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return len(self._compiled)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is compiled, and name the layers: a copied model has its own."""
        state = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        if self.sites is not None:
            state["sites"] = [
                (place_of(self.model, site.layer), site.run, site.channels_first, site.part)
                for site in self.sites
            ]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(
            state, _compiled={}, _stepwise={}, _scoring={}, _first=None, _form=None,
            _lock=threading.Lock(),
        )  # fmt: skip
        check_model(self.model)
        if self.sites is not None:
            self.sites = [
                Site(path, layer_at(self.model, path, place), run, channels_first, part)
                for (path, place), run, channels_first, part in state["sites"]
            ]

    @property
    def scaling_layers(self) -> tuple[keras.Layer, ...]:
        """The first layers of the model, as long as they scale values."""
        if self._first is None:
            self._first = scaling_layers(self.model)
        return self._first

    def of(self, specs: Sequence[InputSpec], like: Any, arrays: Sequence[np.ndarray]) -> Program:
        """Return the program for inputs of this form.

        Args:
            specs: What the model takes.
            like: The structure of the inputs, for a model that does not declare one.
            arrays: The inputs; only their shapes and dtypes matter.
        """

        def compiled(signature: Signature) -> Program:
            program = None
            if self.sites is None:
                program = self._guess(signature, like)
            if self.sites is None:
                found = self._discover(arrays, like)
                self._settle(choose_from(found), found)
            program = program or self._compile(self.sites or [], signature, like)
            return self._placed(program, arrays, signature, like)

        return self._once(self._compiled, compiled, specs, arrays)

    def in_steps(
        self, specs: Sequence[InputSpec], like: Any, arrays: Sequence[np.ndarray]
    ) -> Stepwise:
        """Return the program for inputs of this form in steps; its method has a loop.

        The arguments are those of `of`, which comes first.
        """

        def compiled(signature: Signature) -> Stepwise:
            return compile_steps(
                self.model, self.sites or [], self.recipe, signature, like, freeze=self.freeze
            )

        return self._once(self._stepwise, compiled, specs, arrays)

    def scoring(
        self, specs: Sequence[InputSpec], like: Any, arrays: Sequence[np.ndarray]
    ) -> Scoring:
        """Return the compiled target for inputs of this form.

        The arguments are those of `of`.
        """

        def compiled(signature: Signature) -> Scoring:
            return compile_scores(
                self.model, self.recipe.question, signature, like, freeze=self.freeze
            )

        return self._once(self._scoring, compiled, specs, arrays)

    @walked_once()
    def _once(
        self,
        kept: dict[Any, T],
        compiled: Callable[[Signature], T],
        specs: Sequence[InputSpec],
        arrays: Sequence[np.ndarray],
    ) -> T:
        """Return what is compiled for inputs of this form, compiling it if need be.

        It takes any number of images, and any lengths that the model leaves open, if it can be.

        Args:
            kept: What is compiled, by signature; what is new is added.
            compiled: Compiles for a signature.
            specs: What the model takes.
            arrays: The inputs.

        Raises:
            ValueError: If the model takes only the number of images that it declares.
        """
        with self._lock:
            form = self._form or TracingForm(self.model)
            while True:
                signature = form.signature(specs, arrays)
                try:
                    if signature not in kept:
                        kept[signature] = compiled(signature)
                    self._form = form
                    return kept[signature]
                except (DoesNotFitError, OpenLengthsError):
                    form = copy(form)
                    if not form.tighten(signature):
                        raise

    @walked_once()
    def agree(self, asked: Asked, found: Mapping[str, Any]) -> bool:
        """Tell whether what is compiled computes what the model does; see `TracingForm.agrees`."""
        with self._lock:  # once, whatever the number of threads
            return self._form is None or self._form.agrees(self.recipe.question, asked, found)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Where what is compiled may differ from the model."""
        return () if self._form is None or self._form.doubt is None else (self._form.doubt,)

    def _compile(
        self, sites: Sequence[Site], signature: Signature, like: Any,
        *, survey: bool = False,
    ) -> Program:  # fmt: skip
        question = replace(self.recipe.question, survey=survey)
        recipe = replace(self.recipe, question=question)
        return compile_program(self.model, sites, recipe, signature, like, freeze=self.freeze)

    def _placed(
        self, program: Program, arrays: Sequence[np.ndarray], signature: Any, like: Any
    ) -> Program:
        """Measure where cells lie that the graph does not place, or where all look in effect."""
        place, own = program.image_place, program.input_form
        if place is None:
            return program
        unplaced = [form.site for form in program.forms if form.unplaced]
        if unplaced:
            grid = self.recipe.question.grid
            found = [measure(self.model, site, arrays, like, place, own, grid) for site in unplaced]
            program = self._compiled_knowing(found, (), signature, like)
        unshifted = [form for form in program.forms if form.shift is None and form.axes is not None]
        if unshifted and self.recipe.question.place == "effective":
            shifts = [
                effective_shift(self.model, form, arrays, like, place, own) for form in unshifted
            ]
            program = self._compiled_knowing((), shifts, signature, like)
        return program

    def _compiled_knowing(
        self, measured: Sequence[Measured], shifts: Sequence[Shift], signature: Any, like: Any
    ) -> Program:
        question = self.recipe.question
        question = replace(
            question,
            measured=(*question.measured, *measured),
            shifts=(*question.shifts, *shifts),
        )
        self.recipe = replace(self.recipe, question=question)
        return self._compile(self.sites or [], signature, like)

    def _guess(self, signature: Signature, like: Any) -> Program | None:
        """Compile on the layer that will likely be chosen, and keep it if it is.

        The trace lists all layers in passing, which saves a trace of its own to discover them.
        """
        layers = list(walk(self.model))
        path = guess(
            [(path, type(layer).__name__, declared_shape(layer)) for path, layer in layers]
        )
        if path is None or any(None in spec.shape[1:] for spec in signature):
            return None
        sites = find_sites(self.model, [dict(layers)[path]], self.call_index)
        try:
            program = self._compile(sites, signature, like, survey=True)
        except (TypeError, ValueError):  # of the guess, or else to be raised again without it
            return None
        found = program.discovery
        if found is None or (choice := choose_from(found)).path != path:
            return None
        self._settle(choice, found)
        return program

    def _discover(self, arrays: Sequence[np.ndarray], like: Any) -> Discovery:
        shapes, dtypes = [a.shape for a in arrays], [a.dtype for a in arrays]
        asked = self.recipe.question
        return discover(
            self.model, shapes, dtypes, like=like, output=asked.output, target=asked.target,
            axes=asked.axes, input=asked.input,
        )  # fmt: skip

    def _settle(self, choice: Choice, found: Discovery) -> None:
        sites = find_sites(self.model, [choice.path], self.call_index)
        runs = [capture for capture in found.captures if capture.path == choice.path]
        if self.call_index is None and len(runs) > 1 and runs[-1].bottleneck and runs[-1].used:
            # Run after run, as in a recurrent stack: the last one was chosen. Side by side, as in
            # a siamese model, none stands for the others, and the user is asked.
            sites = [replace(site, run=len(runs) - 1) for site in sites]
        self.sites, self.chose = sites, True
        self.notes = (f"layer {choice.path} was chosen: {choice.reason}",)
        if choice.beside:
            every = [*choice.beside, choice.path]
            self.notes += (
                f"layer {choice.path} is one of {len(every)} branches that the score depends on; "
                f"layer={every} fuses them",
            )
