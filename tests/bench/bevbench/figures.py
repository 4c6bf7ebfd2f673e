"""Percentiles, their uncertainty, and how results are printed: what was measured, beside what it is
held against."""

import json
import random


def percentile(values, p):
    """Nearest rank: a value that occurred."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * p // 100) - 1))]


def interval(statistic, *samples, rounds=2000):
    """The central 95 % of `statistic` over resampled samples (bootstrap, fixed seed)."""
    chance = random.Random(1)
    values = sorted(
        statistic(*(chance.choices(sample, k=len(sample)) for sample in samples))
        for _ in range(rounds)
    )
    return values[int(rounds * 0.025)], values[int(rounds * 0.975)]


def summary(values):
    return {
        "n": len(values),
        "min": min(values),
        "p25": percentile(values, 25),
        "p50": percentile(values, 50),
        "p75": percentile(values, 75),
        "p99": percentile(values, 99),
        "max": max(values),
    }


def _cell(value):
    return f"{value:8.2f}" if abs(value) < 20 else f"{value:8.1f}"


class Report:
    """Lines for people, the same numbers for machines."""

    def __init__(self, name, text):
        self.name, self.numbers = name, {}
        print(f"== {name}: {text}", flush=True)

    def line(self, text, **numbers):
        self.numbers.update(numbers)
        print(f"   {text}", flush=True)

    def table(self, unit, rows):
        """rows: label → list of values."""
        width = max(len(label) for label in rows)
        columns = ("n", "min", "p25", "p50", "p75", "p99", "max")
        print(f"   {unit:{width}} " + " ".join(f"{column:>8}" for column in columns))
        for label, values in rows.items():
            numbers = summary(values)
            self.numbers[label] = numbers
            cells = (f"{numbers[c]:8d}" if c == "n" else _cell(numbers[c]) for c in columns)
            print(f"   {label:{width}} " + " ".join(cells))
        print(end="", flush=True)

    def target(self, text, value, limit):
        """A figure to reach; said, never enforced: times are this machine's."""
        word = "reached" if value <= limit else "MISSED"
        self.numbers[text] = {"value": value, "limit": limit}
        print(f"   target {text}: {value:.2f} (at most {limit:.2f}): {word}", flush=True)

    def save(self, path):
        if path:
            with open(path, "a") as file:
                file.write(json.dumps({"bench": self.name, **self.numbers}) + "\n")
