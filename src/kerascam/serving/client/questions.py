"""What a client asks: one request after the other, or many side by side."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import chain
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ...signatures import CLASS_INDEX, EXPLAIN, HEATMAP, INDEX, MANIFEST, MANIFEST_ID, PREDICT
from .batch import (
    Batch,
    File,
    Prediction,
    ServedExplanation,
    explanation,
    join,
    make_batch,
    make_file_batch,
    prediction,
)
from .checks import (
    check_forms,
    check_together,
    explanation_forms,
    identity_forms,
    manifest_forms,
    map_names,
    prediction_forms,
)
from .connection import Connection, Tensors
from .errors import ReplacedError, Retry, ServerUnavailableError, ServingError, retold
from .manifest import Manifest, Manifests, read_manifest

Item = TypeVar("Item")
Found = TypeVar("Found")
T = TypeVar("T")
#: The answer to a request, or to one file of it, or the error in its place.
Outcome: TypeAlias = Tensors | ServingError | OSError
#: The explanation of one file, or the error in its place.
OfFile: TypeAlias = ServedExplanation | ServingError | OSError

# A server that is well answers again at once, so this needs no waits and no `retries`; more
# changes than these within one question are not a swap of versions.
_MOST_REPLACED = 3


class Questions:
    """Asks and checks the answers.

    Args:
        connection: A connection to the server.
        retry: How often each question is asked again.
        who: The model and its server, for errors.
    """

    def __init__(self, connection: Connection, retry: Retry, who: str) -> None:
        self._connection = connection
        self._retry = retry
        self.who = who
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
        who = self._named(batch.signature(EXPLAIN))
        found = check_forms(answer, forms, who)
        check_together(found, asked, manifest, who)
        return found

    def predictions(self, manifest: Manifest, batch: Batch) -> Tensors:
        """Ask for the predictions of a batch by the model that a manifest tells of.

        Raises:
            Exception: As `explanations` does.
        """
        answer = self._ask_of(manifest, batch, PREDICT, {})
        forms = prediction_forms(manifest, len(batch))
        asked = manifest.class_ids(None, len(batch))
        who = self._named(batch.signature(PREDICT))
        found = check_forms(answer, forms, who)
        check_together(found, asked, manifest, who)
        return found

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
        return read_manifest(str(answer[MANIFEST][0]), self.who)

    def _ask(self, signature: str, inputs: Tensors) -> Tensors:
        return self._retry(lambda: self._connection.ask(signature, inputs), self.who)

    def _named(self, signature: str) -> str:
        return f"{signature!r} of {self.who}"


def outcomes(ask: Callable[[Batch], Tensors], batch: Batch) -> list[Outcome]:
    """Ask about a batch; if its files are refused, about each alone.

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


def in_order(
    pool: Executor, task: Callable[[Item], Found], items: Iterable[Item], ahead: int
) -> Generator[Found, None, None]:
    """Run a task on each item.

    Args:
        pool: Bounds how many run at once.
        task: Its first error ends the rest.
        items: In order.
        ahead: How many may be begun or done and not yet taken, so that an idle reader does not
            fill the memory.

    Yields:
        What the task found, in the items' order.
    """
    begun: deque[Future[Found]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(task, item))
            if len(begun) >= ahead:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for each in begun:
            each.cancel()


class Many:
    """Cuts questions into requests of a size, with so many of them under way at once.

    Args:
        questions: Asks one request.
        concurrency: How many requests may be under way at once.
        batch_size: How many images a request holds.
    """

    def __init__(self, questions: Questions, concurrency: int, batch_size: int) -> None:
        self._questions = questions
        self._ahead = 2 * concurrency
        self._batch_size = batch_size
        self._pool = ThreadPoolExecutor(concurrency, "kerascam-client")

    def close(self) -> None:
        """Drop what is not yet sent, and wait for what is."""
        self._pool.shutdown(cancel_futures=True)

    def predict(self, images: Any) -> Prediction:
        """Predict by one version of the model, or raise the first error."""

        def attempt() -> Prediction:
            manifest, batch = self._made(lambda known: make_batch(images, None, known))
            return prediction(self._all(partial(self._questions.predictions, manifest), batch))

        return self._by_one_model(attempt)

    def explain(self, images: Any, classes: Any) -> ServedExplanation:
        """Explain all images by one version of the model, or raise the first error."""

        def attempt() -> ServedExplanation:
            manifest, batch = self._made(lambda known: make_batch(images, classes, known))
            answer = self._all(partial(self._questions.explanations, manifest), batch)
            return explanation(answer, manifest, batch.images(answer[HEATMAP].shape[1:]))

        return self._by_one_model(attempt)

    def explain_each(self, files: Sequence[File], classes: Any) -> Iterator[tuple[File, OfFile]]:
        """Explain files one after the other, each with its own explanation or error."""
        _, batch = self._made(lambda manifest: make_file_batch(files, classes, manifest))
        parts = batch.cut(self._batch_size)
        found = in_order(self._pool, self._explain_part, parts, self._ahead)
        return zip(batch.files or (), chain.from_iterable(found), strict=True)

    def _explain_part(self, batch: Batch) -> list[OfFile]:
        def attempt() -> list[OfFile]:
            manifest = self._questions.manifests.current()
            singles: list[OfFile] = []
            for found in outcomes(partial(self._questions.explanations, manifest), batch):
                if isinstance(found, Exception):
                    singles.append(found)
                else:
                    whole = explanation(found, manifest, None)
                    singles += [whole[place] for place in range(len(whole))]
            return singles

        try:
            return self._by_one_model(attempt)
        except ServingError as error:
            return [error] * len(batch)

    def _by_one_model(self, attempt: Callable[[], T]) -> T:
        """Start again at once if another model has replaced the first."""
        for _ in range(1 + _MOST_REPLACED):
            try:
                return attempt()
            except ReplacedError:
                continue
        raise ServingError(
            f"{self._questions.who} was replaced by another model in each of {1 + _MOST_REPLACED} "
            f"tries: versions replace each other, or servers behind one address differ; ask again "
            f"later, or give version="
        )

    def _made(self, make: Callable[[Manifest], Batch]) -> tuple[Manifest, Batch]:
        """Make a batch by the manifest, which may be that of an older model if it does not fit."""
        manifest = self._questions.manifests.current()
        try:
            return manifest, make(manifest)
        except (TypeError, ValueError):
            newer = self._questions.manifests.fetch()
            if newer.id == manifest.id:
                raise
            return newer, make(newer)

    def _all(self, ask: Callable[[Batch], Tensors], batch: Batch) -> Tensors:
        parts = batch.cut(self._batch_size)
        answers: list[Tensors] = []
        with closing(in_order(self._pool, partial(outcomes, ask), parts, self._ahead)) as found:
            for part, of_part in zip(parts, found, strict=True):
                if failure := first_failure(of_part, part):
                    raise failure  # and closed, it sends no more
                answers += [each for each in of_part if not isinstance(each, Exception)]
        return join(answers, self._questions.who)
