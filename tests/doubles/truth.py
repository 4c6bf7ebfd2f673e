"""What Consul should hold for the containers of the engine double, and what it holds instead."""

UP = ("running", "starting", "healthy", "unhealthy")
WAITING = ("paused", "restarting")


def differences(node):
    """(of entries, of health) as sentences; both empty when the node has converged.

    Entries: running is registered and not in maintenance; paused or restarting is in maintenance,
    or not registered; any other is not registered; nothing else is there but the daemon's own
    entry. Health: what runs is passing; that takes Consul's own checks, which come at their
    interval, and is not the daemon's to do.
    """
    held = node.services()
    by_port = {service["Port"]: service for service in held.values()}
    entries, health = [], []
    if len(by_port) != len(held):
        entries.append("two entries have one port")
    for container in node.engine("state")["containers"]:
        name, state = container["name"], container["state"]
        service = by_port.pop(container["port"], None)
        if problem := _entry_problem(state, service):
            entries.append(f"{name} is {state} and {problem}")
        elif (
            service
            and state in ("running", "healthy")
            and set(service["Checks"].values()) != {"passing"}
        ):
            health.append(f"{name} is {state}, its checks are {service['Checks']}")
    entries += [f"{service['ID']} belongs to no container" for service in by_port.values()]
    return entries, health


def _entry_problem(state, service):
    if service is None:
        return "not registered" if state in UP else None
    maintenance = any(check.startswith("_service_maintenance") for check in service["Checks"])
    if state in UP:
        return "in maintenance" if maintenance else None
    if state in WAITING:
        return None if maintenance else "not in maintenance"
    return "registered"
