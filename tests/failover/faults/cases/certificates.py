"""Certificates that change while primaries move, and who has none."""

import signal
import socket
import ssl
import warnings

import client_tls
import libpq
import postgres_group
from harness import check, equal, fault, until
from load import Load
from redis_group import PORT
from resp import Connection

DAEMON = "bevmesh"  # the daemon's own certificate, by which its peers know it


def certificate(node, service):
    """What the node's daemon says of it."""
    status, answer = node.api("GET", "/v1/certs")
    equal(status, 200, "the answer")
    return next(one for one in answer["certificates"] if one["service"] == service)


def serials(group):
    """Of the members' databases and daemons, once each is shown."""
    found = {}
    for node in group.members:
        for service in (group.name, DAEMON):

            def shown(node=node, service=service):
                seen = certificate(node, service)
                return seen["state"] == "verified" and seen["serial"]

            found[node, service] = until(f"{service} on {node} shows its certificate", shown, 60)
    return found


def order_rotation(group):
    for node in group.members:
        for service in (group.name, DAEMON):
            equal(node.api("POST", "/v1/certs/rotate", {"service": service})[0], 200, "the order")


def await_rotation(group, before):
    """Each has another certificate than before, seen at the wire."""
    for (node, service), serial in before.items():

        def is_new(node=node, service=service, serial=serial):
            seen = certificate(node, service)
            return seen["state"] == "verified" and seen["serial"] != serial

        until(f"{service} on {node} shows another certificate", is_new, 60)


def is_gate(write):
    """Redis takes a replica for silent that has acknowledged a little late: it counts whole seconds
    (min-replicas-max-lag 1), looks once in each, and refuses writes from one look to the next, with
    or without a rotation. It lasts a second, for which the bound of the gap has room."""
    return write.kind == "refused" and write.error == "NOREPLICAS"


def rotation_under_load(lab, group):
    before = serials(group)
    with Load(lab, allow_lost=False, moves=0, group=group) as load:
        start = load.steady()
        for _ in range(3):
            order_rotation(group)
            await_rotation(group, before)
            before = serials(group)
        load.stays(1)
        gap = load.longest_gap(start)
        check(gap < 2, f"writes stood still for {gap:.1f} s")
        unsaid = [w for w in load.writes() if w.sent >= start and w.kind != "acked"]
        equal([w for w in unsaid if not is_gate(w)], [], "writes without a yes")
        until("all is whole", group.healthy, 10)


def failover_during_a_rotation(lab, group):
    before = serials(group)
    with Load(lab, allow_lost=group.kind == "redis", moves=1, group=group) as load:
        load.steady()
        old, new = group.primary(), group.replica()
        group.stop_all(old)
        order_rotation(group)
        until("it is being told", lambda: certificate(old, group.name)["state"] == "installed", 10)
        load.served_by(new, 20)
        until("all is whole", group.healthy, 40)
        await_rotation(group, before)
        until("all is still whole", group.healthy, 10)


def rotation_during_a_failover(lab, group):
    before = serials(group)
    with Load(lab, allow_lost=group.kind == "redis", moves=1, group=group) as load:
        load.steady()
        old, new = group.primary(), group.replica()
        group.signal(old, signal.SIGKILL)

        stages = set()

        def served_meanwhile():
            stage = group.view(new)["stage"]
            if stage not in stages:
                stages.add(stage)
                order_rotation(group)
            return group.serving() is new

        until(f"{new} serves", served_meanwhile, 20)
        load.served_by(new)
        await_rotation(group, before)
        until("all is whole", group.healthy, 40)


@fault
def redis_rotation_under_load(lab):
    """The certificates of the primary, its replica and their daemons change again and again: no
    write fails for it, on open connections and on new ones."""
    rotation_under_load(lab, lab.group)


@fault
def redis_failover_during_a_rotation(lab):
    """A primary hangs when it is told of its new certificate: another one takes over, and in the
    end both show a new one."""
    failover_during_a_rotation(lab, lab.group)


@fault
def redis_rotation_during_a_failover(lab):
    """From the death of a primary until another one serves, every certificate of the group is
    changed in each stage of the takeover."""
    rotation_during_a_failover(lab, lab.group)


@fault
def postgres_rotation_under_load(lab):
    """As for Redis; replication goes on as well."""
    rotation_under_load(lab, lab.postgres)


@fault
def postgres_failover_during_a_rotation(lab):
    """As for Redis; the old primary is rewound over the certificate of then."""
    failover_during_a_rotation(lab, lab.postgres)


@fault
def postgres_rotation_during_a_failover(lab):
    """As for Redis."""
    rotation_during_a_failover(lab, lab.postgres)


def refusal(node, context):
    """Why Redis there does not answer; empty: it does. A server of TLS 1.3 refuses only when the
    client thinks that it is connected."""
    with node.in_network():
        sock = socket.create_connection((node.address, PORT), 5)
    try:
        with sock:
            if context:
                sock = context.wrap_socket(sock, server_hostname=node.address)
            with sock:
                said = Connection(sock).ask("PING")
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__
    equal(said, "PONG", "the answer")
    return ""


@fault
def redis_strangers_are_refused(lab):
    """Redis answers nobody without TLS or a certificate, with one of another CA, or by TLS 1.1."""
    node = lab.group.primary()
    files = node.files / client_tls.OWN
    foreign = node.files / "etc/bevmesh/tls"
    old = client_tls.context_of(files)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT:@SECLEVEL=0")  # else this side would not even try
    equal(refusal(node, client_tls.context_of(files)), "", "why a node is refused")
    for who, context, word in (
        ("without TLS", None, ""),
        ("no certificate", client_tls.context_of(files, ()), "CERTIFICATE_REQUIRED"),
        (
            "another CA",
            client_tls.context_of(files, (foreign / "node.pem", foreign / "node.key")),
            "UNKNOWN_CA",
        ),
        ("TLS 1.1", old, "PROTOCOL_VERSION"),
    ):
        why = refusal(node, context)
        # Of the alert and the end of the connection either may be seen first.
        told = word in why or "EOF" in why or "reset" in why
        check(why and told, f"{who}: {why or 'answered'}")


@fault
def postgres_strangers_are_refused(lab):
    """PostgreSQL lets in nobody without TLS or a certificate, with one of another CA or one that
    has not the role's name, or by TLS 1.1, though the password is right."""
    node = lab.postgres.primary()
    files = node.files / postgres_group.TLS
    foreign = node.files / "etc/bevmesh/tls"
    own = node.files / client_tls.OWN

    def why(**more):
        try:
            with node.in_network():
                libpq.Connection(
                    node.address, 5432, postgres_group.password(), files=files, **more
                ).close()
        except OSError as error:
            return str(error)
        return ""

    equal(why(), "", "why a member is refused")
    for who, more, word in (
        ("without TLS", {"sslmode": "disable"}, "no encryption"),
        ("no certificate", {"sslcert": "/nowhere"}, "valid client certificate"),
        (
            "another CA",
            {"sslcert": foreign / "node.pem", "sslkey": foreign / "node.key"},
            "unknown ca",
        ),
        (
            "another name",
            {"sslcert": own / "cert.pem", "sslkey": own / "key.pem"},
            "authentication failed",
        ),
        (
            "TLS 1.1",
            {"ssl_min_protocol_version": "TLSv1.1", "ssl_max_protocol_version": "TLSv1.1"},
            "protocol",
        ),
    ):
        said = why(**more)
        check(said and word in said, f"{who}: {said or 'let in'}")
