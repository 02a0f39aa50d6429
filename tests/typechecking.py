"""The checker of annotations while tests run: shapes and number types of arrays; mypy sees to the rest.

beartype, with whole numbers standing for numbers, as PEP 484 says.
"""

import functools
import itertools
import typing
from collections.abc import Callable

import jaxtyping
from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray, install_import_hook

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))


FIRST_CALLS, THEN_EVERY = 100, 20
"""Calls of a function that are checked in each process; all of them would take three quarters of the time of the suite."""


def check_arrays_of(package: str) -> None:
    """From now on, functions and dataclasses of the package that name an array in an annotation are checked."""
    every = jaxtyping.jaxtyped

    def where_arrays_are(**how: object) -> Callable[[typing.Any], typing.Any]:
        def decorate(what: typing.Any) -> typing.Any:
            if not names_an_array(what):
                return what
            strict = every(**how)(what)
            return strict if isinstance(what, type) else _now_and_then(strict, what)

        return decorate

    jaxtyping.jaxtyped = where_arrays_are
    install_import_hook(package, "typechecking.checked")


def _now_and_then(strict: Callable[..., typing.Any], plain: Callable[..., typing.Any]) -> Callable[..., typing.Any]:
    calls = itertools.count()

    @functools.wraps(plain)
    def called(*args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        number = next(calls)
        return (strict if number < FIRST_CALLS or number % THEN_EVERY == 0 else plain)(*args, **kwargs)

    return called


def names_an_array(what: typing.Any) -> bool:
    """Whether an annotation of a function or class is an array or holds one; one in quotes may be."""
    return any(isinstance(own, str) or _holds_array(own) for own in getattr(what, "__annotations__", {}).values())


def _holds_array(annotation: typing.Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, AbstractArray):
        return True
    return any(_holds_array(part) for part in typing.get_args(annotation))
