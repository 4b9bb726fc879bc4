#!/usr/bin/env python3
"""A warehouse on a disk that is full, and on one that is read-only: the run ends with 4 and says so, and the old version reads.

Mounts a small tmpfs, which takes root; says so and does nothing where that is not permitted.
usage: disk.py STAMMKUNDE
"""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

binary = sys.argv[1]
place = pathlib.Path(tempfile.mkdtemp())
demo, warehouse = place / "demo", place / "warehouse"
warehouse.mkdir()


def mount(*options):
    return subprocess.run(["mount", *options], stderr=subprocess.PIPE).returncode == 0


if not mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", str(warehouse)):
    print("SKIPPED: this user may not mount a tmpfs, so full and read-only disks were not tried")
    sys.exit(0)


subprocess.run([binary, "demo", str(demo), "--people", "300", "-q"], check=True, stdout=subprocess.DEVNULL)


def run(day):
    return subprocess.run([binary, "run", str(demo), "--warehouse", str(warehouse), "--as-of", f"2026-10-{day:02d}", "-q"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def intact():
    newest = json.loads(max((warehouse / "versions").glob("*.json")).read_text())
    files = [file for entry in newest["tables"].values() for file in entry["files"]] + list(newest["state"].values())
    for file in files:
        assert hashlib.sha256((warehouse / file["path"]).read_bytes()).hexdigest() == file["sha256"], f"{file['path']} is damaged"
    return newest["version"]


try:
    assert run(1).returncode == 0 and intact() == 1
    used = shutil.disk_usage(warehouse).used
    filler = warehouse / "filler"
    # The disk gets full at ten places of a run, from its first file to its copies in latest/.
    full = published = 0
    for step in range(10):
        free = shutil.disk_usage(warehouse).free
        leave = used * step // 12
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(free - leave, 1))
        before = intact()
        done = run(step + 2)
        now = intact()
        if done.returncode == 4:
            assert "disk is full" in done.stderr and "hint:" in done.stderr, done.stderr
            assert now == before, "a run that failed has published"
            full += 1
        else:
            assert done.returncode == 0 and now == before + 1, (done.returncode, done.stderr)
            published += 1
        os.remove(filler)
        again = run(step + 2)
        assert again.returncode == 0, again.stderr
        assert intact() == before + 1
        subprocess.run([binary, "versions", "cleanup", str(demo), "--warehouse", str(warehouse), "--keep", "1", "-q"],
                       check=True, stdout=subprocess.DEVNULL)
        assert intact() == before + 1
    assert full >= 5, f"the disk was full in {full} of 10 runs only"
    assert mount("-o", "remount,ro", str(warehouse))
    refused = run(20)
    assert refused.returncode == 4 and "permission denied" in refused.stderr and "hint:" in refused.stderr, refused.stderr
    intact()
    print(f"a disk that got full at ten moments: {full} runs ended with 4, {published} had room enough; a read-only one: 4; every version whole")
finally:
    subprocess.run(["umount", str(warehouse)])
