"""Says what of the crates and packages that the lock files name is against the rules, and ends with 1 where anything is."""

import json
import pathlib
import re
import subprocess
import sys
import tomllib
from collections import defaultdict

from license_expression import get_spdx_licensing

PROJECT = pathlib.Path(__file__).parents[2]
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
RULES = tomllib.loads((pathlib.Path(__file__).parent / "rules.toml").read_text())
SPDX = get_spdx_licensing()
ALLOWED = {SPDX.parse(name).render() for name in RULES["licences"]}


def met(expression: str) -> bool:
    """Whether an SPDX expression can be met by the licences of the rules. Crates once wrote `/` for `OR`, and `+` for later ones."""
    parsed = SPDX.parse(re.sub(r"\s*/\s*", " OR ", expression).replace("+", ""))

    def holds(part) -> bool:
        if isinstance(part, SPDX.AND):
            return all(holds(one) for one in part.args)
        if isinstance(part, SPDX.OR):
            return any(holds(one) for one in part.args)
        return part.render() in ALLOWED

    return holds(parsed)


def crates() -> list[str]:
    told = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked"],
        cwd=PROJECT, check=True, capture_output=True, text=True,
    ).stdout
    lock = tomllib.loads((PROJECT / "Cargo.lock").read_text())
    digests = {(one["name"], one["version"]): one.get("checksum") for one in lock["package"]}
    problems = []
    versions = defaultdict(set)
    for crate in json.loads(told)["packages"]:
        name, version = crate["name"], crate["version"]
        if crate["source"] is None:
            continue
        versions[name].add(version)
        where = f"Cargo.lock: {name} {version}"
        if crate["source"] != REGISTRY:
            problems.append(f"{where} comes from {crate['source']}; take it from the registry")
        if not digests.get((name, version)):
            problems.append(f"{where} has no checksum; run cargo update -p {name}")
        licence = crate["license"]
        if not licence or not met(licence):
            problems.append(f"{where} has the licence {licence}, which rules.toml does not allow; replace the crate")
        if reason := RULES["banned"].get(name):
            problems.append(f"{where} stays out: {reason}; cargo tree -i {name} shows who brings it")
    for name in RULES["single"]:
        if len(versions[name]) > 1:
            problems.append(f"Cargo.lock: {name} is there as {', '.join(sorted(versions[name]))}; bring them together")
    print(f"{sum(map(len, versions.values()))} crates")
    return problems


def node(lock: pathlib.Path) -> list[str]:
    problems = []
    packages = json.loads(lock.read_text())["packages"]
    for path, package in packages.items():
        if not path:
            continue
        where = f"{lock.relative_to(PROJECT)}: {path}"
        if not package.get("integrity"):
            problems.append(f"{where} has no integrity hash; run npm install")
        if package.get("hasInstallScript"):
            problems.append(f"{where} runs a script when it is installed; replace it")
        licence = package.get("license")
        if not licence or not met(licence):
            problems.append(f"{where} has the licence {licence}, which rules.toml does not allow")
    print(f"{len(packages) - 1} packages of {lock.relative_to(PROJECT)}")
    return problems


def python(requirements: pathlib.Path) -> list[str]:
    lines = [line.strip() for line in requirements.read_text().splitlines() if line.strip()]
    return [
        f"{requirements.relative_to(PROJECT)}: {line} is not pinned; write name==version"
        for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)
    ]


def main() -> None:
    files = subprocess.run(
        ["git", "ls-files", "*package-lock.json", "*requirements.txt"],
        cwd=PROJECT, check=True, capture_output=True, text=True,
    ).stdout.split()
    problems = crates()
    for name in files:
        file = PROJECT / name
        problems += node(file) if file.name == "package-lock.json" else python(file)
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
