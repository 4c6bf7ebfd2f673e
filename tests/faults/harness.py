"""What every fault test stands on: registration by name, waiting without fixed sleeps, a lab that
is whole again after each test, and on failure what an engineer would look at first.

A test is a function of the lab with the decorator @fault; its docstring says what a user of the
mesh may rely on. It asserts by `until` (becomes true in time) and `holds` (stays true for a
while).
"""

import os
import sys
import time
import traceback

FAULTS = {}
# Deadlines are for a machine that does nothing else; on a busy one this makes them longer.
PATIENCE = float(os.environ.get("BEVMESH_TEST_PATIENCE", "1"))


class Failure(AssertionError):
    """A promise that was not kept."""


def fault(function):
    name = function.__name__
    if name in FAULTS:
        raise ValueError(f"two faults are called {name}")
    FAULTS[name] = function
    return function


def check(condition, what):
    if not condition:
        raise Failure(what)


def equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: expected {wanted!r}, got {got!r}")


def until(what, look, seconds=5.0):
    """Asks until `look` gives something true, which it returns. What `look` raises counts as not
    yet."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        try:
            seen = look()
            if seen:
                return seen
        except (AssertionError, OSError, KeyError) as error:
            seen = error
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds:g} s; last seen: {seen!r}")
        time.sleep(0.02)


def until_equal(what, look, wanted, seconds=5.0):
    """As `until`, for a value; on failure both are shown."""
    seen = []

    def matches():
        seen[:] = [look()]
        return seen[0] == wanted

    try:
        until(what, matches, seconds)
    except Failure as error:
        raise Failure(
            f"{what}: not {wanted!r} within {seconds:g} s; last seen: "
            f"{seen[0] if seen else error!r}"
        ) from None


def holds(what, look, seconds):
    """`look` gives something true, every time, for so long: the proof that nothing happens. One
    that has no answer, as while a leader is elected, is asked again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen = until(f"{what}: an answer", lambda: (look(),))[0]
        if not seen:
            raise Failure(
                f"{what}: no longer, {seconds - (end - time.monotonic()):.2f} s on; seen: {seen!r}"
            )
        time.sleep(0.05)


def run(lab, name):
    """Runs one fault; True when it passed. The lab is made whole before it and after it."""
    function = FAULTS[name]
    print(f"{name}: {' '.join(function.__doc__.split())}", flush=True)
    started = time.monotonic()
    lab.make_whole()
    ready = time.monotonic()
    marks = lab.log_marks()
    trouble = None
    try:
        function(lab)
        lab.check_daemons(marks)
    except BaseException as error:
        trouble = error
        if isinstance(error, Failure):
            frame = next(
                (
                    f
                    for f in reversed(traceback.extract_tb(error.__traceback__))
                    if "/cases/" in f.filename
                ),
                None,
            )
            print(f"  FAILED{f' ({frame.name}:{frame.lineno})' if frame else ''}: {error}")
        else:
            traceback.print_exc(file=sys.stdout)
        lab.show(marks)
    done = time.monotonic()
    try:
        lab.make_whole()
    except Exception as error:
        trouble = trouble or error
        print(f"  the lab could not be made whole: {error}")
    print(
        f"  {'FAILED' if trouble else 'passed'} in {done - ready:.1f} s"
        f" (+{ready - started + time.monotonic() - done:.1f} s before and after)",
        flush=True,
    )
    if isinstance(trouble, KeyboardInterrupt):
        raise trouble
    return trouble is None
