"""What was found, as a table on the terminal and as JSON."""

import dataclasses
import json

WORDS = {True: "met", False: "NOT MET", None: ""}


def number(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def table(found):
    """Goals first within a case, then figures, then what was skipped."""
    lines = []
    for case, outcome in found.items():
        lines.append(f"{case.name}: {case.title}")
        for row in sorted(outcome.rows, key=lambda row: (row.goal == "", row.value is None)):
            value = f"{number(row.value)} {row.unit}".strip()
            lines.append(f"  {row.what:58} {row.goal:>12} {value:>24}  {WORDS[row.met]:8}{row.note}".rstrip())
    return "\n".join(lines)


def summary(found):
    rows = [row for outcome in found.values() for row in outcome.rows]
    goals = [row for row in rows if row.goal]
    met, missed = sum(row.met is True for row in goals), [row for row in goals if row.met is False]
    unknown = len(goals) - met - len(missed) + sum(row.note.startswith("skipped") for row in rows)
    text = f"goals: {met} met, {len(missed)} not met, {unknown} skipped or void"
    return "\n".join([text, *(f"  not met: {row.case}: {row.what}: {number(row.value)}, goal {row.goal}" for row in missed)])


def save(path, found, facts, options):
    cases = {
        case.name: {"title": case.title, "rows": [dataclasses.asdict(row) for row in outcome.rows], "raw": outcome.raw, "curves": outcome.curves}
        for case, outcome in found.items()
    }
    path.write_text(json.dumps({"machine": facts, "options": options, "cases": cases}, indent=1))
