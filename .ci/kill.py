#!/usr/bin/env python3
"""Kills a run with SIGKILL at twenty moments: the old version must still read, and the next run must succeed.

usage: kill.py STAMMKUNDE
"""
import hashlib
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

binary = sys.argv[1]
demo = pathlib.Path(tempfile.mkdtemp()) / "demo"
subprocess.run([binary, "demo", str(demo), "--people", "2000", "-q"], check=True, stdout=subprocess.DEVNULL)
warehouse = demo / "warehouse"
random.seed(7)


def newest():
    return json.loads(max((warehouse / "versions").glob("*.json")).read_text())


def intact(manifest):
    for entry in manifest["tables"].values():
        for file in entry["files"]:
            data = (warehouse / file["path"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == file["sha256"], f"{file['path']} of version {manifest['version']} is damaged"


def run(day, **options):
    return subprocess.Popen([binary, "run", str(demo), "--as-of", f"2026-10-{day:02d}", "-q"], stdout=subprocess.DEVNULL, **options)


started = time.monotonic()
assert run(1).wait() == 0
length = time.monotonic() - started
killed = 0
for moment in range(20):
    before = newest()
    process = run(moment + 2)
    time.sleep(length * (moment + random.random()) / 20)
    process.send_signal(signal.SIGKILL)
    killed += process.wait() == -signal.SIGKILL
    now = newest()
    assert now["version"] in (before["version"], before["version"] + 1), "a version was skipped"
    intact(before)
    intact(now)
    again = run(moment + 2).wait()
    assert again == 0, f"the run after a kill at moment {moment} exited {again}"
    intact(newest())
    marker = json.loads((warehouse / "latest" / "_version.json").read_text())
    assert marker["version"] == newest()["version"], "latest/ lags behind"
assert killed >= 10, f"only {killed} of 20 runs were still alive when killed: the moments were too late to test anything"
print(f"{killed} of 20 runs died by SIGKILL; every version before and after reads, every next run succeeded")
