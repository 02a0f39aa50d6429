"""What every maker's files share: where they lie, and that one model made all of them."""

from collections.abc import Iterable
from pathlib import Path

from terrashot.errors import InputError, IntegrityError


def files_below(source: Path, endings: tuple[str, ...]) -> list[Path]:
    """The file itself, or every file of these endings in the folder and below, in the order of their names.

    Raises:
        InputError: there is none.
    """
    if source.is_file():
        if source.suffix.lower() not in endings:
            raise InputError(f"{source}: no file of the kinds that are read here, which are {', '.join(endings)}")
        return [source]
    if not source.is_dir():
        raise InputError(f"{source}: no such file or folder")
    found = sorted(path for path in source.rglob("*") if path.suffix.lower() in endings and path.is_file())
    if not found:
        raise InputError(f"{source}: no file of the kinds that are read here in it or below: {', '.join(endings)}")
    return found


def one_maker(kind: str, told: Iterable[tuple[Path, str]]) -> str | None:
    """What the files say of the model or version that made them; None where none says anything.

    Raises:
        IntegrityError: they say different things.
    """
    by_name: dict[str, Path] = {}
    for path, name in told:
        by_name.setdefault(name, path)
    if len(by_name) > 1:
        (first, one), (second, other) = list(by_name.items())[:2]
        raise IntegrityError(
            f"{kind}: {one} is of '{first}', {other} of '{second}'; vectors of different models or versions mean different "
            "things: import each alone"
        )
    return next(iter(by_name), None)
