"""What a run says, in sentences for a reader who was not there."""

from __future__ import annotations

from lgckpt.loadtest.report.figures import load, rate, size, times, took
from lgckpt.loadtest.results import OperationStats, Run, Side

BUSY = 0.85
"""The share of a core from which on a client process, not the database, may be the limit."""

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
        return (
            f"The data was right: {checked:,} reads were compared with what had been written; "
            "nothing was lost, torn, stale or doubled."
        )
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
        busy = side.cpu_seconds / side.seconds / run.processes if side.seconds else 0.0
        if busy >= BUSY:
            found.append(
                f"{side.name}: the client processes were busy for {busy:.0%} of the time, so the "
                "database may carry more than was measured. Run it with more --processes."
            )
        if any(one.count < 100 for one in side.operations if one.count):
            found.append(f"{side.name}: of some calls there are under 100; their p99 is the max.")
    return found


def _carried(run: Run, side: Side) -> str:
    done = rate(side.steps_per_second)
    if run.loop == "open" and run.rate:
        word = "carried" if side.steps_per_second >= KEPT_UP * run.rate else "fell behind"
        how = f"{side.name} {word}: {rate(run.rate)} supersteps a second were due, {done} came back"
    else:
        loads = [level.load for level in side.levels]
        most = f"1 to {load(max(loads))}" if loads else load(run.clients)
        noun = "client" if most == "1" else "clients"
        how = f"{side.name} carried {done} supersteps a second with {most} {noun}"
    put = _named(side, "put")
    if put is None:
        return f"{how}."
    return (
        f"{how}. Half of the puts took less than {took(put.p50_ms)}, "
        f"99 of 100 less than {took(put.p99_ms)}."
    )


def _beside(side: Side, other: Side) -> str:
    parts = []
    if side.steps_per_second and other.steps_per_second:
        parts.append(_ratio(side.steps_per_second / other.steps_per_second, "the supersteps"))
    ours, theirs = _named(side, "put"), _named(other, "put")
    if ours and theirs and ours.p99_ms and theirs.p99_ms:
        parts.append(_ratio(ours.p99_ms / theirs.p99_ms, "the time of a put at p99"))
    if side.stored and other.stored and side.steps and other.steps:
        each = (side.stored / side.steps) / (other.stored / other.steps)
        parts.append(_ratio(each, "the bytes stored a superstep"))
    return f"{side.name}, beside {other.name}: {', '.join(parts)}." if parts else ""


def _ratio(ratio: float, what: str) -> str:
    return f"{times(ratio)} {what}" if ratio >= 0.995 else f"{ratio:.2g} of {what}"


def _knee(run: Run, side: Side) -> str:
    at = next((level for level in side.levels if level.knee), None)
    unit = "clients" if run.loop == "closed" else "supersteps a second"
    if at is None:
        return f"{side.name} had no knee up to {load(side.levels[-1].load)} {unit}."
    return (
        f"{side.name} has its knee at {load(at.load)} {unit}: "
        f"{rate(at.steps_per_second)} supersteps a second came back there, and more load mostly "
        "makes calls wait longer."
    )


def _stored(side: Side) -> str:
    if not side.growth or not (last := side.growth[-1]).stored:
        return ""
    return (
        f"{side.name} holds {size(last.stored)} for {last.steps:,} supersteps that handed over "
        f"{size(last.written)} of new values."
    )


def _named(side: Side, name: str) -> OperationStats | None:
    return next((one for one in side.operations if one.operation == name and one.count), None)
