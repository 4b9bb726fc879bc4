#!/usr/bin/env python3
"""The referee: compares who belongs together by a resolution with who does in truth.

usage: score.py TRUTH[:ID:LABEL] FOUND[:ID:LABEL]       Parquet or CSV; the columns are rec_id:cluster and record_id:customer_key if not given

Prints one JSON object. `pairs` counts pairs of records with one label: precision = pairs of both / pairs found, recall = pairs of both /
true pairs. `b_cubed` is the mean over records of the same shares within a record's clusters. Every record of TRUTH must be in FOUND, and
each once in both; anything else ends with 2.

Needs from PyPI: pyarrow.
"""
import collections
import json
import sys

import pyarrow.csv
import pyarrow.parquet


def labels(argument, columns):
    """Label by record id, both as text."""
    path, *given = argument.split(":")
    identity, label = given or columns
    if path.endswith(".csv"):
        text = pyarrow.csv.ConvertOptions(column_types={identity: pyarrow.string(), label: pyarrow.string()}, include_columns=[identity, label])
        table = pyarrow.csv.read_csv(path, convert_options=text)
    else:
        table = pyarrow.parquet.read_table(path, columns=[identity, label])
    ids, values = (table[name].cast(pyarrow.string()).to_pylist() for name in (identity, label))
    by_id = dict(zip(ids, values))
    if len(by_id) != len(ids):
        fail(f"{path} has a record twice")
    return by_id


def fail(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def rates(precision, recall):
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def score(truth, found):
    missing = truth.keys() - found.keys()
    if missing:
        fail(f"{len(missing)} records of the truth were not resolved")
    both = collections.Counter((truth[record], found[record]) for record in truth)
    people, customers = collections.Counter(), collections.Counter()
    for (person, customer), count in both.items():
        people[person] += count
        customers[customer] += count

    def pairs(sizes):
        return sum(size * (size - 1) // 2 for size in sizes.values())

    right = pairs(both)
    records = len(truth)
    return {
        "records": records,
        "pairs": rates(right / (pairs(customers) or 1), right / (pairs(people) or 1)),
        "b_cubed": rates(sum(n * n / customers[customer] for (_, customer), n in both.items()) / records,
                         sum(n * n / people[person] for (person, _), n in both.items()) / records),
        "customers": len(customers),
        "people": len(people),
        "largest_customer": max(customers.values()),
    }


def main():
    truth = labels(sys.argv[1], ["rec_id", "cluster"])
    found = labels(sys.argv[2], ["record_id", "customer_key"])
    print(json.dumps(score(truth, found)))


if __name__ == "__main__":
    main()
