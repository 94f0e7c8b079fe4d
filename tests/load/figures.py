#!/usr/bin/env python3
"""Figures of measurements, one JSON line each, and what became of them between two such files.

    figures.py lines REPORT... > after.jsonl    # what `parlor-load ... --json` wrote, or a folder of criterion (target/criterion)
    figures.py compare before.jsonl after.jsonl
"""

import json
import pathlib
import statistics
import sys


def of_criterion(folder):
    """The mean of each benchmark, in nanoseconds."""
    for path in sorted(pathlib.Path(folder).glob("**/new/estimates.json")):
        name = "/".join(path.parent.parent.relative_to(folder).parts)
        yield {"figure": name, "value": json.loads(path.read_text())["mean"]["point_estimate"], "unit": "ns"}


def of_report(path):
    """Each row's cost, where a report of `run` has them; any other number of a line under the words that name the line."""
    text = pathlib.Path(path).read_text()
    try:
        rows = [json.loads(text)]
    except json.JSONDecodeError:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    if len(rows) == 1 and "rows" in rows[0]:
        for row in rows[0]["rows"]:
            yield {"figure": f"{row['scenario']}/{row['server']}", "value": row["cost"], "unit": row["cost_unit"]}
        return
    for row in rows:
        name = "/".join(value for value in row.values() if isinstance(value, str))
        yield from ({"figure": f"{name}/{key}", "value": value, "unit": ""} for key, value in numbers(row))


def numbers(value, key=""):
    """All numbers in a value, each with the keys that lead to it; of a list of them the median."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, (int, float)):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from numbers(inner, f"{key}.{name}" if key else name)
    elif value and all(isinstance(inner, (int, float)) for inner in value):
        yield key, statistics.median(value)
    else:
        for place, inner in enumerate(value):
            yield from numbers(inner, f"{key}[{place}]")


def read(path):
    lines = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines() if line.strip()]
    return {line["figure"]: line for line in lines if line["value"] is not None}


def compare(before, after):
    before, after = read(before), read(after)
    width = max((len(name) for name in before | after), default=0)
    for name in sorted(before | after):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            print(f"{name:<{width}}  only {'after' if one is None else 'before'}")
            continue
        ratio = f"{other['value'] / one['value']:.2f}" if one["value"] else "-"
        print(f"{name:<{width}}  {one['value']:>12.4g} {other['value']:>12.4g}  {ratio:>6}  {one['unit']}")


def main(arguments):
    match arguments:
        case ["lines", *reports] if reports:
            for report in reports:
                figures = of_criterion(report) if pathlib.Path(report).is_dir() else of_report(report)
                for figure in figures:
                    print(json.dumps(figure))
        case ["compare", before, after]:
            compare(before, after)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
