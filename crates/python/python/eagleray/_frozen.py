"""Metadata that cannot be written to."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NoReturn


def _refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise TypeError("what a product tells of itself cannot be changed; copy.deepcopy makes a copy that can")


class _Dict(dict[str, Any]):
    """A dictionary that never changes; its copies, pickled ones too, are plain ones."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {key: deepcopy(value, memo) for key, value in self.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (deepcopy(self),)

    def __copy__(self) -> dict[str, Any]:
        return dict(self)


class _List(list[Any]):
    """A list that never changes; its copies are plain ones."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [deepcopy(value, memo) for value in self]

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (deepcopy(self),)

    def __copy__(self) -> list[Any]:
        return list(self)


def frozen(value: Any) -> Any:
    """A value of JSON that never changes."""
    if isinstance(value, dict):
        return _Dict({key: frozen(one) for key, one in value.items()})
    return _List(map(frozen, value)) if isinstance(value, list) else value
