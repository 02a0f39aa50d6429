"""What Earth Engine says of an image, checked: nothing that it says becomes part of a question unseen."""

import re
from datetime import UTC, datetime
from typing import Final

from terrashot.errors import InputError
from terrashot.remote.earth_engine import Engine

NAME: Final = re.compile(r"[A-Za-z0-9_]{1,100}", re.ASCII)
LATEST_S: Final = 4_102_444_800
"""The year 2100."""


def name_of(engine: Engine, said: object) -> str:
    """The image's name in its collection.

    Raises:
        InputError: it is none.
    """
    if isinstance(said, str) and NAME.fullmatch(said):
        return said
    raise InputError(f"{engine.name}: an image called {str(said)[:60]!r}; see whether the service has changed")


def moment_of(engine: Engine, said: object) -> datetime:
    """When it was sensed, told in milliseconds since 1970.

    Raises:
        InputError: it is no such time.
    """
    if isinstance(said, int | float) and 0 <= said <= LATEST_S * 1000:
        return datetime.fromtimestamp(said / 1000, UTC)
    raise InputError(f"{engine.name}: an image sensed at {str(said)[:60]!r}; see whether the service has changed")
