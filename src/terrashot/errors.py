"""Every error a user can cause.

TerrashotError
├── UsageError            2  a command or its arguments are wrong
│   ├── ConfigError          a config file is wrong; names the file, the key and the fix
│   └── MissingExtraError    an optional part is not installed; names the pip line
├── InputError            3  input data is wrong or missing; names file, chip, modality, channel
│   ├── MissingImageryError  no usable acquisition for a chip; names chip, modality and why
│   └── MisalignedError      two tables do not share the chips they should
├── NetworkError          4  the network gave up within its budget
├── StorageError          5  no space, no permission
│   ├── LockedError          another process, named, holds what we need
│   └── WorkerLostError      a worker process was killed, most likely for want of memory
└── IntegrityError        6  a digest, a version, a unit or a model does not match

Each text says what was found, where, and what to do. The number is the exit code of the command line.
"""

from typing import ClassVar


class TerrashotError(Exception):
    """What a user can cause and mend; anything else that escapes is a defect of ours (exit code 1)."""

    exit_code: ClassVar[int] = 1


class UsageError(TerrashotError, ValueError):
    exit_code = 2


class ConfigError(UsageError):
    pass


class MissingExtraError(UsageError, ImportError):
    pass


class InputError(TerrashotError, ValueError):
    exit_code = 3


class MissingImageryError(InputError, LookupError):
    pass


class MisalignedError(InputError):
    pass


class NetworkError(TerrashotError, OSError):
    exit_code = 4


class StorageError(TerrashotError, OSError):
    exit_code = 5


class LockedError(StorageError):
    pass


class WorkerLostError(StorageError):
    pass


class IntegrityError(TerrashotError, ValueError):
    exit_code = 6


def one_line(error: BaseException, most: int = 120) -> str:
    """The error's text without line breaks, so many characters at most."""
    return " ".join(str(error).split())[:most]
