"""How a ledger is looked at, and how somebody takes it up again after it was damaged: what cannot be shown is lost.

A repair is an entry. It says what was found, and leaves out every entry that no anchor confirms. From there on nothing
counts that was approved before; what was rejected stays rejected, as far as the ledger or a tag still names it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING

from mlgates.config.settings import Settings
from mlgates.core.errors import ConfigurationError
from mlgates.core.ledger import LEFT_OUT, Action, Anchor, Draft, Entry, confirmed, disagreements, left_out
from mlgates.delivery.workspace_ledger import Ledger, Reading
from mlgates.release.approval import required_text

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at a ledger shows."""

    ledger: str
    reading: Reading
    archived: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Say it, a line each; what is wrong comes last."""
        entries, faults = self.reading.entries, set(self.reading.faults)
        last = entries[-1] if entries else None
        yield f"ledger {self.ledger}: {len(entries)} entries" + (f", the last {last.number}, {last.at}" if last else "")
        for anchor in self.reading.anchors:
            if not disagreements(entries, [anchor]):
                yield f"agrees: {anchor.where} names entry {anchor.number}"
        if passed_over := sorted(left_out(self.reading.versions)):
            yield f"left out by a repair: {', '.join(passed_over)}"
        if self.archived:
            yield f"archived, and counted all the same: {', '.join(self.archived)}"
        yield from (f"broken: {fault}" for fault in self.reading.faults)
        for line in disagreements(entries, self.reading.anchors):
            if line not in faults:  # of a chain that is broken itself
                yield f"broken: {line}"


def look(client: "MLClient", settings: Settings) -> Findings:
    """Look at a project's ledger and at all its anchors, also those on runs whose models nobody registered."""
    ledger = Ledger.of(client, settings)
    return Findings(ledger.name, _reading(ledger, settings), tuple(ledger.archived()))


def repair(client: "MLClient", settings: Settings, *, by: str, reason: str) -> Entry:
    """Write that the ledger was found broken, and let it go on from what can be shown; return that entry.

    Raises `ConfigurationError` for nobody or no reason, or when nothing is wrong.
    """
    who, why = required_text(by, "by", "who repairs"), required_text(reason, "reason", "what happened")
    ledger = Ledger.of(client, settings)
    reading = _reading(ledger, settings)
    if not reading.faults:
        raise ConfigurationError(f"ledger {ledger.name} is whole: there is nothing to repair")
    kept = confirmed(reading.entries, reading.anchors)
    draft = _draft(reading, kept, who, why, settings)
    numbers = [each.number for each in reading.versions] + [anchor.number for anchor in reading.anchors]
    repaired = ledger.repairing(kept, draft, number=max(numbers, default=0) + 1)
    chain = [*kept, repaired]
    for anchor in reading.anchors:
        if anchor.rejected is not None and not anchor.rejection_in(chain):
            chain.append(ledger.repairing(chain, _rejection(anchor, who), number=chain[-1].number + 1))
    for anchor in reading.anchors:
        if anchor.number and not anchor.names_one_of(chain):
            ledger.anchors.replace(anchor, chain[-1])
    ledger.anchors.write(chain[-1], ())
    return repaired


def _reading(ledger: Ledger, settings: Settings) -> Reading:
    return ledger.read(*ledger.anchors.runs(settings.training_experiment_name))


def _draft(reading: Reading, kept: Sequence[Entry], who: str, why: str, settings: Settings) -> Draft:
    counted = {str(entry.number) for entry in kept}
    # Those that an earlier repair left out too: it may be left out itself.
    passed_over = " ".join(each.version for each in reading.versions if each.version not in counted)
    last = kept[-1] if kept else None
    return Draft(
        action=Action.REPAIRED,
        by=who,
        model=settings.model_name,
        reason=why,
        endpoint=settings.online_endpoint,
        facts={
            "found": shorten("; ".join(reading.faults), _LONGEST, placeholder=" ..."),
            "kept": f"up to entry {last.number}, {last.checksum}" if last else "nothing",
            **({LEFT_OUT: passed_over} if passed_over else {}),
        },
    )


def _rejection(anchor: Anchor, who: str) -> Draft:
    return Draft(
        action=Action.REJECTED,
        by=who,
        model=anchor.model,
        sha256=anchor.rejected or "",
        reason=f"rejected before the ledger was repaired: {anchor.where} names it",
    )
