"""Errors and warnings."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from typing import Any


class EaglerayWarning(UserWarning):
    """What is odd about inputs or options; `code` tells one kind from another.

    A message begins with its code, so one kind is filtered by
    ``warnings.filterwarnings("ignore", message="W-GTI-OVERLAP", category=EaglerayWarning)``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Error(Exception):
    """Everything that eagleray refuses.

    Attributes
    ----------
    code : str
        Kind of the error: ``io``, ``format``, ``gti``, ``no-segments``, ``input``, ``no-events``, ``argument``, ``memory``,
        ``cancelled``, ``strict``, ``device``, ``merge`` or ``other``.
    file : str or None
        The file concerned.
    offset : int or None
        Byte of the file at which it is wrong, where that is known.
    field, value : str or None
        The option concerned, and its value.
    """

    code: str = "other"
    file: str | None = None
    offset: int | None = None
    field: str | None = None
    value: str | None = None


class FileError(Error, OSError):
    """A file that cannot be opened, read or written, or that is not what it should be. Also an `OSError`."""

    def __str__(self) -> str:
        return str(self.args[-1])


class OptionError(Error, ValueError):
    """An option, or what it makes of an observation, that is not possible. Also a `ValueError`."""


class OutOfMemory(Error, MemoryError):
    """Work that would hold more memory than there is; nothing of it was begun. Also a `MemoryError`."""


class Cancelled(Error):
    """A run that was told to end."""


_CLASSES: dict[str, type[Error]] = {
    "io": FileError,
    "format": FileError,
    "gti": FileError,
    "no-segments": OptionError,
    "input": OptionError,
    "no-events": OptionError,
    "argument": OptionError,
    "memory": OutOfMemory,
    "cancelled": Cancelled,
}


def from_parts(parts: dict[str, Any]) -> Error:
    """The exception for an error of the library."""
    made = _CLASSES.get(parts["code"], Error)
    message = parts["message"]
    if parts["errno"] is not None:
        error: Error = FileError(parts["errno"], message)
        error.filename = parts["file"]  # type: ignore[attr-defined]
    else:
        error = made(message)
    error.code, error.file = parts["code"], parts["file"]
    error.field, error.value = parts["field"], parts["value"]
    byte = re.search(r"\bbyte (\d+)", message)
    error.offset = int(byte.group(1)) if byte and error.file else None
    return error


def warn(found: Iterable[tuple[str, str]], stacklevel: int = 3) -> None:
    """Warns of each code and message."""
    for code, message in found:
        warnings.warn(EaglerayWarning(code, message), stacklevel=stacklevel)
