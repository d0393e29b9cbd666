"""The Markdown tables."""
import platform
import statistics

from . import build

NAMES = {"migrate": "migrating", "pinned": "pinned"}


def number(value):
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(value):
    return "-" if value is None else f"{value:.2f}"


class Notes:
    """Footnotes, each text once."""

    def __init__(self):
        self.texts = []

    def mark(self, text):
        if not text:
            return ""
        if text not in self.texts:
            self.texts.append(text)
        return f"<sup>{self.texts.index(text) + 1}</sup>"

    def lines(self):
        return [f"{at}. {text}" for at, text in enumerate(self.texts, 1)]


def machine():
    cpu = ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
            cpu = f"{len(models)} × {models[0]}, "
    except (OSError, IndexError):
        pass
    versions = [build.version("rustc", "--version"), build.version("go", "version").removeprefix("go version ")]
    said = ", ".join(version for version in versions if version)
    return f"{cpu}{platform.system()} {platform.release().split('-')[0]} {platform.machine()}; {said}"


def rule(columns):
    return "| --- |" + " ---: |" * (columns - 1)


def means(seen, procs, rows, side, other_of):
    """The geometric mean of time ratios; memory is not time."""
    ratios = []
    for row in rows:
        other = other_of(row)
        value = None if other is None or row.unit == "bytes" else seen.ratio(procs, row, side, other)
        if value:
            ratios.append(value)
    return statistics.geometric_mean(ratios) if ratios else None


def ratios_table(seen, everyone, procs, notes):
    """gaggle beside Go and the best of the peers."""
    ours = [side for side in everyone if side.name in NAMES.values()]
    go = next((side for side in everyone if side.name == "Go"), None)
    has_peers = any(side.is_peer for side in everyone)
    rows = [row for row in seen.rows if any(seen.median(procs, row, side) is not None for side in ours)]
    best = {row: seen.best_peer(procs, row, everyone) for row in rows}
    heads = ["workload", "unit", "Go"] + (["best peer"] if has_peers else [])
    for side in ours:
        heads += [f"**{side.name}**", "÷ Go"] + (["÷ peer"] if has_peers else [])
    lines = ["| " + " | ".join(heads) + " |", rule(len(heads))]
    for row in rows:
        cells = [str(row), row.unit, number(seen.median(procs, row, go)) if go else "-"]
        peer = best[row]
        if has_peers:
            mark = notes.mark(seen.remark(procs, row, peer)) if peer else ""
            cells.append(f"{number(seen.median(procs, row, peer))}{mark} {peer.name}" if peer else "-")
        for side in ours:
            mark = notes.mark(seen.remark(procs, row, side))
            cells += [number(seen.median(procs, row, side)) + mark, ratio(go and seen.ratio(procs, row, side, go))]
            if has_peers:
                cells.append(ratio(peer and seen.ratio(procs, row, side, peer)))
        lines.append("| " + " | ".join(cells) + " |")
    cells = ["geometric mean of times", "", ""] + ([""] if has_peers else [])
    for side in ours:
        cells += ["", ratio(means(seen, procs, rows, side, lambda row: go))]
        if has_peers:
            cells.append(ratio(means(seen, procs, rows, side, best.get)))
    return lines + ["| " + " | ".join(cells) + " |"]


def both(args, cell):
    """The cells for one processor and for two, in one."""
    return " / ".join(cell(procs) for procs in args.procs)


def summary(seen, everyone, args):
    """All processors in one table, for README.md."""
    ours = [side for side in everyone if side.name in NAMES.values()]
    go = next((side for side in everyone if side.name == "Go"), None)
    heads = ["ns, unless said", "Go", "best peer"]
    for side in ours:
        heads += [f"**{side.name}**", "÷ Go", "÷ peer"]
    lines = ["| " + " | ".join(heads) + " |", rule(len(heads))]
    for row in seen.rows:
        best = {procs: seen.best_peer(procs, row, everyone) for procs in args.procs}
        names = list(dict.fromkeys(side.name for side in best.values() if side))
        peer = both(args, lambda procs: number(best[procs] and seen.median(procs, row, best[procs])))
        unit = "" if row.unit == "ns" else f", {row.unit}"
        cells = [f"{row}{unit}", both(args, lambda procs: number(go and seen.median(procs, row, go)))]
        cells.append(f"{peer} {', '.join(names)}" if names else "-")
        for side in ours:
            cells.append(both(args, lambda procs: number(seen.median(procs, row, side))))
            cells.append(both(args, lambda procs: ratio(go and seen.ratio(procs, row, side, go))))
            cells.append(both(args, lambda procs: ratio(best[procs] and seen.ratio(procs, row, side, best[procs]))))
        lines.append("| " + " | ".join(cells) + " |")
    cells = ["geometric mean of times", "", ""]
    for side in ours:
        peers = both(args, lambda procs: ratio(
            means(seen, procs, seen.rows, side, lambda row: seen.best_peer(procs, row, everyone))))
        cells += ["", both(args, lambda procs: ratio(means(seen, procs, seen.rows, side, lambda row: go))), peers]
    return lines + ["| " + " | ".join(cells) + " |"]


def into_readme(text, lines):
    """README.md with the table between its two marks replaced."""
    begin, end = "<!-- written by benches/compare --readme -->", "<!-- to here -->"
    head, _, rest = text.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError("README.md has lost the marks around its table of figures")
    return "\n".join([head + begin, *lines, end + tail])


def peers_table(seen, everyone, procs, notes):
    """What each peer measured, and why it did not."""
    peers = [side for side in everyone if side.is_peer]
    heads = ["workload", "unit"] + [side.name for side in peers]
    lines = ["| " + " | ".join(heads) + " |", rule(len(heads))]
    for row in seen.rows:
        cells = [str(row), row.unit]
        for side in peers:
            cells.append(number(seen.median(procs, row, side)) + notes.mark(seen.remark(procs, row, side)))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def markdown(seen, everyone, args, remark):
    lines = [
        "# gaggle beside Go and its peers", "",
        f"Written by `benches/compare`; medians of {args.rounds} round{'s' if args.rounds > 1 else ''}, each workload in a process of its own, all sides "
        "in turn. A ratio is the median of the rounds' ratios; below 1, gaggle is faster (or smaller). "
        "*migrating* and *pinned* are gaggle's two modes. What each workload does stands in `benches/suite`.", "",
        f"{machine()}." + (f" {remark}" if remark else ""), ""]
    notes = Notes()
    for procs in args.procs:
        lines += [f"## {procs} processor{'s' if procs > 1 else ''}", "", *ratios_table(seen, everyone, procs, notes), ""]
    if any(side.is_peer for side in everyone):
        for procs in args.procs:
            lines += [f"## The peers, {procs} processor{'s' if procs > 1 else ''}", ""]
            lines += [*peers_table(seen, everyone, procs, notes), ""]
    if notes.texts:
        lines += ["## Notes", "", *notes.lines(), ""]
    missing = [f"- {failure}" for failure in seen.failures if not failure.side.is_peer]
    if missing:
        lines += ["## Failed", "", *missing, ""]
    return "\n".join(lines)
