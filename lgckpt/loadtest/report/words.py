"""What a run says, in sentences for a reader who was not there."""

from __future__ import annotations

from lgckpt.loadtest.report.figures import load, rate, share, size, times, took
from lgckpt.loadtest.results import Level, OperationStats, Run, Side

BUSY = 0.85
"""The share of a core from which on a client process, not the database, may be the limit."""

FEW = 100
"""Calls below which one of a hundred is not told apart from the slowest."""

KEPT_UP = 0.98
"""The share of an open loop's rate from which on it was carried."""

WORKLOADS = {
    "chat": "Conversations that grow by a few messages a superstep: a system prompt, questions, "
    "tool calls with their outputs, answers with usage metadata.",
    "research": "Few supersteps, each with large documents in the state.",
    "fanout": "Many parallel tasks in a superstep, so many small pending writes.",
    "wide": "A state of hundreds of channels, of which a few change in each superstep.",
    "hitl": "A human in the loop: interrupts, pauses, resumes, and reads of older checkpoints.",
    "mixed": "Several workloads at once, by their weights.",
    "replay": "The recorded calls of a real graph.",
}
"""What each workload does, by its name."""


def about(workload: str) -> str:
    """What a workload does; "" if it is not known here."""
    return WORKLOADS.get(workload.partition(":")[0].partition(" ")[0], "")


def verdict(run: Run) -> str:
    """Whether the data was right, in a sentence."""
    checked = sum(side.correctness.checked for side in run.sides)
    if not checked:
        return "No read was checked: nothing is known of whether the data was right."
    if not run.wrong:
        said = (
            f"The data was right: {checked:,} reads were compared with what had been written; "
            "nothing was lost, torn, stale or doubled."
        )
        failed = sum(sum(side.errors.values()) for side in run.sides)
        return f"{said} But {failed:,} calls failed." if failed else said
    found = []
    for kind in ("lost", "torn", "stale", "doubled"):
        count = sum(getattr(side.correctness, kind) for side in run.sides)
        found += [f"{count:,} {kind}"] if count else []
    return f"FAILED: of {checked:,} reads that were checked, {', '.join(found)}."


def headlines(run: Run) -> list[str]:
    """The answers: what was carried, how fast, until which load, and what was stored."""
    found = [_carried(run, side) for side in run.sides]
    if len(run.sides) > 1:
        found += [_beside(run.sides[0], other) for other in run.sides[1:]]
    found += [_knee(run, side) for side in run.sides if side.levels]
    found += [_stored(side) for side in run.sides if side.stored is not None and side.written]
    return [line for line in found if line]


def cautions(run: Run) -> list[str]:
    """What a reader must not overlook before believing a figure."""
    found = list(run.notes)
    for side in run.sides:
        if errors := sum(side.errors.values()):
            found.append(f"{side.name}: {errors:,} calls failed; they are in no latency.")
        if side.events:
            events = ", ".join(f"{one.what} at {one.at:.0f} s" for one in side.events)
            found.append(f"{side.name}: {events}. What waited for it is in the latencies.")
        busy = side.cpu_seconds / side.seconds / run.processes if side.seconds else 0.0
        if busy >= BUSY:
            found.append(
                f"{side.name}: the client processes were busy for {share(busy)} of the time: the "
                "database may carry more than was measured. Run it with more --processes."
            )
        if few := [one.operation for one in side.operations if 0 < one.count < FEW]:
            found.append(
                f"{side.name}: fewer than {FEW} calls of {', '.join(few)}: "
                "their p99 is the slowest one."
            )
    return found


def _carried(run: Run, side: Side) -> str:
    done = rate(_rate(side))
    if level := best(side):
        how = f"{side.name} carried up to {done} supersteps a second, at {_load(run, level)}"
    elif run.loop == "open" and run.rate:
        due = run.rate * min(run.duration, side.seconds)
        kept_up = side.steps >= KEPT_UP * due and not side.late
        how = (
            f"{side.name} {'carried the load' if kept_up else 'fell behind'}: of {due:,.0f} "
            f"supersteps that were due, {rate(run.rate)} a second, {side.steps:,} came back"
        )
    else:
        noun = "client" if run.clients == 1 else "clients"
        how = f"{side.name} carried {done} supersteps a second with {run.clients:,} {noun}"
    return f"{how}{_waited(_calls(side))}."


def _waited(operations: tuple[OperationStats, ...]) -> str:
    put = _named(operations, "put")
    if put is None:
        return ""
    return f"; half of the puts took up to {took(put.p50_ms)}, 99 of 100 up to {took(put.p99_ms)}"


def best(side: Side) -> Level | None:
    """The level of a ramp at which the most came back; None without a ramp."""
    return max(side.levels, key=lambda level: level.steps_per_second, default=None)


def _rate(side: Side) -> float:
    level = best(side)
    return level.steps_per_second if level else side.steps_per_second


def _calls(side: Side) -> tuple[OperationStats, ...]:
    level = best(side)
    return level.operations if level else side.operations


def _beside(side: Side, other: Side) -> str:
    parts = []
    if _rate(side) and _rate(other):
        parts.append(_ratio(_rate(side) / _rate(other), "the supersteps"))
    ours, theirs = _named(side.operations, "put"), _named(other.operations, "put")
    # On a ramp each does its most at another load: their waits there do not compare.
    if not side.levels and ours and theirs and ours.p99_ms and theirs.p99_ms:
        parts.append(_ratio(ours.p99_ms / theirs.p99_ms, "the time of a put at p99"))
    if (one := _each(side)) and (each := _each(other)):
        parts.append(_ratio(one / each, "the bytes stored a superstep"))
    return f"{side.name}, beside {other.name}: {', '.join(parts)}." if parts else ""


def _each(side: Side) -> float:
    last = side.growth[-1] if side.growth else None
    return (last.stored or 0) / last.steps if last and last.steps else 0.0


def _ratio(ratio: float, what: str) -> str:
    return f"{times(ratio)} {what}" if ratio >= 0.995 else f"{share(ratio)} of {what}"


def _load(run: Run, level: Level) -> str:
    if run.loop == "open":
        return f"{load(level.load)} supersteps a second due"
    return f"{load(level.load)} {'client' if level.load == 1 else 'clients'}"


def _knee(run: Run, side: Side) -> str:
    at = next((level for level in side.levels if level.knee), None)
    last = side.levels[-1]
    if at is None and run.loop == "open":
        least = _load(run, side.levels[0])
        return f"{side.name} fell behind at {least} already, the least tried: its knee is below."
    if at is None:
        return f"{side.name} had no knee up to {_load(run, last)}."
    if at is last and len(side.levels) > 1:
        return (
            f"{side.name} was not past its knee at {_load(run, at)}, the most tried: only a higher "
            "--ramp tells where it is."
        )
    if at is best(side):
        return (
            f"{side.name} has its knee where it carried most, at {_load(run, at)}: more load "
            "mostly makes calls wait longer."
        )
    return (
        f"{side.name} has its knee at {_load(run, at)}: {rate(at.steps_per_second)} "
        f"supersteps a second came back{_waited(at.operations)}. More load than that mostly makes "
        "calls wait longer."
    )


def _stored(side: Side) -> str:
    if not side.growth or not (last := side.growth[-1]).stored:
        return ""
    return (
        f"{side.name} grew by {size(last.stored)} for {last.steps:,} supersteps that handed over "
        f"{size(last.written)} of changed values."
    )


def _named(operations: tuple[OperationStats, ...], name: str) -> OperationStats | None:
    return next((one for one in operations if one.operation == name and one.count), None)


def loop(run: Run) -> str:
    """How the load was made, in two sentences."""
    if run.loop == "closed":
        return (
            "Each of the clients is an agent that waits for an answer before it goes on (a closed "
            "loop): a slow database slows its clients down."
        )
    return (
        "Supersteps were due at a fixed rate, whether or not earlier ones had come back (an open "
        "loop), and each latency counts from the moment its call was due: time spent waiting "
        "behind a slow call is in it, so nothing is left out while the database stands still."
    )
