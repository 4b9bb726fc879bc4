#!/usr/bin/env python3
"""The peer, lifetimes 0.11.3, on a table of purchase histories: seconds for its BG/NBD fit, its Gamma-Gamma fit and its forecasts.

usage: lifetimes_value.py HISTORIES.parquet      (columns repeat_purchases_count, recency_days, age_days, repeat_spend_mean)

Needs `lifetimes==0.11.3 pyarrow pandas`. Started by `cargo bench --bench customer_value -- --peer PYTHON`.
"""
import sys
import time
import warnings

import pandas
from lifetimes import BetaGeoFitter, GammaGammaFitter

warnings.simplefilter("ignore")
rows = pandas.read_parquet(sys.argv[1])
x, recency, age = rows.repeat_purchases_count, rows.recency_days / 7, rows.age_days / 7


def timed(what, run):
    started, cpu = time.perf_counter(), time.process_time()
    result = run()
    print(f"  lifetimes: {what}: {time.perf_counter() - started:.2f} s, {time.process_time() - cpu:.2f} CPU s", flush=True)
    return result


model = timed("fit BG/NBD", lambda: BetaGeoFitter().fit(x, recency, age))
spenders = rows[rows.repeat_spend_mean > 0]
spend = timed("fit Gamma-Gamma", lambda: GammaGammaFitter().fit(spenders.repeat_purchases_count, spenders.repeat_spend_mean))
timed("expected purchases of 52 weeks", lambda: model.conditional_expected_number_of_purchases_up_to_time(52, x, recency, age))
timed("customer_lifetime_value, 12 months", lambda: spend.customer_lifetime_value(
    model, x, recency, age, rows.repeat_spend_mean.fillna(0), time=12, freq="W", discount_rate=0.1 / 12))
