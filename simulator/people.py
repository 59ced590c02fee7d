"""Names, e-mail addresses and countries: a seeded pool from faker, drawn once because faker is slow."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from faker import Faker

_POOL = 400
_COUNTRIES = ("US", "DE", "GB", "FR", "NL", "CA", "AU", "ES", "IT", "SE", "PL", "JP")
_SHARES = np.array([34, 14, 12, 8, 6, 6, 5, 4, 4, 3, 2, 2]) / 100


@dataclass(frozen=True, slots=True)
class Person:
    """What the shop knows about a customer beside the purchases."""

    name: str
    email: str
    country: str


@dataclass(frozen=True, slots=True)
class Directory:
    """Draws people; the same seed gives the same pool."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    domains: tuple[str, ...]

    def person(self, rng: np.random.Generator, customer_id: int) -> Person:
        """Somebody new, with an e-mail address that no other customer has."""
        name, email = self._identity(rng, customer_id)
        return Person(name, email, _COUNTRIES[int(rng.choice(len(_COUNTRIES), p=_SHARES))])

    def new_email(self, rng: np.random.Generator, customer_id: int) -> str:
        """Another address for a customer who moves to a new one."""
        return self._identity(rng, customer_id)[1]

    def _identity(self, rng: np.random.Generator, customer_id: int) -> tuple[str, str]:
        i, j, k = (int(n) for n in rng.integers(_POOL, size=3))
        first, last = self.first[i], self.last[j]
        local = re.sub(r"[^a-z]", "", first.lower()) + "." + re.sub(r"[^a-z]", "", last.lower())
        return f"{first} {last}", f"{local}.{customer_id}@{self.domains[k % len(self.domains)]}"


def make_directory(seed: int) -> Directory:
    """The pool of this seed; the domains are of the kind that nobody can own."""
    faker = Faker("en_US")
    faker.seed_instance(seed)
    first = tuple(faker.first_name() for _ in range(_POOL))
    last = tuple(faker.last_name() for _ in range(_POOL))
    return Directory(first, last, tuple(f"example.{end}" for end in ("com", "org", "net")))
