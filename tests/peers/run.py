"""The same bad days for the engine, for dlt and for airbyte-cdk, and what each of them lost or wrote twice.

    run.py ENGINE FOLDER        ENGINE: the binary. FOLDER: where the tools are installed and keep their state

`cargo xtask peers` builds the one and installs the others. Every tool polls at the same four instants, keeps its
state in between, and is written as its own documentation shows it; the second column of
the Python tools adds the look-back of two minutes that their documentation advises for late rows. Ends with 0 when the
engine lost nothing and wrote nothing twice; what the others did is measured, not demanded.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
START = 1_772_409_600
# One poll in time, one after half an hour without, and two more in which a tool may make good what it missed.
POLLS = [10, 40, 50, 62]
# One poll of 250 rows takes seconds; a tool that is still busy after that has given up for this purpose.
PATIENCE = 400
SEED = 20260302
SCENARIOS = [
    ("quiet", "nothing goes wrong"),
    ("late", "two rows committed after the poll, stamped before"),
    ("shift", "an order of page 1 is changed while pages are read"),
    ("error", "an error inside HTTP 200 in the middle of three windows"),
    ("session", "the session is lost at page 3"),
]


def main():
    engine, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    python = folder / "venv" / "bin" / "python"
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    tools = {
        "engine": lambda url, place: run_engine(engine, url, place),
        "dlt": lambda url, place: [python, HERE / "with_dlt.py", url, place],
        "dlt, lag 2 min": lambda url, place: [python, HERE / "with_dlt.py", url, place, "120"],
        "airbyte-cdk": lambda url, place: [python, HERE / "with_airbyte.py", url, place],
        "airbyte-cdk, look-back 2 min": lambda url, place: [python, HERE / "with_airbyte.py", url, place, "120"],
    }
    server = subprocess.Popen([sys.executable, HERE / "server.py"], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        lost = read(tools, url, work)
        doubled = write(engine, python, url, work)
    finally:
        server.terminate()
        server.wait()
    return 0 if lost == 0 and doubled == (0, 0) else 1


def read(tools, url, work):
    """Lost rows of every scenario and tool; gives those of the engine."""
    total = 0
    names = list(tools)
    print("| rows lost of those the source has | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    for scenario, words in SCENARIOS:
        cells = []
        for name, command in tools.items():
            place = work / scenario / name.replace(" ", "-").replace(",", "")
            place.mkdir(parents=True)
            control(url, scenario=scenario, seed=SEED)
            failed = 0
            for number, minute in enumerate(POLLS, 1):
                now = START + 60 * minute
                control(url, now=now * 1000, poll=number)
                failed += at(now, command(url, place), place / f"poll-{number}.log") != 0
            held = control(url)
            if scenario in ("shift", "error", "session") and not held["struck"]:
                raise SystemExit(f"{scenario}, {name}: the fault never came")
            got = engine_rows(tools, place) if name == "engine" else kept(place)
            # The last poll is at the edge of what is closed: what is younger than five minutes is the next one's.
            missing = set(held["rows"]) - got
            if name == "engine":
                total += len(missing)
            if scenario == "quiet" and missing:
                raise SystemExit(f"{name} is set up wrongly: it loses {len(missing)} rows on a quiet day, see {place}")
            cells.append(f"{len(missing)}" + (f" ({failed} of {len(POLLS)} polls failed)" if failed else ""))
        print(f"| {words} | " + " | ".join(cells) + " |", flush=True)
    return total


def write(engine, python, url, work):
    """A target that does the work and answers 502, every fifth time."""
    print("\n| a target that commits and answers 502 | sent for | written | doubled | lost |\n|---|---|---|---|---|")
    place = work / "write"
    place.mkdir(parents=True)
    now = START + 600

    def row(name, command):
        control(url, scenario="quiet", seed=SEED)
        control(url, now=now * 1000, poll=1)
        keys = control(url)["rows"]
        (place / "keys.txt").write_text("\n".join(keys) + "\n")
        at(now, command, place / f"{name}.log")
        held = control(url)
        lost = len(set(keys) - set(held["keys"]))
        print(f"| {name} | {len(keys)} | {held['documents']} | {held['doubled']} | {lost} |", flush=True)
        return held["doubled"], lost

    ours = row("engine", run_engine(engine, url, place, "orders-to-documents"))
    row("dlt", [python, HERE / "with_dlt.py", url, place, "write", place / "keys.txt"])
    row("airbyte-cdk", [python, HERE / "with_airbyte.py", url, place, "write", place / "keys.txt"])
    return ours


def run_engine(engine, url, place, scheme="orders"):
    os.environ.update(TRIAL_ERP=url + "/", TRIAL_PASSWORD="trial", ENGINE_FOR_ROWS=str(engine))
    return [engine, "run", HERE / "engine" / "schemes" / f"{scheme}.yaml", "--data-dir", place, "--lang", "en"]


def engine_rows(tools, place):
    engine = os.environ["ENGINE_FOR_ROWS"]
    connections = HERE / "engine" / "connections.yaml"
    out = subprocess.run(
        [engine, "rows", "list", "--connections", connections, "--data-dir", place, "--limit", "0", "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {row["label"] for row in json.loads(out.stdout)["rows"]}


def kept(place):
    file = place / "got.txt"
    return set(file.read_text().split()) if file.exists() else set()


def at(now, command, log):
    """Runs a command with the clock at this instant; its exit code."""
    stamp = time.strftime("@%Y-%m-%d %H:%M:%S", time.gmtime(now))
    environment = dict(os.environ, TZ="UTC", PYTHONWARNINGS="ignore", TRIAL_NOW=str(now * 1000))
    words = list(map(str, command))
    if "python" not in Path(words[0]).name:
        # The Python tools need no clock but the cursor and TRIAL_NOW; their threads do not bear a faked one.
        environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
        words = ["faketime", "-f", stamp, *words]
    with open(log, "w") as out:
        try:
            return subprocess.run(
                words,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
            ).returncode
        except subprocess.TimeoutExpired:
            return -1


def control(url, **what):
    request = urllib.request.Request(f"{url}/control", data=json.dumps(what).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
