"""A record's Markdown on the page of the CI run: where an approver, or a pull request's author, looks first.

GitHub shows what is appended to the file `GITHUB_STEP_SUMMARY` (docs.github.com, workflow commands, job summary); Azure
DevOps uploads the file that a line of the log names (learn.microsoft.com, logging commands, UploadSummary).
"""

from collections.abc import Callable, Mapping
from pathlib import Path


def show_on_run(markdown: Path, environ: Mapping[str, str], say: Callable[[str], object]) -> None:
    """Put `markdown` on the page of this run, by a line to `say` on Azure DevOps; outside of CI, do nothing."""
    if page := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as summary:
            summary.write(f"{markdown.read_text(encoding='utf-8').rstrip()}\n\n")
    elif environ.get("TF_BUILD"):
        say(f"##vso[task.uploadsummary]{markdown.absolute()}")
