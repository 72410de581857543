"""What a case finds: rows of goal and measured value, raw rounds, and curves to draw."""

import dataclasses


@dataclasses.dataclass
class Row:
    """`met` None: there is no goal, or nothing was measured; `note` says why."""

    case: str
    what: str
    goal: str
    value: float | None
    unit: str = ""
    met: bool | None = None
    note: str = ""


def most(case, what, limit, value, unit="", note=""):
    """A value that may be `limit` at most."""
    met = None if value is None or limit is None else value <= limit
    return Row(case, what, "" if limit is None else f"<= {limit:g}", value, unit, met, note)


def least(case, what, limit, value, unit="", note=""):
    met = None if value is None else value >= limit
    return Row(case, what, f">= {limit:g}", value, unit, met, note)


def fact(case, what, value, unit="", note=""):
    """A figure without a goal."""
    return Row(case, what, "", value, unit, None, note)


def skipped(case, what, why):
    return Row(case, what, "", None, "", None, f"skipped: {why}")


@dataclasses.dataclass
class Found:
    """The outcome of one case. `bars` and `curves` are drawn: {title: {label: value}} and {title: ([(x, y)], unit)}."""

    rows: list = dataclasses.field(default_factory=list)
    raw: dict = dataclasses.field(default_factory=dict)
    failed: bool = False  # the case itself, which is not a goal that was missed
    bars: dict = dataclasses.field(default_factory=dict)
    curves: dict = dataclasses.field(default_factory=dict)
