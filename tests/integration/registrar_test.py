"""The daemon against a real Consul and the engine double: registrar_test.py BINARY [SUITE].

What is asserted is what Consul holds and how many writes it took, as Consul counted them. No time
is.
"""

import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "doubles"))

import onenode  # noqa: E402
import truth  # noqa: E402

PATIENCE = 120  # seconds; a limit for what hangs, many times what it takes


class Case(unittest.TestCase):
    """A node whose registrar compares everything each second, so that what only a full pass finds
    is found soon.
    """

    def run(self, result=None):
        self.result = result
        return super().run(result)

    def show_logs_of_a_failure(self, node, before):
        if len(self.result.failures) + len(self.result.errors) > before:
            node.show_logs()

    def node(self, containers, *engine_options, resync="1s"):
        node = self.enterContext(onenode.Node(BINARY, f"registrar: {{resync: {resync}}}"))
        self.addCleanup(
            self.show_logs_of_a_failure, node, len(self.result.failures) + len(self.result.errors)
        )
        node.start_consul()
        node.start_engine(containers, *engine_options)
        return node

    def settled(self, node, announced):
        node.start_daemon()
        node.settle(announced, PATIENCE)

    def converge(self, node):
        def converged():
            self.left = truth.differences(node)
            return self.left == ([], [])

        try:
            onenode.poll("convergence", converged, PATIENCE, every=0.2)
        except TimeoutError:
            self.fail(f"not converged: {self.left}")

    def full_passes(self, node, count=2):
        """Waits for whole comparisons, and for what the last one made."""
        before = node.requests("/containers/json")
        onenode.poll(
            "full passes", lambda: node.requests("/containers/json") >= before + count, PATIENCE
        )
        onenode.poll("a settled registrar", lambda: node.registrar().get("settled"), PATIENCE)

    def puts_of(self, node, act):
        """Writes by kind while `act` runs and until a full comparison after it."""
        before = node.puts()
        act()
        self.full_passes(node)
        self.converge(node)
        return {
            path.removeprefix("v1_agent_").rstrip("_"): n
            for path, n in (node.puts() - before).items()
        }

    def puts_once_settled(self, node):
        """Writes after the last one that was due: of a service in maintenance one may be late."""
        self.full_passes(node)
        return self.puts_of(node, lambda: None)

    def restart(self, node, number=signal.SIGTERM):
        node.stop("bevmesh", number)
        node.start_daemon()


class cold_sync(Case):
    def test_one_write_a_service_and_then_none(self):
        node = self.node(1000, resync="3s")
        puts = self.puts_of(node, lambda: self.settled(node, 1000))
        self.assertEqual(puts, {"service_register": 1000 + 1})  # and the daemon's own entry
        self.assertEqual(len(node.services()), 1000)
        for what, act in (
            ("periodic comparisons", lambda: None),
            ("restart", lambda: self.restart(node)),
            ("kill", lambda: self.restart(node, signal.SIGKILL)),
            ("reload", lambda: node.processes["bevmesh"].send_signal(signal.SIGHUP)),
        ):
            with self.subTest(what):
                self.assertEqual(self.puts_of(node, act), {})

    def test_health_is_mirrored_with_the_registration(self):
        node = self.node(50, "--healthcheck")
        puts = self.puts_of(node, lambda: self.settled(node, 50))
        self.assertEqual(puts, {"service_register": 50 + 1})
        self.assertEqual(self.puts_of(node, lambda: self.restart(node)), {})


class changes(Case):
    def test_one_write_a_change(self):
        node = self.node(20)
        self.settled(node, 20)
        for command, puts in (
            ("die 3", {"service_deregister": 1}),
            ("start 3", {"service_register": 1}),
            ("pause 4", {"service_maintenance": 1}),
            ("unpause 4", {"service_maintenance": 1}),
            ("exec 5", {}),
            ("recreate 6", None),
            ("die 7-9", {"service_deregister": 3}),
        ):
            with self.subTest(command):
                did = self.puts_of(node, lambda: node.engine(command))
                if puts is not None:
                    self.assertEqual(did, puts)

    def test_a_change_of_health_is_one_report(self):
        node = self.node(10, "--healthcheck")
        self.settled(node, 10)
        self.assertEqual(
            self.puts_of(node, lambda: node.engine("health 2 unhealthy")), {"check_update": 1}
        )
        self.assertEqual(
            self.puts_of(node, lambda: node.engine("health 2 healthy")), {"check_update": 1}
        )

    def test_an_engine_that_was_upgraded_meanwhile(self):
        """From API 1.41 to one that refuses it and says less: nothing is written again, and changes
        are still one write each."""
        node = self.node(10, "--healthcheck")
        self.settled(node, 10)

        def upgrade():
            node.engine("engine down")
            node.engine("upgrade 1.52")
            node.engine("engine up")
            onenode.poll(
                "the version agreed on",
                lambda: node.api("GET", "/v1/status")["docker"]["api_version"] == "1.52",
                PATIENCE,
            )

        self.assertEqual(self.puts_of(node, upgrade), {})
        for command, puts in (
            ("die 3", {"service_deregister": 1}),
            ("start 3", {"service_register": 1}),
            ("health 2 unhealthy", {"check_update": 1}),
        ):
            with self.subTest(command):
                self.assertEqual(self.puts_of(node, lambda: node.engine(command)), puts)

    def test_a_daemon_that_was_down_while_everything_changed(self):
        node = self.node(20)
        self.settled(node, 20)
        foreign = {"ID": "foreign", "Name": "foreign", "Port": 1}
        node.consul("PUT", "/v1/agent/service/register", foreign)

        def behind_its_back():
            node.stop("bevmesh", signal.SIGKILL)
            for command in ("die 0-4", "recreate 5-6", "pause 7", "remove 8"):
                node.engine(command)
            node.start_daemon()

        node.stop("bevmesh")
        node.start_daemon()
        node.settle(20, PATIENCE)
        behind_its_back()
        onenode.poll(
            "the removals",
            lambda: "foreign" in node.services() and len(node.services()) == 20 - 6 + 1,
            PATIENCE,
        )
        self.assertIn("foreign", node.services())
        node.consul("PUT", "/v1/agent/service/deregister/foreign")
        self.converge(node)


class burst(Case):
    def test_ten_thousand_events_leave_the_truth(self):
        node = self.node(100)
        self.settled(node, 100)
        for seed in range(3):
            node.engine(f"burst 10000 {seed}")
            self.converge(node)
        self.assertEqual(self.puts_once_settled(node), {})

    def test_a_burst_while_events_are_lost_and_the_engine_fails(self):
        node = self.node(100)
        self.settled(node, 100)
        node.engine("lose 3000")
        node.engine("fail 200 500 /containers/")
        node.engine("burst 5000 7")
        node.engine("close-events abrupt")
        node.engine("fail 0 0")
        self.converge(node)
        self.assertEqual(self.puts_once_settled(node), {})


class losses(Case):
    def test_lost_events_are_made_up_for_by_the_next_full_pass(self):
        node = self.node(20)
        self.settled(node, 20)
        node.engine("lose 1000")
        for command in ("die 0-4", "recreate 5-6", "pause 7", "remove 8", "rename 9 other-name"):
            node.engine(command)
        self.converge(node)

    def test_changes_while_the_stream_was_closed(self):
        node = self.node(20, resync="10m")
        self.settled(node, 20)
        self.assert_events_before_list(node, 0)
        for how in ("", " abrupt"):
            with self.subTest(how):
                before = len(node.engine("stats")["order"])
                node.engine("lose 2")
                # In one turn: the daemon is back sooner than a busy test asks for the next.
                node.engine(f"close-events{how} " + ("start 3" if how else "die 3"))
                self.converge(node)
                self.assert_events_before_list(node, before)

    def assert_events_before_list(self, node, since):
        """What changes between the two is in one of them; the other way round it would be in
        none."""
        order = node.engine("stats")["order"][since:]
        self.assertLess(order.index("GET /events"), order.index("GET /containers/json"), order)

    def test_an_engine_that_is_down_takes_nothing_away(self):
        node = self.node(20)
        self.settled(node, 20)
        before = node.puts()
        node.engine("engine down")
        onenode.poll(
            "the daemon to notice",
            lambda: not node.api("GET", "/v1/status")["docker"]["reachable"],
            PATIENCE,
        )
        self.assertEqual(len(node.services()), 20)
        node.engine("die 0-1")
        node.engine("engine up")
        self.converge(node)
        self.assertEqual(sum((node.puts() - before).values()), 2)

    def test_errors_are_not_emptiness(self):
        node = self.node(20)
        self.settled(node, 20)
        before = node.puts()
        node.engine("fail 12 500 /containers/json")
        onenode.poll("failed lists", lambda: node.requests("/containers/json") >= 3, PATIENCE)
        self.assertEqual(len(node.services()), 20)
        node.engine("fail 0 0")
        self.full_passes(node)
        self.assertEqual(node.puts() - before, {})

    def test_slow_answers_delay_and_lose_nothing(self):
        node = self.node(20)
        self.settled(node, 20)
        node.engine("slow 300")
        node.engine("die 0-9")
        node.engine("start 0-4")
        self.converge(node)


if __name__ == "__main__":
    onenode.inside()
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
