"""What a case is: a name for --case, a title for --list, and a function that measures."""

import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    title: str
    run: typing.Callable  # (bench, case) -> rows.Found
