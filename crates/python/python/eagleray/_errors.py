"""Errors and warnings."""

from __future__ import annotations

import re
import sys
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
        self.code, self.message = code, message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.message)


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
    """A file that cannot be opened, read or written, or that is not what it should be. Also an `OSError`, and of the kind that Python
    has for its number: a `FileNotFoundError` for a file that is not there, a `PermissionError` for one that may not be read.
    """

    def __str__(self) -> str:
        return str(self.args[-1])


class OptionError(Error, ValueError):
    """An option, or what it makes of an observation, that is not possible. Also a `ValueError`."""

    code = "argument"


class OptionTypeError(OptionError, TypeError):
    """An option that does not exist, or a value of a type that it does not take. Also a `TypeError`."""


class OutOfMemory(Error, MemoryError):
    """Work that would hold more memory than there is; nothing of it was begun. Also a `MemoryError`."""


class Cancelled(Error):
    """A run that was told to end."""


class FileNotFound(FileError, FileNotFoundError): ...


class FileExists(FileError, FileExistsError): ...


class FileNotPermitted(FileError, PermissionError): ...


class FileIsADirectory(FileError, IsADirectoryError): ...


class FileNotADirectory(FileError, NotADirectoryError): ...


#: What errors of the system are, by the class that Python has for their number.
_OF_SYSTEM: dict[type[OSError], type[FileError]] = {
    FileNotFoundError: FileNotFound,
    FileExistsError: FileExists,
    PermissionError: FileNotPermitted,
    IsADirectoryError: FileIsADirectory,
    NotADirectoryError: FileNotADirectory,
}

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

#: Options by the names that the library has for them, where they differ.
_OPTIONS = {
    "rebin.Geometric": "rebin_log",
    "rebin.Linear": "rebin",
    "time.rebin": "rebin_time",
    "time.rebin.Geometric": "rebin_time_log",
    "time.across_gaps": "across_gaps",
    "dead_time.rate": "dead_time_rate",
    "dead_time.detectors": "dead_time_detectors",
    "fad.smoothing": "fad_smoothing",
    "half_bandwidth": "nw",
    "detectors": "detector",
    "response": "rmf",
    "tier": "gpu_profile",
    "compat_stingray": "compat",
    "ephemeris": "par",
}

_NUMBER = r"[-+]?[\d.]+(?:e[-+]?\d+)?"


def _setting(field: str, value: str | None) -> str:
    """An option and the value to give it, as Python has them."""
    if (field, value) == ("gti", "span"):
        return "no_gti=True"
    name = _OPTIONS.get(field, field)
    if value is None:
        return name
    if value in ("true", "false"):
        return f"{name}={value.capitalize()}"
    if re.fullmatch(f"{_NUMBER}(/{_NUMBER})?", value):
        return f"{name}={value}"
    ends = re.fullmatch(f"({_NUMBER}):({_NUMBER})", value)
    return f"{name}=({ends[1]}, {ends[2]})" if ends else f'{name}="{value}"'


def _worded(parts: dict[str, Any]) -> str:
    """What an error of the library says, in the words of Python."""
    field, value = parts["field"], parts["value"]
    told = "" if field is None else f"{field}: " if not value else f"{field} = {value}: "
    ways = []
    for settings, effect in parts["mend"]:
        way = " with ".join(_setting(*setting) for setting in settings)
        ways.append(f"{way} ({effect})" if effect else way)
    return told + str(parts["reason"]) + (f"; what mends it: {', '.join(ways)}" if ways else "")


def from_parts(parts: dict[str, Any]) -> Error:
    """The exception for an error of the library."""
    parts = {**parts, "field": _OPTIONS.get(parts["field"], parts["field"])}
    made = _CLASSES.get(parts["code"], Error)
    message = _worded(parts)
    if parts["errno"] is not None:
        of_system = _OF_SYSTEM.get(type(OSError(parts["errno"], message)), FileError)
        error: Error = of_system(parts["errno"], message)
        error.filename = parts["file"]  # type: ignore[attr-defined]
    else:
        error = made(message)
    error.code, error.file = parts["code"], parts["file"]
    error.field, error.value = parts["field"], parts["value"]
    byte = re.search(r"\bbyte (\d+)", message)
    error.offset = int(byte.group(1)) if byte and error.file else None
    return error


def of_system(wrong: OSError, file: str) -> FileError:
    """The exception for what the system refuses."""
    error = _OF_SYSTEM.get(type(wrong), FileError)(wrong.errno, f"{file}: {wrong.strerror}")
    error.filename, error.code, error.file = file, "io", file
    return error


def of_another_type(option: str | None, message: str) -> OptionTypeError:
    """The exception for a value of a type that an option does not take."""
    name = None if option is None else _OPTIONS.get(option, option)
    error = OptionTypeError(message if name is None else f"{name}: {message}")
    error.field = name
    return error


def article(noun: str) -> str:
    """A noun with its indefinite article."""
    return f"an {noun}" if noun[:1].lower() in "aeiou" or noun == "ndarray" else f"a {noun}"


def refused(name: str, value: Any, message: str, *, of_type: bool = False) -> OptionError:
    """The exception for an option that cannot be used."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 and "\n" not in shown else article(type(value).__name__)
    made = OptionTypeError if of_type else OptionError
    error = made(f"{name} = {shown}: {message}")
    error.field, error.value = name, shown
    return error


def warn(found: Iterable[tuple[str, str]]) -> None:
    """Warns of each code and message, where this package was called."""
    package = __name__.partition(".")[0]
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    for code, message in found:
        warnings.warn(EaglerayWarning(code, message), stacklevel=level)
