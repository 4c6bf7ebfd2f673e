"""What is done to the mesh, and under which codes `bevmesh verify` finds it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time

import mesh as faults_mesh
from bevlab import engine
from bevlab.state import State

import certificates
from harness import Failure, check, equal, until

DAMAGES = {}
STAND_IN = "stand-in"


def damage(*codes, also=()):
    """A context that damages a clean mesh and mends it. `codes` must be found, `also` may be."""

    def keep(function):
        DAMAGES[function.__name__] = (contextlib.contextmanager(function), set(codes), set(also))
        return function

    return keep


class Mesh(faults_mesh.Mesh):
    """The lab of the fault tests, with a mesh of its own, which stays up from test to test."""

    def __init__(self, wrong_clock):
        super().__init__()
        self.wrong_clock = wrong_clock

    def build(self):
        folders = {node.name: node.files / "etc/bevmesh/tls" for node in self.nodes}
        certificates.make(self.starlord.files / "ca", "bev", folders)
        engine.import_images([("thanos", STAND_IN), ("oracle1", STAND_IN)])
        for node in self.nodes:
            node.start("bevmesh")
        self.make_network()
        start_web(self.thanos)
        start_front(self.oracle1)

    def make_network(self):
        self.thanos.network("v-net", "--subnet=172.27.0.0/16")

    def verify(self, node=None, *options):
        """(exit code, codes, the whole answer) as `node` sees it."""
        code, out, err = (node or self.starlord).cli("verify", "--format=json", *options)
        if not out:
            raise OSError(f"verify: {code} {err}")
        answer = json.loads(out)
        return code, {i["code"] for row in answer["rows"] for i in row["issues"]}, answer

    def until_clean(self, seconds=60):
        def clean():
            code, codes, answer = self.verify()
            left = [i["text"] for row in answer["rows"] for i in row["issues"]]
            if code or codes:
                raise OSError(str(left))
            return True

        until("verify says that all is well", clean, seconds)


def start_web(node):
    node.run("v-web", "-p", "18080:8080")


def start_front(node):
    node.run("v-front", "-p", "18081:8080")


# ---- services


@damage("BEV501")
def no_container(lab):
    lab.thanos.remove("v-web")
    yield
    start_web(lab.thanos)


@damage("BEV502")
def wrong_node(lab):
    lab.thanos.remove("v-web")
    start_web(lab.oracle1)
    yield
    lab.oracle1.remove("v-web")
    start_web(lab.thanos)


@damage("BEV503")
def not_registered(lab):
    node = lab.thanos
    file = node.files / "etc/bevmesh/consul.token"
    kept = file.with_suffix(".kept")
    shutil.copy2(file, kept)
    rules = 'agent_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }\n'
    node.consul(
        "PUT",
        "/v1/acl/policy",
        {"Name": "weaker", "Rules": rules + 'service_prefix "" { policy = "read" }'},
    )
    token = node.consul("PUT", "/v1/acl/token", {"Policies": [{"Name": "weaker"}]})
    file.write_text(token["SecretID"])
    node.kill("bevmesh", signal.SIGHUP)
    (entry,) = node.named("web")
    node.consul("PUT", "/v1/agent/service/deregister/" + entry["ID"])
    yield
    kept.replace(file)
    node.kill("bevmesh", signal.SIGHUP)


@damage("BEV504")
def registered_twice(lab):
    lab.thanos.consul(
        "PUT", "/v1/agent/service/register", {"ID": "by-hand", "Name": "web", "Port": 18080}
    )
    yield
    lab.thanos.consul("PUT", "/v1/agent/service/deregister/by-hand")


@damage("BEV505", also=["BEV603"])
def stale_entry(lab):
    lab.starlord.consul(
        "PUT", "/v1/agent/service/register", {"ID": "by-hand", "Name": "web", "Port": 18080}
    )
    yield
    lab.starlord.consul("PUT", "/v1/agent/service/deregister/by-hand")


@damage("BEV506")
def check_critical(lab):
    lab.thanos.docker("exec", "v-web", "mv", "/www/health", "/www/away")
    yield
    lab.thanos.docker("exec", "v-web", "mv", "/www/away", "/www/health")


@damage("BEV508")
def in_maintenance(lab):
    equal(lab.thanos.cli("services", "maint", "web", "on", "--yes")[0], 0, "maint")
    yield
    equal(lab.thanos.cli("services", "maint", "web", "off", "--yes")[0], 0, "maint")


# ---- names


@damage("BEV601")
def name_unknown(lab):
    """The agent's token for DNS sees nothing."""
    node = lab.oracle1
    config = json.loads((node.files / "etc/consul.d/this-node.json").read_text())
    token = config["acl"]["tokens"]["dns"]
    node.consul("PUT", "/v1/acl/policy", {"Name": "blind", "Rules": 'key "x" { policy = "read" }'})
    blind = node.consul("PUT", "/v1/acl/token", {"Policies": [{"Name": "blind"}]})
    node.consul("PUT", "/v1/agent/token/dns", {"Token": blind["SecretID"]})
    yield
    node.consul("PUT", "/v1/agent/token/dns", {"Token": token})


@damage("BEV604")
def consul_dns_silent(lab):
    rule = ("OUTPUT", "-o", "lo", "-p", "udp", "--dport", "8600", "-j", "DROP")
    lab.thanos.exec("iptables", "-I", *rule)
    yield
    lab.thanos.exec("iptables", "-D", *rule)


@damage("BEV605")
def host_dns_ignorant(lab):
    lab.starlord.kill("dns", signal.SIGKILL)
    yield
    lab.starlord.start("dns")


# ---- networks


@damage("BEV401")
def network_absent(lab):
    lab.thanos.docker("network", "rm", "v-net")
    yield
    lab.make_network()


@damage("BEV402")
def network_other_subnet(lab):
    lab.thanos.docker("network", "rm", "v-net")
    lab.thanos.network("v-net", "--subnet=172.28.0.0/16")
    yield
    lab.thanos.docker("network", "rm", "v-net")
    lab.make_network()


@damage("BEV403")
def network_overlaps(lab):
    lab.oracle1.network("v-over", "--subnet=172.27.128.0/20")
    yield
    lab.oracle1.docker("network", "rm", "v-over")


# ---- nodes and engines

# What follows from the loss of a node's agent or daemon: its services are unknown, and to the
# others it is the service that fails.
FOLLOWS = ("BEV506", "BEV509", "BEV601", "BEV602", "BEV603", "BEV605")


@damage("BEV201", "BEV509", also=FOLLOWS)
def agent_down(lab):
    lab.thanos.kill("consul", signal.SIGKILL)
    yield
    lab.thanos.start("consul")


@damage("BEV202", also=(*FOLLOWS, "BEV201", "BEV203", "BEV604"))
def no_leader(lab):
    for node in (lab.thanos, lab.oracle1):
        node.kill("consul", signal.SIGKILL)
    yield
    for node in (lab.thanos, lab.oracle1):
        node.start("consul", wait=False)


@damage("BEV301", "BEV509")
def docker_down(lab):
    lab.oracle1.freeze("docker")
    yield
    lab.oracle1.thaw("docker")


@damage("BEV301", "BEV509", also=["BEV506"])
def docker_killed(lab):
    lab.oracle1.kill("docker", signal.SIGKILL)
    yield
    lab.oracle1.start("docker")
    lab.oracle1.remove("v-front")
    start_front(lab.oracle1)


@damage("BEV101", "BEV509")
def daemon_down(lab):
    lab.thanos.kill("bevmesh", signal.SIGKILL)
    yield
    lab.thanos.start("bevmesh")


@damage("BEV102")
def configuration_differs(lab):
    file = lab.oracle1.files / "etc/bevmesh/bevmesh.yaml"
    text = file.read_text()
    file.write_text(text.replace("port: 18081", "port: 18081\n    tags: [other]"))
    lab.oracle1.kill("bevmesh", signal.SIGHUP)
    yield
    file.write_text(text)
    lab.oracle1.kill("bevmesh", signal.SIGHUP)


@contextlib.contextmanager
def clock_off_by(lab, node, seconds):
    node.kill("bevmesh", signal.SIGTERM)
    options = os.environ.get("ASAN_OPTIONS", "")
    child = node.popen(
        *("bevmesh", "daemon", "--node", node.name, "--config", "/etc/bevmesh/bevmesh.yaml"),
        stderr=subprocess.DEVNULL,
        env={
            "LD_PRELOAD": str(lab.wrong_clock),
            "WRONG_CLOCK_SECONDS": str(seconds),
            "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0:detect_leaks=0",
        },
    )
    try:
        yield
    finally:
        child.terminate()
        child.wait(30)
        node.start("bevmesh")


@damage("BEV103")
def clock_off(lab):
    with clock_off_by(lab, lab.thanos, 5):
        yield


@damage("BEV104")
def clock_far_off(lab):
    with clock_off_by(lab, lab.oracle1, -60):
        yield


@damage("BEV101", "BEV201", "BEV301", "BEV509", also=FOLLOWS)
def everything_frozen(lab):
    """Whatever hangs, the whole mesh is judged within ten seconds."""
    frozen = ((lab.thanos, "docker"), (lab.thanos, "consul"), (lab.oracle1, "bevmesh"))
    for node, service in frozen:
        node.freeze(service)
    try:
        began = time.monotonic()
        code, codes, _ = lab.verify()
        took = time.monotonic() - began
        print(f"  with three parts frozen: {took:.1f} s, {sorted(codes)}")
        check(took < 10, f"verify took {took:.1f} s")
        equal(code, 3, "exit code")
        yield
    finally:
        for node, service in frozen:
            node.thaw(service)


def judge(lab, name):
    function, wanted, also = DAMAGES[name]
    began = time.monotonic()
    seen, last_took = None, 0.0

    def found():
        nonlocal seen, last_took
        asked = time.monotonic()
        seen = lab.verify()
        last_took = time.monotonic() - asked
        code, codes, answer = seen
        # Warnings alone are told, and are no failure.
        right = code == (3 if answer["errors"] else 0)
        return right and wanted <= codes <= wanted | also

    done = function(lab)
    done.__enter__()
    try:
        until(f"{sorted(wanted)} and nothing else", found, 20)
        check(last_took < 10, f"verify of the whole mesh took {last_took:.1f} s")
    except Failure as error:
        texts = [i for row in seen[2]["rows"] for i in row["issues"]] if seen else []
        raise Failure(f"{error}\n" + "\n".join(str(text) for text in texts)) from None
    finally:
        took = time.monotonic() - began
        done.__exit__(None, None, None)  # mends, found or not
    lab.until_clean()
    found_by = f"by a verify of {last_took:.1f} s"
    print(f"{name}: {' '.join(sorted(wanted))} after {took:.1f} s, {found_by}", flush=True)


def run(wrong_clock, names):
    State.running()
    lab = Mesh(wrong_clock)
    lab.build()
    lab.until_clean(90)
    began = time.monotonic()
    code, _, answer = lab.verify()
    print(f"clean: {len(answer['rows'])} checks in {time.monotonic() - began:.2f} s", flush=True)
    failed = []
    for name in names or DAMAGES:
        try:
            judge(lab, name)
        except (Failure, OSError) as error:
            failed.append(name)
            print(f"{name}: FAILED: {error}", flush=True)
            with contextlib.suppress(Failure):
                lab.until_clean()  # so that the next one begins with a mesh that is well
    print(f"{len(names or DAMAGES) - len(failed)} found, {len(failed)} not: {', '.join(failed)}")
    return 1 if failed else 0
