"""Each metric and each label that rules, their stories and dashboards name is one that a process declares.

usage: metrics.py PROJECT DECLARED SEEN     DECLARED is what the program declared_metrics prints, SEEN the /metrics of running processes
"""

import json
import pathlib
import re
import sys

import yaml

project, declared, seen = map(pathlib.Path, sys.argv[1:])
# What Prometheus adds by itself.
metrics = {"up": set()}
for line in declared.read_text().splitlines():
    metric = json.loads(line)
    labels = set(metric["labels"])
    if metric["kind"].startswith("Histogram"):
        metrics[metric["name"] + "_bucket"] = labels | {"le"}
        metrics[metric["name"] + "_sum"] = metrics[metric["name"] + "_count"] = labels
    else:
        metrics[metric["name"]] = labels
ADDED = {"job", "instance"}
WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool"}
faults = []


def look(where, expression):
    """A word that is neither of the language nor a function is a metric, whatever it begins with."""
    text = re.sub(r'"[^"]*"', '""', expression)
    grouped = {label.strip() for labels in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", text) for label in labels.split(",")}
    bare = re.sub(r"\b(?:by|without|on|ignoring)\s*\([^)]*\)", " ", text)
    bare = re.sub(r"\[[^]]*\]|\boffset\s+\w+", " ", bare)
    known = set()
    for name, matchers, call in re.findall(r"(?<![\w.])([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?\s*(\()?", bare):
        if name in WORDS or call:
            continue
        if name not in metrics:
            faults.append(f"{where}: no process declares {name}")
            continue
        known |= metrics[name] | ADDED
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers):
            if label not in metrics[name] | ADDED:
                faults.append(f"{where}: {name} has no label {label}")
    for label in grouped - known:
        faults.append(f"{where}: no metric in `{expression}` has the label {label}")


for name in re.findall(r"^# TYPE (wensheng_\w+)", seen.read_text(), re.M):
    if name not in metrics and name + "_bucket" not in metrics:
        faults.append(f"a running process has {name}, which none declares")
headings = re.findall(r"^## (.*)$", (project / "docs/runbooks.md").read_text(), re.M)
anchors = {heading.lower().replace(" ", "-") for heading in headings}
rules = [rule for group in yaml.safe_load((project / "deploy/prometheus/alerts.yml").read_text())["groups"] for rule in group["rules"]]
for rule in rules:
    look(f"alerts.yml, {rule['alert']}", rule["expr"])
    if rule["annotations"]["runbook"] not in anchors:
        faults.append(f"alerts.yml, {rule['alert']}: docs/runbooks.md has no heading for {rule['annotations']['runbook']}")
stories = yaml.safe_load((project / "deploy/prometheus/alerts.test.yml").read_text())["tests"]
for story in stories:
    for series in story["input_series"]:
        look(f"alerts.test.yml, {story['name']}", series["series"])
told = {test["alertname"] for story in stories for test in story["alert_rule_test"] if test["exp_alerts"]}
for rule in rules:
    if rule["alert"] not in told:
        faults.append(f"alerts.test.yml: no story has {rule['alert']} told")

sources = yaml.safe_load((project / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
uids = {source["uid"] for source in sources}
for path in sorted((project / "deploy/grafana/dashboards").glob("*.json")):
    panels = json.loads(path.read_text())["panels"]
    if len({panel["id"] for panel in panels}) != len(panels):
        faults.append(f"{path.name}: two panels have one id")
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        if taken & cells or at["x"] + at["w"] > 24:
            faults.append(f"{path.name}, {panel['title']}: lies over another panel or over the edge")
        taken |= cells
        for target in panel.get("targets", []):
            look(f"{path.name}, {panel['title']}", target["expr"])
            if target["datasource"]["uid"] not in uids:
                faults.append(f"{path.name}, {panel['title']}: its data source is not provisioned")
for fault in faults:
    print(fault, file=sys.stderr)
print(f"{len(rules)} rules, {len(stories)} stories, {len(metrics)} series")
sys.exit(1 if faults else 0)
