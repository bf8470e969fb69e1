"""How fast a long run goes, and how long it still takes."""

from collections.abc import Callable
from time import monotonic


class Pace:
    """The rate since the run began, and the time that the rest takes at that rate.

    Args:
        clock: Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._start: tuple[float, int] | None = None

    def words(self, done: int, total: int) -> str:
        """Word the pace; "" before there is one.

        Args:
            done: How many images are done, with those of an earlier run at the first call.
            total: How many there are.

        Example:
            >>> times = iter([10.0, 14.0])
            >>> pace = Pace(lambda: next(times))
            >>> pace.words(100, 5000), pace.words(120, 5000)
            ('', '5/s, 16 min left')
        """
        now = self._clock()
        if self._start is None:
            self._start = now, done
        start, before = self._start
        if done <= before or now <= start:
            return ""
        rate = (done - before) / (now - start)
        return f"{rate:.3g}/s, {duration((total - done) / rate)} left"


def duration(seconds: float) -> str:
    """Word a time in its two largest units.

    Example:
        >>> [duration(each) for each in (7.2, 71, 3599, 3661, 200_000)]
        ['7 s', '1 min', '1 h 0 min', '1 h 1 min', '2 d 7 h']
    """
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"
