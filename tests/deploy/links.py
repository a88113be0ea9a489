"""Each heading that a page of the project's documents, a settings file or a unit refers to is there, and each file.

usage: links.py PROJECT
"""

import pathlib
import re
import subprocess
import sys

project = pathlib.Path(sys.argv[1])
listed = subprocess.run(["git", "ls-files"], cwd=project, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
faults, looked = [], 0


def headings(path):
    text = re.sub(r"^```[\s\S]*?^```$", "", path.read_text(), flags=re.M)
    return re.findall(r"^#+ (.*)$", text, re.M)


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def look(where, target, heading, form):
    """A reference: to a file, and to a heading of it where it names one in the form of the page."""
    global looked
    looked += 1
    if not target.exists():
        faults.append(f"{where}: there is no {target}")
    elif heading and heading not in map(form, headings(target)):
        faults.append(f"{where}: {target.name} has no heading {heading}")


for name in listed:
    path = project / name
    if path.suffix == ".md":
        text = re.sub(r"`[^`\n]*`", "", re.sub(r"^```[\s\S]*?^```$", "", path.read_text(), flags=re.M))
        for target, heading in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", text):
            look(name, path.parent / target if target else path, heading, anchor)
    elif name.startswith("deploy/") and path.suffix in (".toml", ".yml", ".yaml", ".service"):
        for target, quoted, plain in re.findall(r'(docs/[\w.-]+\.md)(?:, (?:"([^"]+)"|([^")]+))\))?', path.read_text()):
            look(name, project / target, quoted or plain, str)
for fault in faults:
    print(fault, file=sys.stderr)
print(f"{looked} references")
sys.exit(1 if faults else 0)
