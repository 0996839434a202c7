"""Draws a sample of incidents by a seed. Pure: anyone can draw it again anywhere.

Each incident of the population gets a rank: SHA-256 over the UTF-8 bytes of
`permanence sample 1`, a newline, the seed, a newline and the reference of the incident,
in hex. The sample of n are the n incidents with the smallest ranks, in that order.

So a sample depends on nothing but the seed and the population. It has no incident
twice, each is as likely as any other, and a larger sample with the same seed begins
with the smaller one.
"""

import heapq
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

METHOD = "permanence sample 1"


class Drawn(NamedTuple):
    """An incident of a sample, with its rank in hex."""

    rank: str
    incident: str


def rank(seed: str, incident: str) -> str:
    """Return the rank of an incident for a seed."""
    return sha256(f"{METHOD}\n{seed}\n{incident}".encode()).hexdigest()


def sample(seed: str, population: Iterable[str], size: int) -> list[Drawn]:
    """Return the incidents drawn from a population, in the order of their ranks."""
    ranked = (Drawn(rank(seed, incident), incident) for incident in set(population))
    return heapq.nsmallest(size, ranked)
