"""What the model is given: figures measured, figures assumed, the posts by hour of the week, the counties."""

import tomllib
from pathlib import Path
from types import SimpleNamespace

HERE = Path(__file__).parent
GUESS = "guess"


class Inputs:
    """The figures as numbers (`inputs.analyzer.cpu_us_per_post`), and where each is from."""

    def __init__(self, measured, assumed, shape, provinces):
        self.by = measured.pop("by")
        self.checks = measured.pop("check")
        self.seed = assumed.pop("seed")
        # As told in the tables: of each figure its table, name, value and where it is from.
        self.measured = list(figures(measured, "by"))
        self.assumed = list(figures(assumed, "because"))
        for table, name, _, by in self.measured:
            if by != GUESS and by not in self.by:
                raise SystemExit(f"measured.toml: {table}.{name} is by `{by}`, which is not in [by]")
        for check in self.checks:
            if check["measured"] and check["by"] not in self.by:
                raise SystemExit(f"measured.toml: the check by `{check['by']}` is measured, but [by.{check['by']}] is missing")
        for table, content in {**measured, **assumed}.items():
            numbers = {name: figure["value"] for name, figure in content.items()}
            setattr(self, table, SimpleNamespace(**numbers))
        # Share of a week's posts in each of its 168 hours, from Monday.
        counts = [count for day in shape.values() for count in day]
        self.shape = [count / sum(counts) for count in counts]
        # Codes of counties by the two digits of their province.
        self.provinces = provinces


def figures(tables, source):
    """Every figure of a file, with the table and the field that it is in."""
    for table, content in tables.items():
        for name, figure in content.items():
            yield table, name, figure["value"], figure[source]


def load():
    """The inputs as committed."""
    toml = {name: tomllib.loads((HERE / f"{name}.toml").read_text()) for name in ("measured", "assumed", "hours")}
    provinces = {}
    for line in (HERE / "counties.txt").read_text().splitlines():
        if not line.startswith("#"):
            for code in line.split():
                provinces.setdefault(code[:2], []).append(code)
    return Inputs(toml["measured"], toml["assumed"], toml["hours"], provinces)
