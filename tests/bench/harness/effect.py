"""How far two samples of timings are apart: an effect size, which says how much, where a test says only whether."""

import bisect
import dataclasses
import math
import random
from collections.abc import Sequence
from typing import Self


def auc(ones: Sequence[float], others: Sequence[float]) -> float:
    """The probability that a timing drawn from `ones` is above one drawn from `others`; equal ones count half.

    0.5: nothing to tell them apart by. Cliff's delta is 2 * auc - 1; the statistic of Mann and Whitney over the number
    of pairs.
    """
    ordered = sorted(others)
    wins = sum(bisect.bisect_left(ordered, one) + bisect.bisect_right(ordered, one) for one in ones)
    return wins / (2 * len(ones) * len(others))


def auc_error(ones: int, others: int) -> float:
    """The standard error of the above when nothing tells them apart."""
    return math.sqrt((ones + others + 1) / (12 * ones * others))


@dataclasses.dataclass(frozen=True)
class Interval:
    """A difference, and where it is in 95 of 100 resamplings."""

    value: float
    low: float
    high: float

    @classmethod
    def of_medians(
        cls, ones: Sequence[float], others: Sequence[float], draws: random.Random, resamples: int = 10_000
    ) -> Self:
        """The median of `ones` less that of `others`, with its bootstrap interval.

        Nothing is resampled one by one: the median of n draws from a sample has the rank that the median of n uniform
        numbers has, and that is of a Beta distribution.
        """
        ones, others = sorted(ones), sorted(others)

        def median(ordered: Sequence[float]) -> float:
            half = (len(ordered) + 1) / 2
            return ordered[min(int(draws.betavariate(half, half) * len(ordered)), len(ordered) - 1)]

        found = sorted(median(ones) - median(others) for _ in range(resamples))
        at = len(found) // 40
        return cls(_middle(ones) - _middle(others), found[at], found[-1 - at])


def _middle(ordered: Sequence[float]) -> float:
    last = len(ordered) - 1
    return (ordered[last // 2] + ordered[last - last // 2]) / 2
