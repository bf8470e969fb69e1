"""Ask about many images: cut, sent side by side, and put together in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from ...signatures import HEATMAP
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
from .connection import Tensors
from .errors import ReplacedError, ServingError
from .manifest import Manifest
from .questions import Questions, first_failure, outcomes

Item = TypeVar("Item")
Found = TypeVar("Found")
T = TypeVar("T")
# A server that is well answers again at once, so this is no matter of waits and `retries`; more
# changes than these within one question are no swap of versions.
_MOST_REPLACED = 3


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
        who: The model and its server, for errors.
        concurrency: How many requests may be under way at once.
        batch_size: How many images a request holds.
    """

    def __init__(self, questions: Questions, who: str, concurrency: int, batch_size: int) -> None:
        self._questions = questions
        self._who = who
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

    def explain_each(
        self, files: Sequence[File], classes: Any
    ) -> Iterator[tuple[File, ServedExplanation | ServingError | OSError]]:
        """Explain files one after the other, each with its own explanation or error."""
        _, batch = self._made(lambda manifest: make_file_batch(files, classes, manifest))
        parts = batch.cut(self._batch_size)
        found = in_order(self._pool, self._explain_part, parts, self._ahead)
        return zip(batch.files or (), chain.from_iterable(found), strict=True)

    def _explain_part(self, batch: Batch) -> list[ServedExplanation | ServingError | OSError]:
        def attempt() -> list[ServedExplanation | ServingError | OSError]:
            manifest = self._questions.manifests.current()
            singles: list[ServedExplanation | ServingError | OSError] = []
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
        """Begin again at once, when another model was put in the place of the first."""
        for _ in range(1 + _MOST_REPLACED):
            try:
                return attempt()
            except ReplacedError:
                continue
        raise ServingError(
            f"{self._who} was another one each of the {1 + _MOST_REPLACED} times that it was "
            f"asked: versions replace each other, or servers behind one address differ; ask again "
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
        return join(answers, self._who)
