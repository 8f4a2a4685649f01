"""The table of exclusions is about cases that there are, and says why."""

import pytest
import test_backends
import test_feeds
from backend import Backend
from backends import BACKENDS
from conftest import CASE


@pytest.mark.parametrize("kind", BACKENDS, ids=lambda kind: kind.name)
def test_that_exclusions_are_of_cases_and_have_reasons(kind: type[Backend]) -> None:
    names = [*vars(test_backends), *vars(test_feeds)]
    assert set(kind.EXCLUDED) <= {name.removeprefix(CASE) for name in names if name.startswith(CASE)}
    assert set(kind.REFUSED_PASSWORDS) <= set(test_backends.PASSWORDS)
    assert all(len(reason) > 20 for reason in [*kind.EXCLUDED.values(), *kind.REFUSED_PASSWORDS.values()])
