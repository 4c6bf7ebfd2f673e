"""What the writers and the watcher saw, against the promises of a group. Pure but for reading
files.

An acknowledged write happened somewhere between being sent and being answered: two nodes took
writes in turns only if there is a chain of writes, each sent after the one before was answered,
that changes sides. As many changes as the epoch rose by are moves; one more is two primaries.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Write:
    writer: str
    number: int
    sent: int
    ended: int
    kind: str
    where: str
    error: str


def read_writes(writer, path):
    writes = []
    for line in path.read_text().splitlines():
        words = line.split()
        if len(words) == 6:
            writes.append(Write(writer, *(int(word) for word in words[:3]), *words[3:]))
    return writes


def changes_of_side(writes):
    """The longest chain of acknowledged writes that provably came one after the other and each on
    another node than the one before."""
    chain = []
    for write in sorted((w for w in writes if w.kind == "acked"), key=lambda w: w.ended):
        if not chain or (write.where != chain[-1].where and write.sent > chain[-1].ended):
            chain.append(write)
    return chain


def longest_gap(writes, since=0):
    """Seconds between two acknowledged writes of one writer, and when it began; one that has begun
    before `since` counts from there."""
    acked = sorted(w.ended for w in writes if w.kind == "acked" and w.ended >= since)
    instants = [since, *acked] if since else acked
    gaps = [(after - before, before) for before, after in zip(instants, instants[1:])]
    longest, at = max(gaps, default=(0, 0))
    return longest / 1e9, at


@dataclass
class Account:
    """Of all writers' writes against what the primary holds in the end."""

    acked: int = 0
    lost: int = 0  # acknowledged and not there
    recovered: int = 0  # without an answer, and there
    vanished: int = 0  # without an answer, and not there
    refused: int = 0
    refused_yet_there: int = 0
    duplicate: int = 0

    def __str__(self):
        return (
            f"{self.acked} acknowledged, {self.lost} of them lost; "
            f"{self.recovered + self.vanished} without an answer, {self.recovered} of them there; "
            f"{self.duplicate} duplicates; {self.refused} refused"
        )


def account(writes, held):
    """`held`: writer → the numbers that the primary has."""
    total = Account()
    for writer, numbers in held.items():
        total.duplicate += len(numbers) - len(set(numbers))
    kept = {writer: set(numbers) for writer, numbers in held.items()}
    for write in writes:
        there = write.number in kept[write.writer]
        if write.kind == "acked":
            total.acked += 1
            total.lost += not there
        elif write.kind == "unknown":
            total.recovered += there
            total.vanished += not there
        elif write.kind == "refused":
            total.refused += 1
            total.refused_yet_there += there
    return total
