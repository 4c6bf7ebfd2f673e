"""Where a service is said to be: networks by name, host network, shared networks, loopback
bindings, host services."""

import signal

from engine_proxy import EngineProxy
from harness import check, equal, fault, holds, until, until_equal


@fault
def network_connect_and_disconnect(lab):
    """In container mode the address follows the named network: absent without it, there with it,
    and after a move."""
    node = lab.thanos
    node.network("f-inner-net", "--subnet=172.28.0.0/24")
    node.network("f-other-net", "--subnet=172.28.1.0/24")
    node.run("f-inner", "--network=f-other-net")
    until("the daemon says that the network is missing", lambda: node.notes("network-missing"))
    equal(node.named("inner"), [], "entries while the named network is missing")
    for address in ("172.28.0.10", "172.28.0.20"):
        node.docker("network", "connect", "--ip", address, "f-inner-net", "f-inner")
        until_equal(
            f"inner is in the DNS of oracle1, at {address}",
            lambda: lab.oracle1.locate("inner"),
            [(address, 8080)],
            4,
        )
        node.docker("network", "disconnect", "f-inner-net", "f-inner")
        until_equal("inner is gone from DNS", lambda: lab.oracle1.resolve("inner"), [], 4)
        until_equal("and from the agent", lambda: node.named("inner"), [])


@fault
def several_networks(lab):
    """Of several networks the one named by label counts, whatever was joined first or sorts
    first."""
    node = lab.thanos
    for number, name in enumerate(("f-aaa", "f-mid", "f-zzz")):
        node.network(name, f"--subnet=172.28.{number + 2}.0/24")
    node.docker(
        "create",
        "--name=f-many",
        "--label=fault-test=1",
        "--network=f-zzz",
        "--expose=8080",
        "--label=bevmesh.name=many",
        "--label=bevmesh.port=8080",
        "--label=bevmesh.address_mode=container",
        "--label=bevmesh.network=f-mid",
        "bev/stand-in",
        "stand-in",
        "8080",
    )
    node.docker("network", "connect", "f-aaa", "f-many")
    node.docker("network", "connect", "f-mid", "f-many")
    node.docker("start", "f-many")
    address = node.ip_on("f-many", "f-mid")
    until_equal(
        "many is at its address on f-mid", lambda: lab.oracle1.locate("many"), [(address, 8080)]
    )
    until("the daemon has nothing to do", node.settled)
    node.docker("network", "disconnect", "f-aaa", "f-many")
    node.docker("network", "connect", "f-aaa", "f-many")
    holds("it stays there", lambda: lab.oracle1.locate("many") == [(address, 8080)], 1)


@fault
def several_networks_by_preference(lab):
    """Without a label registrar.networks decides; it is read again with SIGHUP."""
    node = lab.thanos
    for number, name in enumerate(("f-aaa", "f-zzz")):
        node.network(name, f"--subnet=172.28.{number + 2}.0/24")
    node.run(
        "f-many",
        "--network=f-aaa",
        "--expose=8080",
        labels={
            "bevmesh.name": "many",
            "bevmesh.port": "8080",
            "bevmesh.address_mode": "container",
        },
    )
    node.docker("network", "connect", "f-zzz", "f-many")
    until_equal(
        "many is on the network that sorts first",
        lambda: lab.oracle1.locate("many"),
        [(node.ip_on("f-many", "f-aaa"), 8080)],
    )
    until("the daemon says that there were several", lambda: node.notes("several-networks"))
    lab.configure(
        node, replace={"registrar: {resync: 30s}": "registrar: {resync: 30s, networks: [f-zzz]}"}
    )
    node.kill("bevmesh", 1)
    until_equal(
        "many is on the preferred network",
        lambda: lab.oracle1.locate("many"),
        [(node.ip_on("f-many", "f-zzz"), 8080)],
    )
    until_equal("there is nothing to say any more", lambda: node.notes("several-networks"), [])


@fault
def host_network(lab):
    """A container on the host's network is at the node's address and its own port."""
    node = lab.thanos
    node.run(
        "f-hosted",
        "--network=host",
        "--expose=18090",
        command=("stand-in", "18090"),
        labels={"bevmesh.name": "hosted", "bevmesh.port": "18090"},
    )
    until_equal(
        "hosted is in the DNS of oracle1",
        lambda: lab.oracle1.locate("hosted"),
        [(node.address, 18090)],
    )


@fault
def shared_network(lab):
    """network_mode container:X: a service is where X publishes its port, and out of DNS when X
    ends."""
    node = lab.thanos
    node.run(
        "f-pod", "-p", "18089:9000", command=("sleep", "600"), labels={"bevmesh.enable": "false"}
    )
    node.run("f-sidecar", "--network=container:f-pod", command=("stand-in", "9000"))
    until_equal(
        "sidecar is in the DNS of oracle1",
        lambda: lab.oracle1.locate("sidecar"),
        [(node.address, 18089)],
    )
    node.remove("f-pod")
    until_equal("sidecar is gone from DNS", lambda: lab.oracle1.resolve("sidecar"), [], 4)


@fault
def loopback_binding(lab):
    """A port published on 127.0.0.1 only is not announced, and the daemon says why."""
    node = lab.thanos
    node.run("f-web", "-p", "127.0.0.1:18080:8080")
    (note,) = until("the daemon warns", lambda: node.notes("loopback-binding"))
    check(
        "f-web" in note and "127.0.0.1" in note,
        f"the warning names neither container nor address: {note}",
    )
    until("the daemon has nothing to do", node.settled)
    equal(
        (node.named("web"), lab.oracle1.resolve("web")),
        ([], []),
        "entries and DNS of a loopback binding",
    )
    node.remove("f-web")
    until_equal(
        "the warning is gone with the container", lambda: node.notes("loopback-binding"), []
    )


@fault
def specific_binding(lab):
    """Of several bindings the one that others can reach is announced, once."""
    node = lab.thanos
    node.run(
        "f-bound",
        "-p",
        "127.0.0.1:18091:8080",
        "-p",
        f"{node.address}:18092:8080",
        labels={"bevmesh.name": "bound"},
    )
    until_equal(
        "bound is in the DNS of oracle1",
        lambda: lab.oracle1.locate("bound"),
        [(node.address, 18092)],
    )
    equal(len(node.named("bound")), 1, "entries of bound")


@fault
def other_addresses(lab):
    """A binding to another address of the node, IPv4 or IPv6, one given by label and one given by
    the configuration are each where the service is said to be, and where Consul checks it."""
    node = lab.thanos
    second, six = "100.122.12.99", "fd00:122::99"
    # IPv6 without the wait for other nodes to object to it.
    added = ((f"{second}/10",), (f"{six}/64", "nodad"))
    for address in added:
        code, _, err = node.exec("ip", "address", "replace", *address, "dev", "eth0")
        equal(code, 0, f"ip address replace: {err}")
    lab.configure(
        node,
        append="  f-given: {match: {container: f-given}, nodes: [thanos], port: 18094, "
        f"address: {second}}}\n",
    )
    node.kill("bevmesh", signal.SIGHUP)
    try:
        for name, binding, more in (
            ("bound", f"{second}:18091:8080", {}),
            ("bound6", f"[{six}]:18092:8080", {}),
            ("labelled", "18093:8080", {"bevmesh.address": second}),
            ("given", "18094:8080", {}),
        ):
            own = {} if name == "given" else {"bevmesh.name": f"f-{name}", **more}
            node.run(f"f-{name}", "-p", binding, labels=own)
        for name, wanted in (
            ("bound", (second, 18091)),
            ("bound6", (six, 18092)),
            ("labelled", (second, 18093)),
            ("given", (second, 18094)),
        ):
            until_equal(
                f"f-{name} is in the DNS of oracle1",
                lambda name=name: lab.oracle1.locate(f"f-{name}"),
                [wanted],
            )
            (entry,) = node.named(f"f-{name}")
            equal(
                [(c["Type"], c["Status"]) for c in node.checks(entry["ID"]).values()],
                [("tcp", "passing")],
                f"checks of f-{name}",
            )
        equal(
            (lab.oracle1.resolve6("f-bound6"), lab.oracle1.resolve("f-bound6")),
            ([six], []),
            "AAAA and A of one on IPv6",
        )
    finally:
        for address, *_ in added:
            node.exec("ip", "address", "del", address, "dev", "eth0")


@fault
def host_service(lab):
    """A service of the configuration that is no container is registered, and in DNS while its port
    answers."""
    node = lab.starlord
    (entry,) = until("unit is registered without answering", lambda: node.named("unit"))
    equal((entry["Address"], entry["Port"]), (node.address, 18087), "where unit is said to be")
    equal(lab.oracle1.resolve("unit"), [], "DNS of a process that does not run")
    server = node.popen("busybox", "httpd", "-f", "-p", "18087", "-h", "/var/lib")
    try:
        until_equal(
            "unit is in the DNS of oracle1",
            lambda: lab.oracle1.locate("unit"),
            [(node.address, 18087)],
            6,
        )
    finally:
        server.kill()
        server.wait()
    until_equal("unit is out of DNS", lambda: lab.oracle1.resolve("unit"), [], 6)
    equal(len(node.named("unit")), 1, "entries of unit")


@fault
def binding_comes_late(lab):
    """A published port without its binding yet, as engines show it just after a start, is looked at
    again, and the service is there a moment later."""
    node = lab.thanos
    inspected = []

    def without_bindings(container):
        if container["Name"] == "/f-web":
            inspected.append(container)
            if len(inspected) <= 2:
                ports = container["NetworkSettings"]["Ports"]
                container["NetworkSettings"]["Ports"] = {port: None for port in ports}
        return container

    through = "docker: {address: 'unix:///run/window.sock'}\nregistrar: {"
    with EngineProxy(
        node.files / "run/window.sock", node.files / "run/docker.sock", without_bindings
    ):
        lab.configure(node, replace={"registrar: {": through})
        node.kill("bevmesh", signal.SIGTERM)
        node.start("bevmesh")
        until("the daemon sees the engine", lambda: node.status()["docker"]["reachable"])
        node.run("f-web", "-p", "18080:8080")
        until_equal("web is in DNS", lambda: lab.oracle1.resolve("web"), [node.address], 3)
        check(len(inspected) >= 3, f"it was inspected {len(inspected)} times")
        lab.configure(node)
        node.kill("bevmesh", signal.SIGTERM)
    node.start("bevmesh")
