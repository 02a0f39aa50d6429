"""The checker of annotations while tests run: shapes and number types of arrays; mypy sees to the rest.

beartype, with whole numbers standing for numbers, as PEP 484 says.
"""

import typing
from collections.abc import Callable

import jaxtyping
from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray, install_import_hook

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check_arrays_of(package: str) -> None:
    """From now on, functions and dataclasses of the package that name an array in an annotation are checked."""
    every = jaxtyping.jaxtyped

    def where_arrays_are(**how: object) -> Callable[[typing.Any], typing.Any]:
        # A wrapper around each small helper as well would make a study four times as slow, and find nothing.
        return lambda what: every(**how)(what) if names_an_array(what) else what

    jaxtyping.jaxtyped = where_arrays_are
    install_import_hook(package, "typechecking.checked")


def names_an_array(what: typing.Any) -> bool:
    """Whether an annotation of a function or class is an array or holds one; one in quotes may be."""
    return any(isinstance(own, str) or _holds_array(own) for own in getattr(what, "__annotations__", {}).values())


def _holds_array(annotation: typing.Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, AbstractArray):
        return True
    return any(_holds_array(part) for part in typing.get_args(annotation))
