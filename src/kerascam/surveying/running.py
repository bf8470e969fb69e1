"""Explain a whole data set: read, explain in batches of one size, and write shard by shard."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from ..ahead import ahead
from ..explain import Columns, Explainer, columns_of
from ..files import shown
from ..loading import to_inputs
from ..model import Preprocess
from ..pictures import ImageForm
from .items import Item, Items
from .rows import Rows
from .store import Store


@dataclass(frozen=True)
class Prepared:
    """A batch that is ready for the model.

    Attributes:
        shard: Which shard it belongs to.
        items: The images that it holds, and those that could not be read.
        images: Shape (batch size, *size, channels): the images that were read, and the last again
            until the batch is full; None if none was.
        last: Whether it is the shard's last.
    """

    shard: int
    items: tuple[Item, ...]
    images: np.ndarray | None
    last: bool

    @property
    def good(self) -> list[Item]:
        """The images that were read."""
        return [item for item in self.items if item.values is not None]


@dataclass(frozen=True)
class Job:
    """What is done to the images of a data set, whoever does it.

    Attributes:
        explainer: As `with_relevance` returns it.
        items: The images.
        classes: What to explain; None for the predicted class.
        form: What photographs are fitted to; None if the values are the model's own.
        preprocess: From photographs to what the model takes.
        batch_size: How many images the model gets at once, always.
        shard_size: How many positions a shard has.
    """

    explainer: Explainer
    items: Items
    classes: Any
    form: ImageForm | None
    preprocess: Preprocess
    batch_size: int
    shard_size: int

    def shard(self, number: int) -> range:
        """Return the positions of a shard."""
        start, count = number * self.shard_size, self.items.count
        stop = start + self.shard_size
        return range(start, stop if count is None else min(stop, count))

    @cached_property
    def first(self) -> Columns | None:
        """What is found of the first images that can be read: a survey begins with it.

        It chooses the layer, and measures where cells look if that must be measured, on the same
        images whenever the survey goes on. None if no image can be read.
        """
        count = self.items.count
        everything = range(2**62 if count is None else count)
        good = (item for item in self.items.read([everything]) if item.values is not None)
        found = list(islice(good, self.batch_size))
        return columns_of(self.explainer, self.filled(found), self.classes) if found else None

    def of(self, items: Items, first: Columns | None = None) -> "Job":
        """Return the same job of other images.

        Args:
            items: The images.
            first: What is known to be found of the first ones; None for what this job found.
        """
        made = replace(self, items=items)
        vars(made)["first"] = self.first if first is None else first
        return made

    def filled(self, items: Sequence[Item]) -> np.ndarray:
        """Make a full batch of what was read: the last is there again until it is full."""
        values = [item.values for item in items if item.values is not None]
        values += [values[-1]] * (self.batch_size - len(values))
        if self.form is None:
            return np.stack(values)
        return to_inputs(values, self.form, self.preprocess)

    def prepared(self, shards: Iterable[int]) -> Iterator[Prepared]:
        """Read the images of shards, and make batches of them that never span two."""
        waiting: list[Item] = []
        good, shard = 0, None
        for item in self.items.read(map(self.shard, shards)):
            own = item.position // self.shard_size
            full = good == self.batch_size
            if waiting and (full or own != shard):
                yield self._batch(waiting, last=own != shard)
                waiting, good = [], 0
            shard = own
            waiting.append(item)
            good += item.values is not None
        if waiting:
            yield self._batch(waiting, last=True)

    def _batch(self, items: Sequence[Item], *, last: bool) -> Prepared:
        good = [item for item in items if item.values is not None]
        images = self.filled(good) if good else None
        return Prepared(items[0].position // self.shard_size, tuple(items), images, last)

    def rows(self) -> Rows:
        """Begin the rows of a shard."""
        first = self.first
        return Rows(
            layers=1 if first is None else len(first.maps),
            relevance=first is not None and first.relevance is not None,
            class_names=self.explainer.class_names,
        )

    def explain(self, batch: Prepared, rows: Rows) -> None:
        """Explain a batch, and add it to the rows of its shard."""
        for item in batch.items:
            rows.add(replace(item, values=None))
        if batch.images is not None:
            found = columns_of(self.explainer, batch.images, self.classes)
            rows.explained([replace(item, values=None) for item in batch.good], found)


def facts_of(job: Job) -> dict[str, Any]:
    """Return what a reader of the store needs to draw heatmaps, as JSON can hold it."""
    first, method = job.first, job.explainer.method
    size = None if first is None or first.size is None else list(first.size)
    return {
        "root": None if job.items.root is None else shown(job.items.root),
        "model_name": job.explainer.model.name,
        "title": method.title,
        "layers": list(job.explainer.layers),
        "layer": job.explainer.layer,
        "grids": [] if first is None else [list(maps.shape[1:]) for maps in first.maps],
        "placed": []
        if first is None
        else [None if each is None else [each.edges, each.shifts] for each in first.placed],
        "size": size,
        "signed": job.explainer.keeps_sign,
        "scaled": job.explainer.scales,
        "notes": [] if first is None else list(first.notes),
        "begun": now(),
    }


def run(job: Job, store: Store, own: str, show: Callable[[int, int], Any]) -> None:
    """Write all shards that are not there.

    Args:
        job: What is done.
        store: Where to.
        own: The survey's id.
        show: Called with how many images are done, and how many there are; 0 if that is not known.
    """
    count = job.items.count
    shards: Iterable[int] = missing(job, store, own)
    done = 0
    if count is not None:
        shards = list(shards)
        done = count - sum(len(job.shard(number)) for number in shards)
    show(done, count or 0)
    for images in write(job, shards, store, own):
        done += images
        show(done, count or 0)


def write(job: Job, shards: Iterable[int], store: Store, own: str) -> Iterator[int]:
    """Write shards.

    Args:
        job: What is done.
        shards: Their numbers, in ascending order.
        store: Where to.
        own: The survey's id.

    Yields:
        After each batch, how many images it had.
    """
    rows = job.rows()
    with ahead(job.prepared(shards), 2) as batches:
        for batch in batches:
            job.explain(batch, rows)
            if batch.last:
                store.write_shard(batch.shard, rows.table(), own)
                rows = job.rows()
            yield len(batch.items)


def missing(job: Job, store: Store, own: str) -> Iterator[int]:
    """List the shards that are not there, without end if only the last image will tell."""
    number = 0
    while job.items.count is None or number * job.shard_size < job.items.count:
        if not store.holds(number, own):
            yield number
        number += 1


def now() -> str:
    """Return the time, as files say it."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
