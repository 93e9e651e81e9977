"""Mutation testing of a sample: faults that cosmic-ray plants one at a time, each in a copy; which do the tests notice?

Each module is tested by the unit tests of its package, those first that import it, by those of them in tests/contract,
since they start processes or import for seconds, and by the rule for all values. A fault that only other tests would
notice counts as missed.
"""

import argparse
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / ".nox" / "mutated"
PARTS = ("gates", "release", "contract", "config")
"""Of mlgates."""
RULES = "tests/unit/mlgates/test_values_are_frozen.py"
"""What is looked for in every package."""
# Without random order or examples of its own a mutant is noticed by the tests, not by luck.
PYTEST = "{python} -m pytest -x -q -p no:randomly -p no:cacheprovider -p no:xdist {tests}"
# Mostly in annotations; and what is the same to every test, `==` in place of `is`.
NOT_CODE = ("core/ReplaceBinaryOperator_BitOr_", "core/ReplaceComparisonOperator_Is_Eq")
LEAST_S, SLOWER = 30.0, 3.0
"""A fault without end is noticed when the tests take so long, and so many times what they take without one."""
CONFIG = """
[cosmic-ray]
module-path = "src/mlgates/{module}"
timeout = {limit:.1f}
excluded-modules = []
test-command = "{command}"
[cosmic-ray.distributor]
name = "local"
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="nox -s mutation --", description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--modules", type=int, default=3, help="of each part; by default 3")
    parser.add_argument("--mutants", type=int, default=5, help="of each module; by default 5")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cosmic-ray", default="cosmic-ray", help="its command")
    chosen = parser.parse_args()
    copy_project()
    total: Counter[str] = Counter()
    for part in chosen.parts:
        found = Counter[str]()
        for module, tests in drawn_modules(part, chosen.modules, chosen.seed).items():
            found += mutate(chosen.cosmic_ray, module, tests, chosen.mutants, chosen.seed)
        tell(part, found)
        total += found
    tell("together", total)
    return 0


def copy_project() -> None:
    """Copy what git keeps and what is new, so that a test finds all that it reads."""
    shutil.rmtree(COPY, ignore_errors=True)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, COPY / name)


def drawn_modules(part: str, number: int, seed: int) -> dict[str, str]:
    """Draw modules of the part from the copy; return them with their tests, those first that import the module."""
    own = f"tests/unit/mlgates/{part}"
    tests = {file: file.read_text(encoding="utf-8") for file in sorted((COPY / own).glob("test_*.py"))}
    moved = [folder for folder in [f"tests/contract/mlgates/{part}"] if (COPY / folder).is_dir()]
    modules = sorted((COPY / "src/mlgates" / part).rglob("[!_]*.py"))
    drawn = {}
    for file in sorted(random.Random(seed).sample(modules, min(number, len(modules)))):
        *package, name = file.relative_to(COPY / "src").with_suffix("").parts
        imported = re.compile(rf"{'.'.join(package)}(\.{name}\b| import .*\b{name}\b)")
        first = [f"{own}/{test.name}" for test, text in tests.items() if imported.search(text)]
        drawn[str(file.relative_to(COPY / "src/mlgates"))] = " ".join([*first, own, *moved, RULES])
    return drawn


def mutate(cosmic_ray: str, module: str, tests: str, mutants: int, seed: int) -> Counter[str]:
    """Plant a sample of the faults of `module`, run its tests for each, and return how many were killed or survived."""
    name = module.replace("/", "-").removesuffix(".py")
    config, session = COPY / f"{name}.toml", COPY / f"{name}.sqlite"
    command = PYTEST.format(python=sys.executable, tests=tests)
    started = time.monotonic()
    clean = subprocess.run(command.split(), cwd=COPY, env=environ(), check=False, capture_output=True, text=True)
    if clean.returncode:
        sys.exit(f"{module}: its tests fail without a fault\n{clean.stdout}{clean.stderr}")
    limit = LEAST_S + SLOWER * (time.monotonic() - started)
    config.write_text(CONFIG.format(module=module, command=command, limit=limit), encoding="utf-8")
    subprocess.run([cosmic_ray, "init", config, session], cwd=COPY, check=True)
    sample(session, mutants, seed)
    subprocess.run([cosmic_ray, "exec", config, session], cwd=COPY, env=environ(), check=True)
    with sqlite3.connect(session) as connection:
        rows = connection.execute("SELECT test_outcome, diff FROM work_results").fetchall()
    for outcome, diff in rows:
        if outcome == "SURVIVED":
            say(diff)
    return Counter(outcome for outcome, _ in rows)


def environ() -> dict[str, str]:
    # The copy comes before the project, which is installed in place. What is compiled may be of another mutant.
    path = {"PYTHONPATH": str(COPY / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return os.environ | path | {"HYPOTHESIS_PROFILE": "mutation"}


def sample(session: Path, mutants: int, seed: int) -> None:
    """Leave so many mutants in cosmic-ray's list, at most one at each place of the source."""
    draw, places = random.Random(seed), defaultdict[tuple[object, ...], list[str]](list)
    with sqlite3.connect(session) as connection:
        order = "start_pos_row, start_pos_col, operator_name, occurrence"
        rows = connection.execute(
            f"SELECT job_id, operator_name, start_pos_row, start_pos_col FROM mutation_specs ORDER BY {order}"
        ).fetchall()
        for job, operator, *place in rows:
            if not operator.startswith(NOT_CODE):
                places[tuple(place)].append(job)
        kept = {draw.choice(jobs) for jobs in draw.sample(list(places.values()), min(mutants, len(places)))}
        left_out = [(job,) for job, *_ in rows if job not in kept]
        for table in ("work_items", "mutation_specs"):
            connection.executemany(f"DELETE FROM {table} WHERE job_id = ?", left_out)
    say(f"{session.stem}: {len(kept)} mutants, of {len(places)} places")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tell(part: str, found: Counter[str]) -> None:
    killed, tried = found["KILLED"], found["KILLED"] + found["SURVIVED"]
    say(f"{part}: {killed} of {tried} noticed, {killed / tried:.0%}" if tried else f"{part}: none")


if __name__ == "__main__":
    sys.exit(main())
