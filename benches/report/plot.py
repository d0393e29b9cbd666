"""The plot: what each workload takes, relative to Go, on a logarithmic scale. Plain SVG, no library."""
import math
from html import escape

from .table import NAMES

LABELS, PANEL, ROW, TOP, GAP, RIGHT = 190, 330, 20, 74, 40, 24
# Colours that differ also in grey, and shapes that differ without colour.
STYLES = {"migrating": "#0b6e4f", "pinned": "#58a4d4", "peer": "#d1495b"}
TICKS = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]


def shape(kind, x, y, title):
    colour = STYLES[kind]
    tip = f"<title>{escape(title)}</title>"
    if kind == "migrating":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}">{tip}</circle>'
    if kind == "pinned":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="none" stroke="{colour}" stroke-width="2">{tip}</circle>'
    points = f"{x:.1f},{y - 5:.1f} {x + 5:.1f},{y:.1f} {x:.1f},{y + 5:.1f} {x - 5:.1f},{y:.1f}"
    return f'<polygon points="{points}" fill="{colour}">{tip}</polygon>'


def text(x, y, words, anchor="start", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def dots(seen, everyone, procs, row, go):
    """Kind, ratio to Go, and words for each mark of one row."""
    found = []
    peer = seen.best_peer(procs, row, everyone)
    if peer:
        found.append(("peer", seen.ratio(procs, row, peer, go), f"{row}: {peer.name}"))
    for side in everyone:
        if side.name in NAMES.values():
            found.append((side.name, seen.ratio(procs, row, side, go), f"{row}: {side.name}"))
    return [(kind, ratio, f"{words}, {ratio:.2f} of Go") for kind, ratio, words in found if ratio]


def legend(kinds):
    names = {"migrating": "gaggle, migrating", "pinned": "gaggle, pinned", "peer": "best peer"}
    out, x = [], LABELS
    for kind in kinds:
        out += [shape(kind, x + 6, 40, names[kind]), text(x + 17, 44, names[kind])]
        x += 150
    return out


def panel(at, procs, rows, marks, lowest, highest):
    left, bottom = LABELS + at * (PANEL + GAP), TOP + len(rows) * ROW
    width = math.log(highest / lowest)

    def place(ratio):
        return left + PANEL * math.log(ratio / lowest) / width

    out = [text(left + PANEL / 2, TOP - 8, f"{procs} processor{'s' if procs > 1 else ''}", "middle", ' font-weight="600"')]
    for tick in (tick for tick in TICKS if lowest <= tick <= highest):
        stroke = ' stroke="#444" stroke-width="1.5"' if tick == 1 else ' stroke="#ddd"'
        x = place(tick)
        out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"{stroke}/>')
        out.append(text(x, bottom + 16, "Go" if tick == 1 else f"{tick:g}", "middle"))
    for number, row in enumerate(rows):
        y = TOP + (number + 0.5) * ROW
        out.append(f'<line x1="{left}" x2="{left + PANEL}" y1="{y}" y2="{y}" stroke="#f0f0f0"/>')
        out += [shape(kind, place(ratio), y, words) for kind, ratio, words in marks[procs, row]]
    return out


def svg(seen, everyone, args):
    go = next((side for side in everyone if side.name == "Go"), None)
    if go is None:
        return None
    marks = {(procs, row): dots(seen, everyone, procs, row, go) for procs in args.procs for row in seen.rows}
    rows = [row for row in seen.rows if any(marks[procs, row] for procs in args.procs)]
    ratios = [ratio for found in marks.values() for _, ratio, _ in found] + [1]
    lowest = max([tick for tick in TICKS if tick <= min(ratios)], default=TICKS[0] / 2)
    highest = min([tick for tick in TICKS if tick >= max(ratios)], default=TICKS[-1] * 2)
    lowest, highest = min(lowest, min(ratios), 0.5), max(highest, max(ratios), 2)
    width = LABELS + len(args.procs) * (PANEL + GAP) - GAP + RIGHT
    height = TOP + len(rows) * ROW + 46
    kinds = [kind for kind in STYLES if any(found[0] == kind for mark in marks.values() for found in mark)]
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        text(LABELS, 20, "Time, or memory, relative to Go (left is better; logarithmic scale)", extra=' font-size="14" font-weight="600"'),
        *legend(kinds)]
    out += [text(LABELS - 10, TOP + (at + 0.5) * ROW + 4, str(row), "end") for at, row in enumerate(rows)]
    for at, procs in enumerate(args.procs):
        out += panel(at, procs, rows, marks, lowest, highest)
    return "\n".join(out + ["</svg>", ""])
