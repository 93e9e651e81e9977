"""The contract's full run as a program: a local deployment and Microsoft's inference server, asked the same requests.

`python -m tests.contract.mlgates.full_run --examples 2000` prints tables in Markdown, for docs/contract.md, and ends
with code 1 when the local deployment broke the contract. Microsoft's server runs `azure_entry.py`, which treats
requests as the script does that Azure ML generates for MLflow models.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from mlgates.contract.invalid_requests import InvalidRequest, catalogue
from mlgates.contract.model_folder import read_contract, read_ranges
from mlgates.contract.properties import ContractBroken, WrongAnswer, predictions_of, refuses
from mlgates.contract.pyfunc_scorer import PyfuncScorer
from mlgates.contract.scoring_requests import Format
from mlgates.contract.signature import Batch, ModelContract, same
from mlgates.contract.strategies import batches, requests
from mlgates.endpoint_client import Address, EndpointClient, Json, Scorer, ScoringRequest, ScoringResponse, ask
from tests.bench.peers import azure_server
from tests.contract.mlgates.conftest import CLASSIFIER, SUITE, train_model
from tests.contract.mlgates.generating import generated
from tests.contract.mlgates.local_endpoint import local_endpoint
from tests.contract.mlgates.targets import FORMATS

LOCAL, MICROSOFT = "local deployment", "azureml-inference-server-http"


@dataclass
class Counted:
    """What one server answered: to valid requests by format, to invalid ones by what is wrong with them."""

    valid: dict[Format, Counter[str]] = field(default_factory=dict)
    invalid: dict[str, Counter[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    """One line for each answer that breaks the contract."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests of the run, the same for every server."""

    contract: ModelContract
    valid: Mapping[Format, Sequence[tuple[Batch, ScoringRequest]]]
    expected: Mapping[Format, Sequence[Json]]
    """For each valid request, the model's own predictions."""
    invalid: Sequence[InvalidRequest]


def draw(contract: ModelContract, model: PyfuncScorer, examples: int) -> Asked:
    """Draw `examples` valid requests a format, and as many invalid ones beside the whole catalogue of the example."""
    valid = {form: generated(requests(contract, form), examples=examples) for form in FORMATS}
    expected = {form: [model.predict(batch) for batch, _ in valid[form]] for form in FORMATS}
    spoilt = batches(contract, whole=True).flatmap(lambda batch: st.sampled_from(list(catalogue(contract, batch))))
    invalid = [*catalogue(contract, Batch(contract.names, contract.example[:1])), *generated(spoilt, examples=examples)]
    return Asked(contract, valid, expected, invalid)


def count(scorer: Scorer, asked: Asked) -> Counted:
    """Ask every request, and count what came back."""
    counted = Counted()
    for form in FORMATS:
        outcomes = counted.valid[form] = Counter()
        for (batch, request), expected in zip(asked.valid[form], asked.expected[form], strict=True):
            outcome = outcome_of(asked.contract, batch, ask(scorer, request), expected)
            outcomes[outcome] += 1
            if outcome != RIGHT:
                counted.broken.append(f"{form}: {outcome}: {request.curl()}")
    for invalid in asked.invalid:
        answer = ask(scorer, invalid.request)
        counted.invalid.setdefault(kind(asked.contract, invalid), Counter())[status(answer)] += 1
        try:
            refuses(Given(answer), invalid)
        except ContractBroken as broken:
            counted.broken.append(str(broken).splitlines()[0])
    return counted


RIGHT = "right"


def outcome_of(contract: ModelContract, batch: Batch, answer: ScoringResponse, expected: Json) -> str:
    if answer.status != 200:
        return status(answer)
    try:
        predictions = predictions_of(contract, answer.json(), len(batch.rows))
    except (WrongAnswer, ValueError):
        return "not an answer"
    return RIGHT if same(predictions, expected) else "false prediction"


def status(answer: ScoringResponse) -> str:
    return str(answer.status) if answer.model_status == answer.status else f"{answer.status} ({answer.model_status})"


def kind(contract: ModelContract, invalid: InvalidRequest) -> str:
    """Return the request's name with any column in the place of the one that was drawn."""
    name = invalid.name
    for column in contract.names:
        name = name.replace(column, "a column")
    return name


@dataclass(frozen=True, slots=True)
class Given:
    """A scorer that has answered already."""

    answer: ScoringResponse

    def score(self, body: bytes, headers: Mapping[str, str]) -> ScoringResponse:
        return self.answer


def tables(counts: Mapping[str, Counted]) -> Iterator[str]:
    """Yield the lines of both tables."""
    servers = list(counts)
    yield from (f"| valid requests | {' | '.join(servers)} |", f"|---|{'---|' * len(servers)}")
    for form in FORMATS:
        yield f"| {form} | {' | '.join(listed(counts[server].valid[form]) for server in servers)} |"
    yield ""
    yield from (f"| invalid requests | {' | '.join(servers)} |", f"|---|{'---|' * len(servers)}")
    for what in counts[servers[0]].invalid:
        yield f"| {what} | {' | '.join(listed(counts[server].invalid[what]) for server in servers)} |"


def listed(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count} x {outcome}" for outcome, count in sorted(outcomes.items()))


def show(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)  # noqa: T201 - this is the program's output


def main(examples: int) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = train_model(Path(scratch))
        contract = read_contract(folder, read_ranges([SUITE]))
        asked = draw(contract, PyfuncScorer(folder, contract), examples)
        counts = {}
        with local_endpoint(Path(scratch) / "amlocal") as local:
            local.deploy({CLASSIFIER: folder})
            counts[LOCAL] = count(local.scorer(CLASSIFIER), asked)
        with azure_server(folder) as uri:
            counts[MICROSOFT] = count(EndpointClient(Address(uri, "no key is checked")), asked)
    show(tables(counts))
    show(f"{server} breaks the contract {len(counted.broken)} times" for server, counted in counts.items())
    show(sorted(set(counts[LOCAL].broken)))
    return 1 if counts[LOCAL].broken else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=2000, help="requests a format, and invalid ones")
    sys.exit(main(parser.parse_args().examples))
