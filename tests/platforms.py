"""Does gradstep work on every Python, and with every version that it admits?

Each interpreter that is found gets an environment with the highest versions that
pyproject.toml admits, the oldest one also one with the lowest. The tests run in each.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final[dict[str, Any]] = tomllib.loads(
    (ROOT / "pyproject.toml").read_text("utf-8")
)
FOLDER: Final = ROOT / "build" / "platforms"
LATEST: Final = 20  # a Python 3 that is not there yet
_LEAST: Final = re.compile(r"([\w.-]+)>=([\d.]+)")
_VERSION: Final = "import sys; print(*sys.version_info[:2])"


def lowest() -> list[str]:
    """Return what is needed, each in the lowest version that is admitted."""
    found: list[str] = []
    for text in PROJECT["project"]["dependencies"]:
        bound = _LEAST.fullmatch(text)
        assert bound, f"{text!r} has no lowest version"
        found.append("==".join(bound.groups()))
    return found


def tools() -> list[str]:
    """Return what the tests need besides: not what reads types and style."""
    unused = ("pyright", "ruff")
    group = PROJECT["dependency-groups"]["dev"]
    return [text for text in group if not text.startswith(unused)]


def oldest() -> int:
    """Return the minor version of the oldest Python that is admitted."""
    bound = _LEAST.fullmatch("python" + PROJECT["project"]["requires-python"])
    assert bound
    return int(bound[2].split(".")[1])


def interpreters() -> dict[int, str]:
    """Return an interpreter for each minor version that there is on this machine."""
    found: dict[int, str] = {}
    for path in _candidates():
        command = [path, "-I", "-c", _VERSION]
        try:
            said = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue  # a stand-in for one that is not chosen
        major, minor = map(int, said.stdout.split())
        if major == sys.version_info.major and minor >= oldest():
            found.setdefault(minor, path)
    return dict(sorted(found.items()))


def _candidates() -> Iterator[str]:
    yield sys.executable
    for minor in range(oldest(), LATEST):
        if path := shutil.which(f"python3.{minor}"):
            yield path
    # pyenv shows but the one that is chosen.
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(home.glob("versions/3.*/bin/python3")))


def environment(python: str, name: str, wanted: Sequence[str]) -> Path:
    """Make a virtual environment anew, and return its interpreter."""
    folder = FOLDER / name
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    own = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [own, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, *wanted, *tools()], check=True)
    editable = ["--no-deps", "--no-build-isolation", "--editable", ROOT]
    subprocess.run([*pip, *editable], check=True)
    return own


def main() -> int:
    """Return 1 where the tests fail on any platform."""
    parser = argparse.ArgumentParser(description="Run the tests on all platforms.")
    parser.add_argument("--only", default="", help="such as 3.12 or lowest")
    options, more = parser.parse_known_args()  # pytest knows the others
    found = interpreters()
    highest = list(PROJECT["project"]["dependencies"])
    first = min(found)
    plan = [(f"3.{first}-lowest", found[first], lowest())]
    plan += [(f"3.{one}-highest", path, highest) for one, path in found.items()]
    failed: list[str] = []
    for name, python, wanted in plan:
        if options.only not in name:
            continue
        own = environment(python, name, wanted)
        print(f"{name}: {' '.join(_versions(own))}", flush=True)
        command = [own, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["--numprocesses=auto", "--maxprocesses=4", "--dist=worksteal"]
        done = subprocess.run([*command, *more], cwd=ROOT, check=False)
        failed += [name] if done.returncode else []
    print(f"failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def _versions(python: Path) -> list[str]:
    names = [_LEAST.match(text) for text in PROJECT["project"]["dependencies"]]
    program = (
        "from importlib.metadata import version\n"
        f"for one in {[one[1] for one in names if one]}: print(one, version(one))"
    )
    command = [python, "-c", program]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return said.stdout.split("\n")[:-1]


if __name__ == "__main__":
    sys.exit(main())
