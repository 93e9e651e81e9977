"""Takes the pictures of the report for the documentation: `python docs/screenshots.py`, with Chromium on PATH."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the example record is a test's

from mlgates.reports.html.page import gate_page  # noqa: E402
from tests.unit.mlgates.reports.examples import PROD  # noqa: E402

WIDTH, HEIGHT = 1100, 1240
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# No sandbox: in a container Chromium has no rights to make one, and the page is our own.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


def main() -> None:
    """Write docs/images/report-light.png and report-dark.png."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit(f"no browser on PATH: looked for {', '.join(BROWSERS)}")
    for theme in ("light", "dark"):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            chosen = gate_page(PROD).replace('id="theme-auto" checked', 'id="theme-auto"')
            page.write_text(chosen.replace(f'id="theme-{theme}"', f'id="theme-{theme}" checked'), encoding="utf-8")
            picture = ROOT / "docs" / "images" / f"report-{theme}.png"
            options = ["--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={folder}/profile"]
            subprocess.run([browser, *FLAGS, *options, f"--screenshot={picture}", page.as_uri()], check=True)  # noqa: S603


if __name__ == "__main__":
    main()
