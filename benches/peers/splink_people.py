#!/usr/bin/env python3
"""The peer: Splink 5 on DuckDB resolves the people that `people.py` makes.

usage: splink_people.py PEOPLE.parquet OUT.parquet [THREADS [U_PAIRS]]    resolves; OUT has unique_id and cluster_id
       splink_people.py PEOPLE.parquet --count [THREADS]                  counts the pairs that its blocking rules compare

Blocking rules and comparisons follow Splink's own examples for persons. As its documentation advises, the columns are cleaned in SQL
first, and postcode, street and town, which correlate, are one comparison. u is estimated from U_PAIRS random pairs, ten million if not given;
clusters are cut at a match probability of 0.95. Prints one JSON object: wall and CPU seconds of each step, or the number of pairs.

Needs from PyPI: splink, duckdb.
"""
import contextlib
import json
import logging
import resource
import sys
import time
import warnings

import duckdb
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.blocking_analysis import count_comparisons_from_blocking_rules

PREDICTION_PROBABILITY = 0.01
MATCH_PROBABILITY = 0.95

BLOCKING = [
    block_on("email"),
    block_on("phone"),
    block_on("surname", "dob"),
    block_on("given_name", "dob"),
    block_on("postcode", "surname"),
    block_on("postcode", "given_name"),
    block_on("given_name", "surname", "city"),
    block_on("substr(surname,1,4)", "substr(given_name,1,2)", "substr(postcode,1,3)"),
    block_on("postcode", "dob"),
]
# Rules that nearly only matches fulfil, for the share of matches among all pairs, and their recall.
CERTAIN, CERTAIN_RECALL = [block_on("email"), block_on("given_name", "surname", "dob"), block_on("phone", "given_name")], 0.8
SESSIONS = [block_on("email"), block_on("given_name", "surname", "dob")]


def folded(column):
    text = f"lower({column})"
    for umlaut, letters in [("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")]:
        text = f"replace({text}, '{umlaut}', '{letters}')"
    return f"nullif(trim({text}), '')"


def cleaning(path):
    street = folded("street")
    for long, short in [("strasse", "str"), ("str.", "str"), (" road", " rd")]:
        street = f"replace({street}, '{long}', '{short}')"
    return f"""
        CREATE TABLE people AS SELECT
          rec_id AS unique_id,
          {folded("regexp_extract(given_name, '^[^ .]+')")} AS given_name,
          {folded("surname")} AS surname,
          dob,
          lower(email) AS email,
          right(regexp_replace(phone, '[^0-9]', '', 'g'), 8) AS phone,
          {street} AS street,
          replace(postcode, ' ', '') AS postcode,
          {folded("city")} AS city
        FROM '{path}'"""


def address():
    street = "jaro_winkler_similarity(street_l, street_r) > 0.92"
    return comparisons.CustomComparison(
        output_column_name="address",
        comparison_levels=[
            levels.NullLevel("postcode"),
            levels.CustomLevel(f"postcode_l = postcode_r AND {street}", label_for_charts="same postcode, similar street"),
            levels.CustomLevel(f"levenshtein(postcode_l, postcode_r) <= 1 AND {street}", label_for_charts="close postcode, similar street"),
            levels.ExactMatchLevel("postcode"),
            levels.ExactMatchLevel("city"),
            levels.ElseLevel(),
        ],
    )


def settings():
    return SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=BLOCKING,
        comparisons=[
            comparisons.NameComparison("given_name").configure(term_frequency_adjustments=True),
            comparisons.NameComparison("surname").configure(term_frequency_adjustments=True),
            comparisons.DateOfBirthComparison("dob", input_is_string=True, invalid_dates_as_null=True),
            comparisons.EmailComparison("email"),
            comparisons.LevenshteinAtThresholds("phone", 1),
            address(),
        ],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )


class Steps:
    """Wall and CPU seconds by step."""

    def __init__(self):
        self.seconds = {}

    @contextlib.contextmanager
    def time(self, name):
        def now():
            usage = resource.getrusage(resource.RUSAGE_SELF)
            return time.perf_counter(), usage.ru_utime + usage.ru_stime

        before = now()
        yield
        self.seconds[name] = [round(after - start, 3) for after, start in zip(now(), before)]


def resolve(connection, api, path, out, u_pairs):
    steps = Steps()
    with steps.time("load and clean"):
        connection.execute(cleaning(path))
    with steps.time("register"):
        linker = Linker(api.register(connection.table("people")), settings())
    with steps.time("prior"):
        linker.training.estimate_probability_two_random_records_match(CERTAIN, recall=CERTAIN_RECALL)
    with steps.time("estimate u"):
        linker.training.estimate_u_using_random_sampling(max_pairs=u_pairs, seed=1)
    with steps.time("EM"):
        for session in SESSIONS:
            linker.training.estimate_parameters_using_expectation_maximisation(session, estimate_without_term_frequencies=True)
    with steps.time("predict"):
        predictions = linker.inference.predict(threshold_match_probability=PREDICTION_PROBABILITY)
    with steps.time("cluster"):
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predictions, threshold_match_probability=MATCH_PROBABILITY)
    with steps.time("write"):
        connection.execute(f"COPY (SELECT unique_id, cluster_id FROM {clusters.physical_name}) TO '{out}' (FORMAT parquet)")
    return {"steps": steps.seconds, "wall_s": sum(wall for wall, _ in steps.seconds.values()),
            "cpu_s": sum(cpu for _, cpu in steps.seconds.values())}


def count(connection, api, path):
    connection.execute(cleaning(path))
    counts = count_comparisons_from_blocking_rules(
        api.register(connection.table("people")), blocking_rules=BLOCKING, link_type="dedupe_only", record_sample_proportion=1.0)
    last = counts[-1]
    return {"pairs": int(last["cumulative_comparison_count"] if isinstance(last, dict) else last.cumulative_comparison_count)}


def main():
    path, out = sys.argv[1:3]
    threads = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    u_pairs = float(sys.argv[4]) if len(sys.argv) > 4 else 1e7
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    api = DuckDBAPI(connection=connection)
    print(json.dumps(count(connection, api, path) if out == "--count" else resolve(connection, api, path, out, u_pairs)))


if __name__ == "__main__":
    main()
