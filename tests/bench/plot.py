"""Plots as SVG, written by hand: bars for proxies side by side, lines for growth."""

import html
import math
import re

WIDTH, BAR, LEFT, TEXT = 760, 22, 150, 'font-family="sans-serif" font-size="13"'


def _page(title, height, parts):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">'
    name = f'<text x="10" y="22" {TEXT} font-weight="bold">{html.escape(title)}</text>'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', name, *parts, "</svg>\n"])


def bars(title, values):
    """@param values  {label: value}; None is left out"""
    shown = {label: value for label, value in values.items() if value is not None}
    most = max(shown.values(), default=0) or 1
    parts = []
    for place, (label, value) in enumerate(shown.items()):
        y, width = 40 + place * (BAR + 8), value / most * (WIDTH - LEFT - 90)
        colour = "#2a6f97" if label.startswith("gatehouse") else "#a9b4bd"
        parts.append(f'<text x="{LEFT - 8}" y="{y + 16}" {TEXT} text-anchor="end">{html.escape(label)}</text>')
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + width + 6:.1f}" y="{y + 16}" {TEXT}>{value:.2f}</text>')
    return _page(title, 50 + len(shown) * (BAR + 8), parts)


def curve(title, points):
    """@param points  [(x, y)], x on a logarithmic scale; the vertical one begins at 0, so that flat looks flat"""
    height, bottom, right = 320, 270, WIDTH - 40
    lowest, highest = math.log10(max(points[0][0], 1)), math.log10(max(points[-1][0], 10))
    most = max(y for _, y in points) or 1
    spot = [(70 + (math.log10(max(x, 1)) - lowest) / (highest - lowest or 1) * (right - 70), bottom - y / most * 200) for x, y in points]
    parts = [f'<path d="M70 {bottom} H{right} M70 {bottom} V50" stroke="#888" fill="none"/>']
    parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in spot)}" fill="none" stroke="#2a6f97" stroke-width="2"/>')
    for (x, y), (value, cost) in zip(spot, points):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#2a6f97"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 10:.1f}" {TEXT} text-anchor="middle">{cost:.2f}</text>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" {TEXT} text-anchor="middle">{value}</text>')
    return _page(title, height, parts)


def save(folder, found):
    for case, outcome in found.items():
        drawn = [(title, bars(title, values)) for title, values in outcome.bars.items()]
        drawn += [(title, curve(title, points)) for title, points in outcome.curves.items() if len(points) > 1]
        for place, (title, text) in enumerate(drawn):
            name = case.name if place == 0 else case.name + "-" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
            (folder / f"{name}.svg").write_text(text, encoding="utf-8")
