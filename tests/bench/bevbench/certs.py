"""A hundred certificates from Vault's PKI: how long until they are issued and installed, what they
cost a daemon, how long until all of them are others.

Beside it, in the same run on the same OpenBao: bare requests to sign, consul-template and `bao
agent` with a template for each. Those let the server make the keys; bevmesh makes them, writes key,
chain, bundle and both in one, each synced to the disk, and looks at every service afterwards.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from . import ROOT, figures, process

sys.path.insert(0, str(ROOT / "tests/integration"))

import onenode  # noqa: E402
import vault_fixture as fixture  # noqa: E402
from onenode import ADDRESS, CACHE, NAME, poll  # noqa: E402

CONSUL_TEMPLATE = "0.41.1"
FIRST_PORT = 30000  # the engine double has 20000 and on
SIGN = f"/v1/pki_bev/sign/service-{NAME}"


def consul_template():
    """The program, built when it is not there yet."""
    program = CACHE / f"consul-template-{CONSUL_TEMPLATE}"
    if not program.exists():
        package = f"github.com/hashicorp/consul-template@v{CONSUL_TEMPLATE}"
        place = CACHE / "consul-template.new"
        build = ["go", "install", package]
        subprocess.run(build, env={**os.environ, "GOBIN": str(place)}, check=True)
        (place / "consul-template").rename(program)
        shutil.rmtree(place)
    return program


class Bao:
    """One OpenBao, set up by `bevmesh vault bootstrap`."""

    def __init__(self, node):
        self.node, self.home = node, node.home
        fixture.make_certificate(self.home)
        (self.home / "bao.hcl").write_text(
            'storage "inmem" {}\n'
            f'listener "tcp" {{ address = "{ADDRESS}:{fixture.PORT}"\n'
            f'tls_cert_file = "{self.home}/server.pem"\n'
            f'tls_key_file = "{self.home}/server.key" }}\n'
        )
        node.start("bao", [fixture.openbao_binary(), "server", f"-config={self.home}/bao.hcl"])
        self.ask = fixture.Vault(self.home / "ca.pem")
        poll("OpenBao's answer", self.ask.answers, 60)
        made = self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})[1]
        self.ask.token = self.token = made["root_token"]
        self.ask("PUT", "sys/unseal", {"key": made["keys"][0]})
        poll("an active server", lambda: self.ask.answers() == 200, 30)

    def bootstrap(self, binary):
        where = ("-c", self.home / "bevmesh.yaml", "--out", self.home / "credentials", "--yes")
        environment = {**os.environ, "VAULT_TOKEN": self.token}
        words = [binary, "vault", "bootstrap", *where]
        subprocess.run(words, env=environment, check=True, capture_output=True)


def configuration(node, services):
    """A hundred services, each at a port that shows what is in its files."""
    credentials = node.home / "credentials" / NAME
    each = "".join(
        f"  {name}: {{match: {{container: {name}}}, port: {FIRST_PORT + number}, tls: {{recipe:"
        f" none, folder: {node.home}/tls/{name}}}}}\n"
        for number, name in enumerate(services)
    )
    return (
        f"services:\n{each}"
        "vault:\n"
        f"  addresses: ['https://{ADDRESS}:{fixture.PORT}']\n"
        f"  ca_file: {node.home}/ca.pem\n"
        "  pki: {mount: pki_bev, root_mount: pki_bev_root}\n"
        f"  auth: {{approle: {{role_id_file: {credentials}/vault.role-id,"
        f" secret_id_file: {credentials}/vault.secret-id}}}}\n"
    )


def shower(home, services):
    """A process that shows each service's certificate at its port, read for every connection."""
    program = Path(__file__).parent / "shower.py"
    words = [sys.executable, program, ADDRESS, FIRST_PORT, home / "tls", *services]
    return [str(word) for word in words]


def sign_rate(bao, service, calls, connections):
    """Bare requests a second, each with the same request of a key that was made before."""
    fixture.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", bao.home / "k")
    request = ("-new", "-key", bao.home / "k", "-subj", "/CN=x", "-out", bao.home / "csr")
    fixture.openssl("req", *request)
    body = json.dumps(
        {
            "csr": (bao.home / "csr").read_text(),
            "common_name": f"{service}.service.consul",
            "ttl": "24h",
        }
    )
    context = ssl.create_default_context(cafile=str(bao.home / "ca.pem"))
    headers = {"X-Vault-Token": bao.token}

    def run(share):
        connection = http.client.HTTPSConnection(ADDRESS, fixture.PORT, context=context)
        for _ in range(share):
            connection.request("POST", SIGN, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} {text[:200]}")
        connection.close()

    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        list(pool.map(run, [calls // connections] * connections))
    return calls / (time.monotonic() - begun)


def installed(home, services):
    """Unix times at which the services' files came into use, ascending; those that did."""
    times = []
    for name in services:
        with suppress(FileNotFoundError):
            times.append(os.lstat(home / "tls" / name / "current").st_mtime_ns / 1e9)
    return sorted(times)


@contextmanager
def timed(report, text):
    begun = time.monotonic()
    yield
    report.line(f"{text}: {time.monotonic() - begun:.2f} s")


def run_peer(words, files, log, environment):
    """(seconds from the start to the last file, most that was resident in MB)"""
    with log.open("wb") as out:
        begun = time.time()
        peer = subprocess.Popen(words, stdout=out, stderr=out, env=environment)
        _, status, used = os.wait4(peer.pid, 0)
    missing = [file for file in files if not file.exists()]
    if status or missing:
        raise RuntimeError(f"status {status}, {len(missing)} files are missing, see {log}")
    return max(f.stat().st_mtime for f in files) - begun, used.ru_maxrss / 1024


def peers(bao, services, folder):
    """Of consul-template and bao agent: name → (seconds, MB)."""
    folder.mkdir()
    environment = {"VAULT_TOKEN": bao.token, "PATH": os.environ["PATH"], "HOME": str(folder)}
    where = f'address = "https://{ADDRESS}:{fixture.PORT}"'
    results = {}
    for peer in ("consul-template", "bao agent"):
        own = folder / peer.replace(" ", "-")
        own.mkdir()
        files = [own / f"{name}.pem" for name in services]
        templates = "".join(
            f'template {{ destination = "{file}"\nperms = "0600"\n'
            f"contents = <<E\n"
            f'{{{{ with pkiCert "pki_bev/issue/service-{NAME}" '
            f'"common_name={name}.service.consul" "ttl=24h" }}}}'
            "{{ .Key }}{{ .Cert }}{{ .CA }}{{ end }}\nE\n}\n"
            for name, file in zip(services, files, strict=True)
        )
        if peer == "consul-template":
            head = (
                f"vault {{ {where}\nrenew_token = false\n"
                f'ssl {{ ca_cert = "{bao.home}/ca.pem" }} }}\n'
            )
            words = [consul_template(), "-once", "-config", own / "config.hcl"]
        else:
            (own / "token").write_text(bao.token)
            head = (
                f'vault {{ {where}\nca_cert = "{bao.home}/ca.pem" }}\nexit_after_auth = true\n'
                f'auto_auth {{ method "token_file" {{ config = {{ token_file_path = "{own}/token" '
                "} } }\n"
            )
            words = [fixture.openbao_binary(), "agent", f"-config={own}/config.hcl"]
        (own / "config.hcl").write_text(head + templates)
        results[peer] = run_peer(list(map(str, words)), files, own / "log", environment)
    return results


def is_settled(node, but=()):
    """Whether every certificate is at the wire, and none of them is one of these serials."""
    with suppress(OSError):
        all_ = node.api("GET", "/v1/certs")["certificates"]
        return all(one["state"] == "verified" and one["serial"] not in but for one in all_)
    return False


def rotate_all(node, services):
    before = {one["serial"] for one in node.api("GET", "/v1/certs")["certificates"]}
    begun = time.monotonic()
    for name in services:
        node.api("POST", "/v1/certs/rotate", {"service": name})
    poll("every other one", lambda: is_settled(node, before), 120)
    return time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    consul_template()  # while there is a network
    onenode.inside()
    services = [f"s{number:03}" for number in range(options.services)]
    report = figures.Report("certs", f"{options.services} certificates, EC P-256, from one OpenBao")
    with onenode.Node(options.binary) as node:
        node.start_consul()
        node.start_engine(0)
        (node.home / "tls").mkdir()
        node.config_extra = configuration(node, services)
        (node.home / "bevmesh.yaml").write_text(node.configuration())
        bao = Bao(node)
        bao.bootstrap(options.binary)
        node.start("shower", shower(node.home, services))
        measure(report, node, bao, services, options.runs)
    report.save(options.json)


def measure(report, node, bao, services, runs):
    bare = {c: sign_rate(bao, services[0], 480, c) for c in (1, 4, 16)}
    for connections, rate in bare.items():
        report.line(f"bare requests to sign, {connections:2} connections: {rate:7.0f} a second")
    seconds = {"bevmesh": [], "consul-template": [], "bao agent": []}
    resident, rates = {}, []
    for run in range(runs):
        for name, (took, most) in peers(bao, services, node.home / f"peers-{run}").items():
            seconds[name].append(took)
            resident[name] = most
        if run:
            node.stop("bevmesh")
            # Kept, elsewhere: ext4 is slow for seconds where many files went.
            (node.home / "state").rename(node.home / f"state-{run}")
            for name in services:
                (node.home / "tls" / name).rename(node.home / f"tls-{run}-{name}")
        begun = time.time()
        daemon = node.start_daemon()
        wanted = len(services)
        poll("all files", lambda: len(installed(node.home, services)) == wanted, 120, 0.05)
        times = installed(node.home, services)
        seconds["bevmesh"].append(times[-1] - begun)
        rates.append((wanted - 1) / max(times[-1] - times[0], 1e-3))
        poll("all proofs", lambda: is_settled(node), 120)
        report.line(f"from the daemon's start to all at the wire: {time.time() - begun:.2f} s")
    report.table("s from start to all files", seconds)
    for name, most in resident.items():
        report.line(f"{name}: {most:.1f} MB resident at most")
    best = max(bare.values())
    median = figures.percentile(rates, 50)
    report.line(f"bevmesh, from the first file to the last: {median:.0f} certificates a second")
    slower = figures.percentile(seconds["bevmesh"], 50) / figures.percentile(
        seconds["consul-template"], 50
    )
    report.target("time of bevmesh by consul-template's", slower, 1)
    report.target("bare rate by bevmesh's", best / median, 1.25)
    turns = [rotate_all(node, services) for _ in range(runs)]
    report.table("s to rotate and verify all", {"daemon's API": turns})
    report.target("rotate all, s", figures.percentile(turns, 50), 5)
    command = [node.binary, "certs", "rotate", "--all", "--yes", "--socket", node.home / "api.sock"]
    with timed(report, "`bevmesh certs rotate --all`"):
        subprocess.run(command, check=True, capture_output=True)
    # The registrar's work is not the certificates': its containers come now.
    node.stop("engine")
    node.start_engine(len(services))
    node.settle(len(services), 60)
    # Idle for so long that the daemon has given back what the burst took.
    time.sleep(25)
    memory = process.memory(daemon.pid)
    report.line(
        f"MB with {len(services)} certificates and as many services: "
        f"{memory['RssAnon']:.1f} anonymous, {memory['VmRSS']:.1f} resident",
        memory=memory,
    )
    report.target("anonymous memory, MB", memory["RssAnon"], 8)
    report.target("resident memory, MB", memory["VmRSS"], 22)


if __name__ == "__main__":
    main()
