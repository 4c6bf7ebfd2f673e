"""Recorded answers as templates: the recorded container's own values replaced by another one's.

The replacement is done on the JSON text, so that a value is also found where the engine builds it
into another (the id in paths). What is not replaced stays as the real engine wrote it.
"""

import json
import re
from pathlib import Path

RECORDED = Path(__file__).resolve().parent.parent / "recorded"


def compact(value):
    """As the engine writes it: Go's encoder, no spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def load(name):
    return json.loads((RECORDED / name).read_text())


class Kind:
    """A container in one state ("running", "healthy", "exited", ...): its list entry and its
    inspect."""

    def __init__(self, name):
        recorded = load(f"{name}.json")
        entry, inspect = recorded["list"], recorded["inspect"]
        self.name = name
        self.listed_by_default = recorded["listed_by_default"]
        self.replaced = self._replaced(entry, inspect)
        entry["Status"] = re.sub(
            r"(Less than a second|About an? \w+|\d+ \w+)(?= \(|$| ago)", "@AGE@", entry["Status"]
        )
        entry["Created"] = "@CREATED@"
        self.entry = self._template(entry).replace('"@CREATED@"', "@CREATED@")
        self.inspect = self._template(inspect)

    @staticmethod
    def _replaced(entry, inspect):
        port = inspect["HostConfig"]["PortBindings"]["8000/tcp"][0]["HostPort"]
        network = inspect["NetworkSettings"]["Networks"]["bev_network"]
        name = inspect["Name"][1:]
        config = inspect["Config"]
        pairs = [
            (inspect["Id"], "@ID@"),
            (f'"/{name}"', '"/@NAME@"'),
            (f'"Hostname":"{name}"', '"Hostname":"@NAME@"'),
            (f'"HostPort":"{port}"', '"HostPort":"@PORT@"'),
            (f'"PublicPort":{port}', '"PublicPort":@PORT@'),
            (compact(entry["Labels"]), "@LABELS@"),
            (compact(config["Env"]), "@ENV@"),
        ]
        if network["IPAddress"]:
            pairs.append((f'"{network["IPAddress"]}"', '"@IP@"'))
            pairs.append((network["EndpointID"], "@ENDPOINT@"))
        if inspect["State"]["Running"] or inspect["State"]["StartedAt"][:4] != "0001":
            pairs.append((inspect["State"]["StartedAt"], "@STARTED@"))
        return pairs

    def _template(self, value):
        text = compact(value)
        for recorded, mark in self.replaced:
            text = text.replace(recorded, mark)
        return text


def fill(template, values):
    return re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], template)


class EventSamples:
    """The recorded events, one an action; made into another container's."""

    def __init__(self):
        self.samples = {}
        for line in (RECORDED / "events.ndjson").read_text().splitlines():
            sample = json.loads(line)
            action = sample["Action"].partition(":")[0]
            name = sample["Actor"]["Attributes"]["name"]
            if sample["Type"] == "network" and (
                action not in ("connect", "disconnect") or name != "bev_network"
            ):
                continue
            self.samples.setdefault((sample["Type"], action), sample)
        self.made = {}
        self.legacy = True

    def tell_legacy_fields(self, yes):
        """`status`, `id` and `from`, which API 1.52 removed."""
        self.legacy = yes
        self.made.clear()

    def make(self, container, kind, action, extra):
        """(event without its time as text, the value) of `action`, for example "health_status:
        healthy"."""
        key = (container.id, container.name, kind, action, tuple(sorted(extra.items())))
        if key not in self.made:
            self.made[key] = self._make(container, kind, action, extra)
        return self.made[key]

    def _make(self, container, kind, action, extra):
        event = json.loads(compact(self.samples[(kind, action.partition(":")[0])]))
        event["Action"] = action
        attributes = event["Actor"]["Attributes"]
        if kind == "network":
            attributes["container"] = container.id
        else:
            del attributes["bevmesh.name"]
            attributes.update(container.labels)
            attributes.update(extra)
            attributes["name"] = container.name
            event["Actor"]["ID"] = container.id
            event["status"], event["id"] = action, container.id
            if not self.legacy:
                del event["status"], event["id"], event["from"]
        event["Actor"]["Attributes"] = dict(sorted(attributes.items()))
        del event["time"], event["timeNano"]
        return compact(event)[:-1], event
