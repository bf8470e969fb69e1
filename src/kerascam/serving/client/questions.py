"""What a client asks a server, one request at a time, and each image alone if that may help."""

from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

import numpy as np

from ...signatures import CLASS_INDEX, EXPLAIN, INDEX, MANIFEST, MANIFEST_ID, PREDICT
from .batch import Batch
from .checks import check_forms, check_together
from .connection import Connection, Tensors
from .errors import (
    ReplacedError,
    Retry,
    ServerUnavailableError,
    ServingError,
    retold,
)
from .forms import (
    Form,
    explanation_forms,
    identity_forms,
    manifest_forms,
    map_names,
    prediction_forms,
)
from .manifest import Manifest, Manifests, read_manifest

T = TypeVar("T")


Outcome: TypeAlias = Tensors | ServingError | OSError


class Questions:
    """Asks and checks the answers.

    Args:
        connection: To the server.
        retry: How often each question is asked again.
        who: The model and its server, for errors.
    """

    def __init__(self, connection: Connection, retry: Retry, who: str) -> None:
        self._connection = connection
        self._retry = retry
        self._who = who
        self.manifests = Manifests(self._manifest)

    def explanations(self, manifest: Manifest, batch: Batch) -> Tensors:
        """Ask for the explanations of a batch by the model that a manifest tells of.

        Raises:
            ReplacedError: If another model answers; the manifest is then asked for again.
            ServerUnavailableError: If the server does not answer.
            ServingError: If it refuses.
            OSError: If a file cannot be read.
        """
        asked = manifest.class_ids(batch.classes, len(batch))
        answer = self._ask_of(manifest, batch, EXPLAIN, {CLASS_INDEX: asked})
        forms = explanation_forms(manifest, batch, map_names(manifest, list(answer)))
        return self._checked(answer, forms, asked, manifest, batch.signature(EXPLAIN))

    def predictions(self, manifest: Manifest, batch: Batch) -> Tensors:
        """Ask for the predictions of a batch by the model that a manifest tells of.

        Raises:
            ReplacedError: If another model answers; the manifest is then asked for again.
            ServerUnavailableError: If the server does not answer.
            ServingError: If it refuses.
            OSError: If a file cannot be read.
        """
        answer = self._ask_of(manifest, batch, PREDICT, {})
        forms = prediction_forms(manifest, len(batch))
        asked = manifest.class_ids(None, len(batch))
        return self._checked(answer, forms, asked, manifest, batch.signature(PREDICT))

    def _ask_of(self, manifest: Manifest, batch: Batch, base: str, more: Tensors) -> Tensors:
        signature, inputs = batch.signature(base), {**batch.tensors(), **more}
        try:
            answer = self._ask(signature, inputs)
        except ServingError as error:
            # Made by this manifest and refused, it may have been asked of a newer model.
            if error.may_blame_inputs and self.manifests.fetch().id != manifest.id:
                raise ReplacedError from error
            raise
        # Before all else: another model's answer need not fit this manifest.
        found = check_forms(answer, identity_forms(len(batch)), self._named(signature))
        if set(found[MANIFEST_ID].tolist()) != {manifest.id}:
            self.manifests.forget(manifest)
            raise ReplacedError
        return answer

    def _checked(
        self,
        answer: Tensors,
        forms: Mapping[str, Form],
        asked: np.ndarray,
        manifest: Manifest,
        signature: str,
    ) -> Tensors:
        found = check_forms(answer, forms, self._named(signature))
        check_together(found, asked, manifest, self._named(signature))
        return found

    def _manifest(self) -> Manifest:
        try:
            answer = self._ask(MANIFEST, {INDEX: np.zeros(1, np.int32)})
            answer = check_forms(answer, manifest_forms(), self._named(MANIFEST))
        except ServerUnavailableError:
            raise
        except ServingError as error:
            raise retold(
                error, f"{error}; check the model's name, and that kerascam.export wrote it"
            ) from error
        return read_manifest(str(answer[MANIFEST][0]), self._who)

    def _ask(self, signature: str, inputs: Tensors) -> Tensors:
        return self._retry(lambda: self._connection.ask(signature, inputs), self._who)

    def _named(self, signature: str) -> str:
        return f"{signature!r} of {self._who}"


def outcomes(ask: Callable[[Batch], Tensors], batch: Batch) -> list[Outcome]:
    """Ask about a batch; where its files are refused, about each alone.

    Args:
        ask: Asks in one request.
        batch: Images.

    Returns:
        One answer to all images, or one outcome for each: its answer, or its own error.
    """
    try:
        return [ask(batch)]
    except (ServingError, OSError) as error:
        if batch.files is None:
            raise
        if isinstance(error, ServingError) and not error.may_blame_inputs:
            return [error] * len(batch)
        if len(batch) == 1:
            return [_of_file(error, batch.name(0))]
    return [outcome for single in batch.cut(1) for outcome in outcomes(ask, single)]


def _of_file(error: ServingError | OSError, name: str) -> ServingError | OSError:
    if isinstance(error, OSError):
        return error  # it names the path
    return retold(error, f"{name}: {error}")


def first_failure(found: list[Outcome], batch: Batch) -> ServingError | OSError | None:
    """Return the error of a batch's first file that met one, and say how many others did."""
    failed = {place: each for place, each in enumerate(found) if isinstance(each, Exception)}
    if not failed:
        return None
    first, *others = failed.values()
    if not others or isinstance(first, OSError) or not first.may_blame_inputs:
        return first
    names = ", ".join(map(batch.name, list(failed)[1:]))
    return retold(first, f"{first}; and so for {names}")
