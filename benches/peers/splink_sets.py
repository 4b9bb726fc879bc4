#!/usr/bin/env python3
"""The peer on other sets: Splink with the models of its documentation's examples.

usage: splink_sets.py fake_1000 FILE.csv OUT.parquet | historical_50k FILE.parquet OUT.parquet | febrl3|febrl4 FOLDER OUT.parquet

FOLDER is what `febrl.py` writes. OUT has unique_id and cluster_id, clusters cut at a match probability of 0.95. Prints nothing.
Needs from PyPI: splink, duckdb.
"""
import logging
import sys
import warnings

import duckdb
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

MATCH_PROBABILITY = 0.95


def fake_1000():
    return {
        "blocking": ["first_name", "surname", "dob", "email"],
        "comparisons": [
            comparisons.ForenameSurnameComparison("first_name", "surname"),
            comparisons.DateOfBirthComparison("dob", input_is_string=True),
            comparisons.ExactMatch("city").configure(term_frequency_adjustments=True),
            comparisons.EmailComparison("email"),
        ],
        "certain": ([
            "l.first_name = r.first_name AND levenshtein(l.dob, r.dob) <= 1",
            "l.surname = r.surname AND levenshtein(l.dob, r.dob) <= 1",
            "l.first_name = r.first_name AND levenshtein(l.surname, r.surname) <= 2",
            "email",
        ], 0.7),
        "u_pairs": 1e6,
        "sessions": ["dob", "email"],
    }


def historical_50k():
    postcode = "substr(postcode_fake,1,3)"
    return {
        "blocking": ["substr(first_name,1,3), substr(surname,1,4)", "surname, dob", "first_name, dob", "postcode_fake, first_name",
                     "postcode_fake, surname", "dob, birth_place", f"{postcode}, dob", f"{postcode}, first_name", f"{postcode}, surname",
                     "substr(first_name,1,2), substr(surname,1,2), substr(dob,1,4)"],
        "comparisons": [
            comparisons.ForenameSurnameComparison("first_name", "surname", forename_surname_concat_col_name="both_names"),
            comparisons.DateOfBirthComparison("dob", input_is_string=True, datetime_metrics=["year", "month"], datetime_thresholds=[1, 1]),
            comparisons.LevenshteinAtThresholds("postcode_fake", 2),
            comparisons.JaroWinklerAtThresholds("birth_place", 0.9).configure(term_frequency_adjustments=True),
            comparisons.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
        "certain": (["first_name, surname, dob", "dob, postcode_fake", "substr(first_name,1,2), surname, substr(postcode_fake,1,2)"], 0.6),
        "u_pairs": 5e6,
        "sessions": ["first_name, surname", "dob"],
    }


def febrl():
    names = [comparisons.NameComparison(name).configure(term_frequency_adjustments=True) for name in ("given_name", "surname")]
    return {
        "blocking": ["soc_sec_id", "given_name, surname", "given_name, date_of_birth", "surname, date_of_birth", "given_name, postcode",
                     "surname, postcode", "date_of_birth, postcode"],
        "comparisons": [
            *names,
            comparisons.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
            comparisons.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            comparisons.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            comparisons.DamerauLevenshteinAtThresholds("postcode", [1, 2]),
        ],
        "certain": (["soc_sec_id", "given_name, surname, date_of_birth", "given_name, surname, postcode"], 0.9),
        "u_pairs": 1e6,
        "sessions": ["date_of_birth", "postcode"],
    }


def rule(text):
    """A blocking rule of columns, or one that is written in SQL."""
    return text if " = " in text else block_on(*text.split(", "))


def resolve(connection, tables, model, link_type):
    settings = SettingsCreator(
        link_type=link_type,
        blocking_rules_to_generate_predictions=[rule(columns) for columns in model["blocking"]],
        comparisons=model["comparisons"],
    )
    api = DuckDBAPI(connection=connection)
    registered = [api.register(connection.table(name)) for name in tables]
    linker = Linker(registered if len(registered) > 1 else registered[0], settings)
    certain, recall = model["certain"]
    linker.training.estimate_probability_two_random_records_match([rule(columns) for columns in certain], recall=recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=model["u_pairs"], seed=1)
    for columns in model["sessions"]:
        linker.training.estimate_parameters_using_expectation_maximisation(rule(columns), estimate_without_term_frequencies=True)
    predictions = linker.inference.predict(threshold_match_probability=0.01)
    return linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, threshold_match_probability=MATCH_PROBABILITY)


def main():
    name, path, out = sys.argv[1:4]
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    connection = duckdb.connect()
    if name.startswith("febrl"):
        files = {f"people_{side}": f"{path}/{side}.parquet" for side in ("a" if name == "febrl3" else "ab")}
        for table, file in files.items():
            connection.execute(f"CREATE TABLE {table} AS SELECT rec_id AS unique_id, * EXCLUDE rec_id FROM '{file}'")
        clusters = resolve(connection, list(files), febrl(), "dedupe_only" if len(files) == 1 else "link_only")
    else:
        reader = f"read_csv('{path}', all_varchar = true)" if path.endswith(".csv") else f"'{path}'"
        connection.execute(f"CREATE TABLE people AS SELECT *, first_name || ' ' || surname AS both_names FROM {reader}")
        clusters = resolve(connection, ["people"], {"fake_1000": fake_1000, "historical_50k": historical_50k}[name](), "dedupe_only")
    connection.execute(f"COPY (SELECT unique_id, cluster_id FROM {clusters.physical_name}) TO '{out}' (FORMAT parquet)")


if __name__ == "__main__":
    main()
