"""What others are told of a group: load balancers, Prometheus, the command line."""

import json

from harness import check, equal, fault, until
from redis_group import GROUP

METRICS = 9701


def _get(node, path):
    status, _, body = node.http("GET", path, port=METRICS)
    return status, body


def _metric(asked, name, /, **labels):
    """The value of one line of the exposition."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    for line in _get(asked, "/metrics")[1].splitlines():
        head, _, value = line.rpartition(" ")
        if head.startswith(name + "{") and all(word in head for word in wanted):
            return float(value)
    raise OSError(f"no {name} {labels} on {asked}")


@fault
def redis_load_balancers(lab):
    """/primary/GROUP answers 200 on the primary alone, /replica/GROUP on a replica that streams and
    lacks no more than max_lag; a group that is none is 404."""
    group = lab.group
    primary, replica = group.primary(), group.replica()
    equal(_get(primary, f"/primary/{GROUP}")[0], 200, "the primary as primary")
    equal(_get(primary, f"/replica/{GROUP}")[0], 503, "the primary as replica")
    equal(_get(replica, f"/primary/{GROUP}")[0], 503, "the replica as primary")
    equal(_get(replica, f"/replica/{GROUP}")[0], 200, "the replica as replica")
    until(
        "the replica is near enough",
        lambda: _get(replica, f"/replica/{GROUP}?max_lag=1000000")[0] == 200,
    )
    for node in lab.nodes:
        equal(_get(node, "/primary/no-such")[0], 404, f"a group that is none, on {node}")
    group.move(replica)
    until("the sides have changed", lambda: _get(replica, f"/primary/{GROUP}")[0] == 200, 15)
    until("the old one is a replica", lambda: _get(primary, f"/replica/{GROUP}")[0] == 200, 15)
    equal(_get(primary, f"/primary/{GROUP}")[0], 503, "the old primary as primary")


@fault
def redis_metrics(lab):
    """Prometheus sees lease, epoch, role, lag, guard, takes by reason and the time of each step."""
    group = lab.group
    old, new = group.primary(), group.replica()
    before = _metric(new, "bevmesh_failover_takes_total", group=GROUP, reason="switchover")
    epoch = _metric(old, "bevmesh_failover_epoch", group=GROUP)
    equal(epoch, group.record()["epoch"], "the epoch")
    check(_metric(old, "bevmesh_failover_lease_seconds", group=GROUP) > 0, "the lease has an end")
    equal(_metric(new, "bevmesh_failover_lease_seconds", group=GROUP), 0, "the replica's lease")
    for node, role in ((old, "primary"), (new, "replica")):
        equal(_metric(node, "bevmesh_failover_role", group=GROUP, role=role), 1, f"{node}'s role")
        equal(_metric(node, "bevmesh_failover_guard_up", group=GROUP), 1, f"{node}'s guard")
    equal(_metric(old, "bevmesh_failover_in_sync", group=GROUP, node=new.name), 1, "in sync")
    check(_metric(old, "bevmesh_failover_lag_bytes", group=GROUP, node=new.name) < 1e6, "the lag")
    group.move(new)
    until("it is counted", lambda: _metric(
        new, "bevmesh_failover_takes_total", group=GROUP, reason="switchover") == before + 1, 15)
    until("it serves", lambda: _metric(new, "bevmesh_failover_serving", group=GROUP) == 1)
    equal(_metric(new, "bevmesh_failover_epoch", group=GROUP), epoch + 1, "the next epoch")
    check(
        _metric(new, "bevmesh_failover_step_seconds_total", group=GROUP, step="promoting") > 0,
        "the promotion took time",
    )


@fault
def redis_command_line(lab):
    """`status`, `explain` and `history` say who, why and when, on every node; what is no group is
    refused with a sentence."""
    primary, replica = lab.group.primary(), lab.group.replica()
    for node in (primary, replica):
        code, out, _ = node.cli("failover", "status", GROUP, "--format", "json")
        equal(code, 0, f"status on {node}")
        equal(json.loads(out)["groups"][0]["lease"]["holder"], primary.name, f"what {node} says")
        code, out, _ = node.cli("failover", "explain", GROUP)
        check(code == 0 and replica.name in out, f"explain on {node}: {code} {out}")
        code, out, _ = node.cli("failover", "history", GROUP)
        check(code == 0 and "serves redis" in out, f"history on {node}: {code}")
    for words in (("status", "no-such"), ("explain", "no-such"), ("history", "no-such"),
                  ("ack", "no-such", "--yes"), ("pause", "no-such", "--yes"),
                  ("promote", "no-such", "--node", primary.name, "--yes")):
        code, _, err = primary.cli("failover", *words)
        check(code != 0 and "no-such" in err, f"{' '.join(words)}: {code} {err}")
    code, _, err = primary.cli("failover", "pause", GROUP, "--for", "soon", "--yes")
    check(code == 1 and "30m" in err, f"a pause for no duration: {code} {err}")
    equal(primary.cli("failover", "ack", GROUP, "--yes")[0], 0, "ack")


@fault
def redis_orders_from_a_node_that_is_no_member(lab):
    """From the control node, which is no member, an operator sees the group and orders it also
    while a member's node is gone: whoever answers is asked, and who did not hear it is named."""
    group = lab.group
    first = group.members[0]  # whom the control node asks first
    if group.primary() is first:
        group.move(group.replica())
        until("the other one is primary", lambda: group.healthy() is not first, 20)
    primary = group.primary()
    lab.unplug(first)

    def ordered(*words):
        code, out, err = lab.starlord.cli("failover", *words)
        return code, out + err

    code, said = ordered("status", GROUP)
    check(code in (0, 3) and primary.name in said, f"status: {code} {said}")
    code, said = ordered("ack", GROUP, "--yes")
    check(code == 0 and f"{first.name} does not answer" in said, f"ack: {code} {said}")
    code, said = ordered("pause", GROUP, "--for", "1m", "--yes")
    check(code == 0 and "paused until" in said, f"pause: {code} {said}")
    code, said = ordered("resume", GROUP, "--yes")
    check(code == 0 and "resumed" in said, f"resume: {code} {said}")
    code, said = ordered("switchover", GROUP, "--node", first.name, "--yes")
    check(code == 5 and first.name in said, f"switchover: {code} {said}")
    code, said = ordered("promote", GROUP, "--node", "no-such", "--yes")
    check(code == 1 and "'no-such' is no member" in said, f"promote: {code} {said}")
    lab._make_run()
    until("all is whole", group.healthy, 60)
