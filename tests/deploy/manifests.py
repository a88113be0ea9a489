"""What schemas cannot say of the forms of running apart: that the parts name each other rightly.

usage: manifests.py PROJECT RENDERED     RENDERED is what `kubectl kustomize deploy` made
"""

import json
import pathlib
import re
import sys
import tomllib

import jsonschema
import yaml

project, rendered = map(pathlib.Path, sys.argv[1:])
faults = []


def check(holds, fault):
    if not holds:
        faults.append(fault)


def settings(process):
    return tomllib.loads((project / f"deploy/apart/{process}.toml").read_text())


def secrets(value):
    """The variables that settings name for secrets."""
    if isinstance(value, dict):
        if set(value) <= {"env", "file"} and "env" in value:
            yield value["env"]
        for inner in value.values():
            yield from secrets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from secrets(inner)


def port(process):
    return int(settings(process)["operations"]["listen"].rsplit(":", 1)[1])


def aliases(service):
    networks = service.get("networks")
    return networks["engines"]["aliases"] if isinstance(networks, dict) else []


PROCESSES = ["collector", "analyzer", "responder"]
topics = (project / "backbone/src/topics.rs").read_text()


def compose():
    file = yaml.safe_load((project / "deploy/compose.yaml").read_text())
    services = file["services"]
    for name, service in services.items():
        check("healthcheck" in service, f"compose: {name} has no health check")
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        check({"cpus", "memory"} <= set(limits), f"compose: {name} has no limits")
        check(":" in service["image"] or "build" in service, f"compose: the image of {name} has no version")
        for published in service.get("ports", []):
            check(published.startswith("127.0.0.1:"), f"compose: {name} publishes {published} beyond loopback")
        for secret in service.get("secrets", []):
            check(secret in file["secrets"], f"compose: {name} uses the secret {secret}, which there is not")
        for text in map(str, (service.get("environment") or {}).values()):
            check("password" not in text.lower() or text.startswith("/run/secrets/"), f"compose: {name} has a secret in its environment")
    for process in PROCESSES:
        named = set(secrets(settings(process))) - {"WENSHENG_AUTHOR_KEY"}
        given = set(services[process].get("secrets", []))
        check(named == given, f"compose: {process} is given the secrets {given}, its settings name {named}")
        check(f":{port(process)}/" in " ".join(services[process]["healthcheck"]["test"]), f"compose: {process} is asked at another port")
        check(file["services"][process]["environment"]["CREDENTIALS_DIRECTORY"] == "/run/secrets", f"compose: {process} looks elsewhere for secrets")
    brokers = [name for name, service in services.items() if "kafka" in aliases(service)]
    check(len(brokers) == settings("collector")["kafka"]["replication"], f"compose: {brokers} are the brokers, replication is another")
    check(file["networks"]["engines"]["internal"] is True, "compose: the engines' network leads outside")
    jobs = yaml.safe_load((project / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    for process in PROCESSES:
        check(targets.get(process) == [f"{process}:{port(process)}"], f"prometheus: {process} is looked for at {targets.get(process)}")


def kubernetes():
    documents = list(yaml.safe_load_all(rendered.read_text()))
    named = {(document["kind"], document["metadata"]["name"]): document for document in documents}
    schema = json.loads((project / "tests/deploy/scaled-object.json").read_text())
    pods = {}
    for (kind, name), document in named.items():
        check(kind != "Secret", f"kubernetes: {name} holds secrets")
        if kind == "ScaledObject":
            jsonschema.validate(document, schema)
            target = document["spec"]["scaleTargetRef"]
            scaled = named.get((target["kind"], target["name"]))
            check(scaled is not None, f"kubernetes: {name} scales {target}, which there is not")
            check(scaled is not None and "replicas" not in scaled["spec"], f"kubernetes: {target['name']} says its replicas, which are the autoscaler's")
            check(document["spec"]["maxReplicaCount"] <= settings("analyzer")["kafka"]["partitions"], f"kubernetes: {name} goes beyond the partitions")
            for trigger in document["spec"]["triggers"]:
                group, topic = trigger["metadata"]["consumerGroup"], trigger["metadata"]["topic"]
                check(f'name: "{topic}"' in topics and f'&str = "{group}"' in topics, f"kubernetes: {name} looks at {group} of {topic}")
        if kind in ("Deployment", "StatefulSet"):
            pods[name] = document["spec"]["template"]
    check(set(pods) == set(PROCESSES), f"kubernetes: the processes are {set(pods)}")
    for name, template in pods.items():
        workload(name, template, named)
    for (kind, name), document in named.items():
        if kind in ("PodDisruptionBudget", "Service") and "selector" in document["spec"]:
            selector = document["spec"]["selector"]
            selector = selector.get("matchLabels", selector)
            matched = [pod for pod in pods.values() if selector.items() <= pod["metadata"]["labels"].items()]
            check(len(matched) == 1, f"kubernetes: {kind} {name} is of {len(matched)} workloads")
    budgets = {name for kind, name in named if kind == "PodDisruptionBudget"}
    check(budgets == set(PROCESSES), f"kubernetes: disruption budgets are of {budgets}")
    network([document for (kind, _), document in named.items() if kind == "NetworkPolicy"], pods)


def workload(name, template, named):
    spec, [container] = template["spec"], template["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        check(probe in container, f"kubernetes: {name} has no {probe}")
    for amount in ("requests", "limits"):
        check({"cpu", "memory"} <= set(container["resources"].get(amount, {})), f"kubernetes: {name} has no {amount}")
    check(spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", f"kubernetes: {name} may be root")
    own = container["securityContext"]
    check(own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"] and own["capabilities"]["drop"] == ["ALL"], f"kubernetes: {name} may do more than it needs")
    check(not spec["automountServiceAccountToken"], f"kubernetes: {name} has a token of the cluster")
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    check(ports["operations"] == port(name), f"kubernetes: the operations port of {name} is {ports['operations']}")
    check(container["args"] == [name, "--config", f"deploy/apart/{name}.toml"], f"kubernetes: {name} runs {container['args']}")
    claims = {"state"} if any(mount["mountPath"] == "/var/lib/wensheng" for mount in container["volumeMounts"]) else set()
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    for mount in container["volumeMounts"]:
        check(mount["name"] in volumes or mount["name"] in claims, f"kubernetes: {name} mounts {mount['name']}, which there is not")
    given = set()
    for volume in volumes.values():
        if "configMap" in volume:
            check(("ConfigMap", volume["configMap"]["name"]) in named, f"kubernetes: {name} reads ConfigMap {volume['configMap']['name']}, which there is not")
        if "secret" in volume:
            given |= {item["key"] for item in volume["secret"]["items"]}
    wanted = set(secrets(settings(name)))
    check(given == wanted, f"kubernetes: {name} is given the secrets {given}, its settings name {wanted}")
    readme = (project / "deploy/kubernetes/README.md").read_text()
    for secret in given:
        check(secret in readme, f"kubernetes: the README does not say how {secret} is made")


def network(policies, pods):
    everything = [policy for policy in policies if policy["spec"]["podSelector"] == {} and "egress" not in policy["spec"] and "ingress" not in policy["spec"]]
    check(len(everything) == 1 and set(everything[0]["spec"]["policyTypes"]) == {"Ingress", "Egress"}, "kubernetes: nothing is denied by default")
    outward = {name: set() for name in pods}
    for policy in policies:
        selector = policy["spec"]["podSelector"]
        for name, pod in pods.items():
            labels = pod["metadata"]["labels"]
            matched = selector.get("matchLabels", {}).items() <= labels.items() and all(
                labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", []))
            if matched:
                outward[name] |= {port["port"] for rule in policy["spec"].get("egress", []) for port in rule["ports"]}
    engines = {"collector": set(), "analyzer": {8123}, "responder": {8123, 5432}}
    for name, reached in outward.items():
        own = settings(name)
        needed = {int(re.search(r":(\d+)$", own["kafka"]["brokers"])[1])} | engines[name] | {53}
        check(needed <= reached, f"kubernetes: {name} does not reach {needed - reached}")
        check(name == "collector" or 80 not in reached, f"kubernetes: {name} reaches the web")
        check(name != "analyzer" or reached == needed, f"kubernetes: the analyzer reaches {reached}")


compose()
kubernetes()
for fault in faults:
    print(fault, file=sys.stderr)
sys.exit(1 if faults else 0)
