"""What others are told of a group: load balancers, Prometheus, the command line."""

import json

from harness import check, equal, fault, until, until_equal
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


def _until_status(node, path, status, what):
    until_equal(what, lambda: _get(node, path)[0], status)


def _until_metric(asked, name, wanted, /, **labels):
    until_equal(f"{name} on {asked}", lambda: _metric(asked, name, group=GROUP, **labels), wanted)


@fault
def redis_load_balancers(lab):
    """/primary/GROUP answers 200 on the primary alone, /replica/GROUP on a replica that streams and
    lacks no more than max_lag; a group that is none is 404."""
    group = lab.group
    primary, replica = group.primary(), group.replica()
    _until_status(primary, f"/primary/{GROUP}", 200, "the primary as primary")
    _until_status(primary, f"/replica/{GROUP}", 503, "the primary as replica")
    _until_status(replica, f"/primary/{GROUP}", 503, "the replica as primary")
    _until_status(replica, f"/replica/{GROUP}", 200, "the replica as replica")
    _until_status(replica, f"/replica/{GROUP}?max_lag=1000000", 200, "the replica is near enough")
    for node in lab.nodes:
        _until_status(node, "/primary/no-such", 404, f"a group that is none, on {node}")
    group.move(replica)
    until("the sides have changed", lambda: _get(replica, f"/primary/{GROUP}")[0] == 200, 15)
    until("the old one is a replica", lambda: _get(primary, f"/replica/{GROUP}")[0] == 200, 15)
    _until_status(primary, f"/primary/{GROUP}", 503, "the old primary as primary")


@fault
def redis_metrics(lab):
    """Prometheus sees lease, epoch, role, lag, guard, takes by reason and the time of each step."""
    group = lab.group
    old, new = group.primary(), group.replica()
    before = _metric(new, "bevmesh_failover_takes_total", group=GROUP, reason="switchover")
    epoch = group.record()["epoch"]
    _until_metric(old, "bevmesh_failover_epoch", epoch)
    lease = "bevmesh_failover_lease_seconds"
    until("the lease has an end", lambda: _metric(old, lease, group=GROUP) > 0)
    _until_metric(new, lease, 0)
    for node, role in ((old, "primary"), (new, "replica")):
        _until_metric(node, "bevmesh_failover_role", 1, role=role)
        _until_metric(node, "bevmesh_failover_guard_up", 1)
    _until_metric(old, "bevmesh_failover_in_sync", 1, node=new.name)
    lag = "bevmesh_failover_lag_bytes"
    until("the lag is small", lambda: _metric(old, lag, group=GROUP, node=new.name) < 1e6)
    group.move(new)
    until("it is counted", lambda: _metric(
        new, "bevmesh_failover_takes_total", group=GROUP, reason="switchover") == before + 1, 15)
    _until_metric(new, "bevmesh_failover_serving", 1)
    _until_metric(new, "bevmesh_failover_epoch", epoch + 1)
    until("the promotion took time", lambda: _metric(
        new, "bevmesh_failover_step_seconds_total", group=GROUP, step="promoting") > 0)


def _holder(asked):
    """By the command line's status, which ends with 0 when there is nothing bad to say."""
    code, out, err = asked.cli("failover", "status", GROUP, "--format", "json")
    equal(code, 0, f"status on {asked} ({err})")
    return json.loads(out)["groups"][0]["lease"]["holder"]


@fault
def redis_command_line(lab):
    """`status`, `explain` and `history` say who, why and when, on every node; what is no group is
    refused with a sentence."""
    primary, replica = lab.group.primary(), lab.group.replica()
    for node in (primary, replica):
        until_equal(f"the holder by {node}'s status", lambda n=node: _holder(n), primary.name)
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
    lab.heal_and_join()
    until("all is whole", group.healthy, 60)
