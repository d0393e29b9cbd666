"""Runs one workload of one side in a process of its own, and keeps the figures."""
import dataclasses
import os
import signal
import statistics
import subprocess


@dataclasses.dataclass(frozen=True)
class Side:
    name: str
    command: list = dataclasses.field(hash=False)
    is_peer: bool = False


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table: a workload, or one figure of it."""
    workload: str
    figure: str
    unit: str

    def __str__(self):
        return f"{self.workload}: {self.figure}" if self.figure else self.workload

    def cost(self, value):
        """What is to be small."""
        return 1 / value if self.unit.endswith("/s") else value


@dataclasses.dataclass(frozen=True)
class Failure:
    """A workload that a side did not end; it is not tried again."""
    side: Side
    procs: int
    workload: str
    why: str

    def __str__(self):
        return f"{self.side.name}, {self.workload}, {self.procs} processor{'s' if self.procs > 1 else ''}: {self.why}"


class Seen:
    """All figures, round by round."""

    def __init__(self):
        self.rows = []
        self.values = {}
        self.failures = []
        # Side and workload: why there is none.
        self.lacking = {}
        # Side and workload: how it differs.
        self.remarks = {}

    def add(self, side, procs, workload, extra, timeout):
        failed = any((f.side, f.procs, f.workload) == (side, procs, workload) for f in self.failures)
        if failed or (side, workload) in self.lacking:
            return
        command = side.command + extra + [workload]
        env = os.environ | dict.fromkeys(("GAGGLE_PROCS", "GOMAXPROCS", "PEER_PROCS"), str(procs))
        env["RUST_BACKTRACE"] = "0"
        try:
            out = subprocess.run(
                command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            self.failures.append(Failure(side, procs, workload, f"not done after {timeout} s"))
            return
        if out.returncode:
            self.failures.append(Failure(side, procs, workload, reason(out)))
            return
        for line in out.stdout.splitlines():
            self.keep(side, procs, line)

    def keep(self, side, procs, line):
        workload, figure, value, unit, remark = (line + "\t").split("\t")[:5]
        if value == "-":
            self.lacking[side, workload] = remark
            return
        if remark:
            self.remarks[side, workload] = remark
        row = Row(workload, figure, unit)
        if row not in self.rows:
            self.rows.append(row)
        self.values.setdefault((procs, row, side), []).append(float(value))

    def median(self, procs, row, side):
        values = self.values.get((procs, row, side))
        return statistics.median(values) if values else None

    def ratio(self, procs, row, side, other):
        """Round by round, and the median of it: what disturbed the machine disturbed both."""
        pairs = zip(self.values.get((procs, row, side), []), self.values.get((procs, row, other), []))
        ratios = [row.cost(ours) / row.cost(theirs) for ours, theirs in pairs if ours and theirs]
        return statistics.median(ratios) if ratios else None

    def best_peer(self, procs, row, everyone):
        known = [(side, self.median(procs, row, side)) for side in everyone if side.is_peer]
        known = [(row.cost(value), side.name, side) for side, value in known if value]
        return min(known)[2] if known else None

    def why_missing(self, procs, workload, side):
        for failure in self.failures:
            if (failure.side, failure.procs, failure.workload) == (side, procs, workload):
                return failure.why
        return self.lacking.get((side, workload), "")

    def remark(self, procs, row, side):
        """What a footnote has to say of a cell."""
        if self.median(procs, row, side) is None:
            return self.why_missing(procs, row.workload, side)
        return self.remarks.get((side, row.workload), "")


def reason(out):
    """Why a process failed, in a few words."""
    if out.returncode < 0:
        try:
            return f"died of {signal.Signals(-out.returncode).name}"
        except ValueError:
            return f"died of signal {-out.returncode}"
    said = [line.strip() for line in out.stderr.splitlines() if line.strip() and not line.startswith("note:")]
    # Rust's panics say on the next line why; Go's begin with it.
    panics = [at for at, line in enumerate(said[:-1]) if "panicked at" in line]
    said = [said[panics[0] + 1]] if panics else [line for line in said if line.startswith("panic:")] or said
    return f"failed with status {out.returncode}" + (f": {said[-1][:120]}" if said else "")
