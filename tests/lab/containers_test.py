#!/usr/bin/python3
"""The lab's containers are those of config/bev.yaml: names, nodes, published ports, networks.

containers_test.py BEVMESH     BEVMESH prints the configuration, as it reads it
"""

import json
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

from bevlab.containers import CONTAINERS  # noqa: E402
from bevlab.layout import NETWORKS, NODES  # noqa: E402

BEVMESH = sys.argv.pop() if len(sys.argv) > 1 else str(HERE.parents[1] / "build/bevmesh")
REAL = {
    *("redis", "postgres", "nginx-proxy-manager", "prometheus", "alertmanager", "zookeeper", "tor"),
    *("rabbitmq-1", "rabbitmq-2", "rabbitmq-3"),
}


def configuration():
    file = HERE.parents[1] / "config/bev.yaml"
    command = [BEVMESH, "config", "show", "--format", "json", str(file)]
    return json.loads(subprocess.run(command, check=True, text=True, capture_output=True).stdout)


class Containers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.config = configuration()

    def test_each_configured_container_runs_once_with_its_ports(self):
        wanted = {}
        for service in self.config["services"].values():
            for instance in service.get("instances", [service]):
                name = instance["match"]["container"]
                ports = {instance["port"], *instance.get("ports", {}).values()}
                wanted[name] = (set(instance["nodes"]), ports)
        found = {c.name: (c.node, set(c.ports)) for c in CONTAINERS}
        self.assertEqual(sorted(wanted), sorted(found))
        self.assertEqual(len(found), len(CONTAINERS), "a name twice")
        for name, (node, ports) in found.items():
            self.assertIn(node, wanted[name][0], name)
            self.assertEqual(ports, wanted[name][1], name)

    def test_nodes_and_networks(self):
        nodes = {name: node["address"] for name, node in self.config["nodes"].items()}
        self.assertEqual(nodes, NODES)
        for name, network in self.config["networks"].items():
            subnet, node = NETWORKS[name]
            self.assertEqual((subnet, [node]), (network["subnet"], network["nodes"]), name)

    def test_a_stand_in_says_so_and_nothing_else_does(self):
        for container in CONTAINERS:
            tagged = "bevmesh.tags=stand-in" in container.run_arguments()
            self.assertEqual(tagged, container.name not in REAL, container.name)

    def test_no_address_of_a_node_is_given_to_any_container(self):
        for container in CONTAINERS:
            given = " ".join(container.run_arguments())
            for address in NODES.values():
                self.assertNotIn(address, given, container.name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
