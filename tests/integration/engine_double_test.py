"""The Docker double answers what the real engine answered: the recordings are the yardstick."""

import json
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/doubles"))

from engine.containers import KINDS, age  # noqa: E402
from engine.control import EngineControl  # noqa: E402
from engine.events import Filter  # noqa: E402
from engine.templates import EventSamples, Kind, compact, fill, load  # noqa: E402
from onenode import Http, poll  # noqa: E402


class Templates(unittest.TestCase):
    def recorded(self, kind):
        """The recording, and what of it belongs to its container alone."""
        recorded = load(f"{kind}.json")
        inspect = recorded["inspect"]
        network = inspect["NetworkSettings"]["Networks"]["bev_network"]
        return recorded, {
            "ID": inspect["Id"],
            "NAME": inspect["Name"][1:],
            "IP": network["IPAddress"],
            "PORT": inspect["HostConfig"]["PortBindings"]["8000/tcp"][0]["HostPort"],
            "LABELS": compact(inspect["Config"]["Labels"]),
            "ENV": compact(inspect["Config"]["Env"]),
            "STARTED": inspect["State"]["StartedAt"],
            "CREATED": str(recorded["list"]["Created"]),
            "ENDPOINT": network["EndpointID"],
            "AGE": "@AGE@",
        }

    def test_filled_with_the_recorded_values_it_is_the_recording(self):
        for kind in KINDS:
            with self.subTest(kind):
                recorded, values = self.recorded(kind)
                self.assertEqual(fill(Kind(kind).inspect, values), compact(recorded["inspect"]))
                entry = json.loads(fill(Kind(kind).entry, values))
                entry["Status"] = recorded["list"]["Status"]
                self.assertEqual(compact(entry), compact(recorded["list"]))

    def test_no_value_of_the_recorded_container_is_left(self):
        for kind in KINDS:
            with self.subTest(kind):
                recorded, values = self.recorded(kind)
                template = Kind(kind).inspect + Kind(kind).entry
                for left in (values["ID"], values["PORT"], f"/{values['NAME']}\""):
                    self.assertNotIn(left, template)

    def test_events_are_the_recorded_ones(self):
        samples = EventSamples()
        sample = samples.samples[("container", "die")]
        container = SimpleNamespace(
            id=sample["id"],
            name=sample["Actor"]["Attributes"]["name"],
            labels={"bevmesh.name": sample["Actor"]["Attributes"]["bevmesh.name"]},
        )
        text, _ = samples.make(
            container, "container", "die", {"exitCode": sample["Actor"]["Attributes"]["exitCode"]}
        )
        rest = f',"time":{sample["time"]},"timeNano":{sample["timeNano"]}}}'
        self.assertEqual(text + rest, compact(sample))

    def test_ages_are_worded_as_docker_words_them(self):
        for seconds, text in (
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (120, "2 minutes"),
            (3600, "About an hour"),
            (3 * 3600, "3 hours"),
        ):
            self.assertEqual(age(seconds), text)


class Filters(unittest.TestCase):
    def event(self, kind, action):
        return {"Type": kind, "Action": action, "Actor": {"ID": "1", "Attributes": {"name": "n"}}}

    def test_an_exact_word_and_mobys_prefixes(self):
        exact = Filter('{"type":["container"],"event":["die"]}')
        self.assertTrue(exact(self.event("container", "die")))
        self.assertFalse(exact(self.event("network", "die")))
        self.assertFalse(exact(self.event("container", "exec_die")))
        prefixes = Filter('{"event":{"health_status":true,"die":true}}')
        self.assertTrue(prefixes(self.event("container", "health_status: healthy")))
        self.assertFalse(
            Filter('{"event":["health"]}')(self.event("container", "health_status: healthy"))
        )

    def test_what_the_double_cannot_filter_by_is_refused(self):
        self.assertRaises(ValueError, Filter, '{"nosuch":["x"]}')


class Running(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.socket = self.folder.name + "/docker.sock"
        self.process = subprocess.Popen(
            [
                ROOT / "tests/doubles/docker_engine",
                "--socket",
                self.socket,
                "--containers",
                "4",
                "--label",
                "n={k}",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.assertEqual(self.process.stdout.readline(), "ready\n")
        self.control = EngineControl(self.socket)
        self.addCleanup(self.control.close)
        self.http = Http(self.socket)
        self.addCleanup(self.http.close)

    def names(self, query=""):
        return [entry["Names"][0] for entry in self.http("GET", "/containers/json" + query)]

    def test_every_recorded_answer(self):
        for line, recorded in load("answers.json").items():
            method, path = line.split()
            if (
                method == "HEAD"
                or path.endswith(("/info", "/containers/json"))
                and recorded["status"] == 200
            ):
                continue
            with self.subTest(line):
                if recorded["status"] == 200:
                    answer = self.http(method, path)
                    self.assertEqual(
                        answer,
                        json.loads(recorded["body"]) if recorded["body"][0] in "{[" else "OK",
                    )
                else:
                    with self.assertRaises(OSError) as refused:
                        self.http(method, path)
                    self.assertIn(
                        f"{recorded['status']} {recorded['body'].strip()}", str(refused.exception)
                    )

    def test_a_container_through_its_states(self):
        self.assertEqual(self.names(), ["/app-0", "/app-1", "/app-2", "/app-3"])
        self.control("die 1")
        self.control("pause 2")
        self.control("crash 3")
        self.assertEqual(self.names(), ["/app-0", "/app-2", "/app-3"])
        self.assertEqual(self.names("?all=1"), ["/app-0", "/app-1", "/app-2", "/app-3"])
        states = [
            self.http("GET", f"/v1.41/containers/app-{k}/json")["State"]["Status"] for k in range(4)
        ]
        self.assertEqual(states, ["running", "exited", "paused", "restarting"])
        before = self.http("GET", "/containers/app-0/json")["Id"]
        self.control("recreate 0")
        self.assertNotEqual(self.http("GET", "/containers/app-0/json")["Id"], before)
        with self.assertRaisesRegex(OSError, f"404 .*No such container: {before}"):
            self.http("GET", f"/containers/{before}/json")
        self.assertRaisesRegex(RuntimeError, "container 2 is paused", self.control, "exec 2")

    def events(self, count, since=None, act=()):
        query = "?filters=%7B%22type%22%3A%5B%22container%22%5D%7D" + (
            f"&since={since}" if since else ""
        )
        curl = subprocess.Popen(
            ["curl", "-sN", "--unix-socket", self.socket, "http://d/v1.41/events" + query],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            poll("the reader", lambda: self.control("stats")["readers"], 5)
            for command in act:
                self.control(command)
            return [
                (e["Action"], e["Actor"]["Attributes"]["name"])
                for e in (json.loads(curl.stdout.readline()) for _ in range(count))
            ]
        finally:
            curl.kill()
            curl.wait()
            curl.stdout.close()

    def test_events_and_their_loss(self):
        began = time.time()
        act = ("die 1", "lose 2", "start 1", "health 2 healthy", "health 2 unhealthy")
        self.assertEqual(
            self.events(3, act=act),
            [
                ("die", "app-1"),
                ("health_status: healthy", "app-2"),
                ("health_status: unhealthy", "app-2"),
            ],
        )
        self.assertEqual(
            self.events(2, since=f"{began:.9f}"), [("die", "app-1"), ("start", "app-1")]
        )

    def test_upgraded_it_speaks_as_docker_29_does(self):
        told = self.http("GET", "/v1.41/containers/app-0/json")["NetworkSettings"]
        self.assertIn("IPAddress", told)
        self.control("upgrade 1.52")
        too_old = "client version 1.41 is too old. Minimum supported API version is 1.44"
        self.assertRaisesRegex(OSError, too_old, self.http, "GET", "/v1.41/containers/json")
        too_new = "client version 1.53 is too new. Maximum supported API version is 1.52"
        self.assertRaisesRegex(OSError, too_new, self.http, "GET", "/v1.53/info")
        told = self.http("GET", "/v1.52/containers/app-0/json")["NetworkSettings"]
        self.assertEqual(sorted(told), ["Networks", "Ports", "SandboxID", "SandboxKey"])

    def test_misbehaviour_on_request(self):
        self.control("fail 1 500 /json")
        self.assertRaisesRegex(OSError, "500", self.names)
        self.assertEqual(len(self.names()), 4)
        self.control("engine down")
        self.http.close()
        self.assertRaises(OSError, self.names)
        self.control("engine up")
        self.assertEqual(len(self.names()), 4)


if __name__ == "__main__":
    unittest.main()
