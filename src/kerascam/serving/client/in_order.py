"""Run many tasks side by side, and give what they found in the order of what they were given."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


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
