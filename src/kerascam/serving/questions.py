"""What a client asks a server, one request at a time."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from ..signatures import CLASS_INDEX, EXPLAIN, INDEX, MANIFEST, MANIFEST_ID, PREDICT
from .answer import EXPLAINED, PREDICTED, check_answer
from .batch import Batch
from .connection import Connection, Tensors
from .errors import ReplacedError, ServerUnavailableError, ServingError, retold
from .manifest import Manifest, Manifests, read_manifest
from .retry import Retry

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
            ReplacedError: If another model answers; the manifest is then asked for anew.
            ServerUnavailableError: If the server does not answer.
            ServingError: If it refuses.
            OSError: If a file cannot be read.
        """
        classes = manifest.class_ids(batch.classes, len(batch))
        return self._ask_of(manifest, batch, EXPLAIN, {CLASS_INDEX: classes}, EXPLAINED)

    def predictions(self, manifest: Manifest, batch: Batch) -> Tensors:
        """Ask for the predictions of a batch by the model that a manifest tells of.

        Raises:
            ReplacedError: If another model answers; the manifest is then asked for anew.
            ServerUnavailableError: If the server does not answer.
            ServingError: If it refuses.
            OSError: If a file cannot be read.
        """
        return self._ask_of(manifest, batch, PREDICT, {}, PREDICTED)

    def _ask_of(
        self, manifest: Manifest, batch: Batch, base: str, more: Tensors, needed: Sequence[str]
    ) -> Tensors:
        inputs = {**batch.tensors(), **more}
        try:
            answer = self._ask(batch.signature(base), inputs, needed, len(batch))
        except ServingError as error:
            # Made by this manifest and refused, it may have been asked of a newer model.
            if error.may_blame_inputs and self.manifests.fetch().id != manifest.id:
                raise ReplacedError from error
            raise
        if set(answer[MANIFEST_ID].tolist()) != {manifest.id}:
            self.manifests.forget(manifest)
            raise ReplacedError
        return answer

    def _manifest(self) -> Manifest:
        try:
            answer = self._ask(MANIFEST, {INDEX: np.zeros(1, np.int32)}, [MANIFEST], 1)
        except ServerUnavailableError:
            raise
        except ServingError as error:
            raise retold(
                error, f"{error}; check the model's name, and that kerascam.export wrote it"
            ) from error
        return read_manifest(str(answer[MANIFEST][0]), self._who)

    def _ask(self, signature: str, inputs: Tensors, needed: Sequence[str], batch: int) -> Tensors:
        answer = self._retry(lambda: self._connection.ask(signature, inputs), self._who)
        check_answer(answer, needed, batch, f"{signature!r} of {self._who}")
        return answer


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
    """Give the error of a batch's first file that met one, and say how many others did."""
    failed = {place: each for place, each in enumerate(found) if isinstance(each, Exception)}
    if not failed:
        return None
    first, *others = failed.values()
    if not others or isinstance(first, OSError) or not first.may_blame_inputs:
        return first
    names = ", ".join(map(batch.name, list(failed)[1:]))
    return retold(first, f"{first}; and so for {names}")
