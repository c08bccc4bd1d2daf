"""Run every Python example of the given Markdown files and folders.

The ```python blocks of one file are run in order, as one program in a fresh process; a
block marked ```python no-run is left out, which is for pieces that are no program.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BLOCK = re.compile(r"^```python[ \t]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def main(names: list[str]) -> int:
    """Run the examples; the exit code is 1 when one fails."""
    files = [path for name in names for path in _markdown(Path(name))]
    passed = failed = 0
    for path in files:
        blocks = BLOCK.findall(path.read_text(encoding="utf-8"))
        if not blocks:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-W", "error", "-"],
                input="\n".join(blocks),
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
        seconds = time.monotonic() - began
        verdict = "ok" if done.returncode == 0 else "FAILED"
        print(f"{path}: {len(blocks)} example(s), {seconds:.1f} s: {verdict}")
        if done.returncode:
            failed += 1
            print(done.stdout + done.stderr)
        else:
            passed += 1
    if passed + failed == 0:
        print("no example found", file=sys.stderr)
        return 1
    print(f"examples: {passed} passed, {failed} failed")
    return int(failed > 0)


def _markdown(path: Path) -> list[Path]:
    return sorted(path.rglob("*.md")) if path.is_dir() else [path]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
