"""Records as pages, and the contrast of their colours."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from mlgates.core.gates import GateRecord
from mlgates.core.pipelines import PipelineRecord
from mlgates.evaluation.answers import Answers
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.target import Target, Task
from mlgates.gates.comparison import curves
from mlgates.reports.html import page
from mlgates.reports.html.page import COLOURS, GROUNDS, gate_page, pipeline_page, properties
from mlgates.reports.wording import clean
from tests.unit.mlgates.gates.fakes import binary_answers, binary_rows
from tests.unit.mlgates.reports.examples import DEV, PIPELINE, PROD, RELEASED, check
from tests.unit.mlgates.reports.pages import Node, read
from tests.unit.mlgates.reports.strategies import HOSTILE, records

QA = replace(DEV, gate="qa", candidate=None, champion=None, build=None, pictures={}, results=DEV.results[:1])
FIRST = replace(DEV, champion=None, pictures={})
PAGES = {
    "a gate that failed": gate_page(PROD),
    "a gate that passed": gate_page(DEV),
    "a gate about a commit": gate_page(QA),
    "a first candidate, nothing drawn": gate_page(FIRST),
    "a gate without a check": gate_page(replace(PROD, results=())),
    "a pipeline that waits": pipeline_page(PIPELINE),
    "a pipeline that released": pipeline_page(RELEASED),
    "a pipeline that did nothing": pipeline_page(replace(PIPELINE, stages=(), gates=(), serving=(), build=None)),
}
every_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


@every_page
def test_headings_come_in_order_from_one_h1(page: str) -> None:
    levels = [int(node.tag[1]) for node in read(page).find("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(level <= before + 1 for before, level in pairwise(levels))


@every_page
def test_every_picture_has_a_role_a_name_and_a_description(page: str) -> None:
    for svg in read(page).find("svg"):
        if svg.attributes.get("aria-hidden") == "true":  # a key, whose words stand beside it
            continue
        assert svg.attributes["role"] == "img"
        assert [child.tag for child in svg.children[:2]] == ["title", "desc"]
        assert all(child.words for child in svg.children[:2])


@every_page
def test_nothing_is_fetched_and_nothing_is_run(page: str) -> None:
    read_page = read(page)
    assert not list(read_page.find("script", "link", "img", "iframe", "object"))
    for node in read_page.find():
        for name, value in node.attributes.items():
            assert not name.startswith("on")
            assert name not in {"href", "src"} or value.startswith("#")
    (style,) = read_page.find("style")
    assert not re.search(r"url\(|@import", style.text)


@every_page
def test_every_link_leads_to_one_place_on_the_page(page: str) -> None:
    read_page = read(page)
    ids = [node.attributes["id"] for node in read_page.find() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    assert {link.attributes["href"][1:] for link in read_page.find("a")} <= set(ids)


@every_page
def test_every_table_has_headers_with_a_scope(page: str) -> None:
    for table in read(page).find("table"):
        headers = list(table.find("th"))
        assert headers
        assert all(header.attributes.get("scope") in {"col", "row"} for header in headers)


@every_page
def test_a_page_says_its_language_and_fits_a_phone(page: str) -> None:
    read_page = read(page)
    (html,) = read_page.find("html")
    assert html.attributes["lang"] == "en"
    assert "viewport" in [node.attributes.get("name") for node in read_page.find("meta")]


@given(records)
def test_hostile_names_are_text_and_nothing_else(record: GateRecord) -> None:
    usual = read(PAGES["a gate that passed"])
    page = read(gate_page(record))
    assert {node.tag for node in page.find()} <= {node.tag for node in usual.find()} | {"ul", "li"}
    words = page.words
    for result in record.results:
        assert " ".join(clean(result.reason).split()) in words


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pipeline_is_text_too(name: str) -> None:
    stages = tuple(replace(stage, name=name, remark=name) for stage in PIPELINE.stages)
    page = read(pipeline_page(replace(RELEASED, stages=stages, workspace=name)))
    assert not list(page.find("script"))
    assert " ".join(clean(name).split()) in page.words


def test_the_decision_and_what_stands_against_it_come_before_everything_else() -> None:
    words = read(PAGES["a gate that failed"]).words
    order = ["Gate prod failed for", "2 of 15 checks do not hold", "fairness.Age", "supply_chain", "calibration"]
    places = [words.index(text, words.index("Dark")) for text in order]
    assert places == sorted(places)
    assert places[-1] < words.index("metrics.accuracy")


def test_an_approver_is_told_how_to_approve_only_what_passed_the_prod_gate() -> None:
    opened = replace(PROD, results=PROD.results[:4])
    assert "mlgates approve diabetes-classifier:3" in read(gate_page(opened)).words
    assert "mlgates approve" not in read(gate_page(PROD)).words
    assert "mlgates approve" not in read(gate_page(DEV)).words


def section(page: str, heading: str) -> Node:
    return next(node for node in read(page).find("section") if node.children[0].words == heading)


def test_both_models_are_drawn_side_by_side() -> None:
    models = section(PAGES["a gate that failed"], "Candidate and champion")
    assert [caption.words for caption in models.find("figcaption")] == [
        "ROC curve",
        "Precision and recall",
        "Calibration",
    ]
    assert [caption.words for caption in models.find("caption")] == ["Candidate", "Champion"]
    (auc,) = [row.words for row in models.find("tr") if row.words.startswith("auc")]
    assert len(auc.split()) == 4


def test_rows_of_one_class_have_no_roc_curve_and_still_a_confusion() -> None:
    drawn = curves(binary_rows([0, 0, 0]), binary_answers([0.9, 0.9, 0.9]))
    models = section(gate_page(replace(DEV, pictures={"curves": {"candidate": drawn}})), "Candidate and champion")
    assert [caption.words for caption in models.find("figcaption", "caption")] == ["Calibration", "Candidate"]


def test_a_regression_shows_predictions_and_residuals_and_no_confusion() -> None:
    labels = np.linspace(-5, 400, 30)
    rows = Rows(pd.DataFrame({"a": labels}), labels, target=Target(Task.REGRESSION, "price"))
    pictures = {"curves": {"candidate": curves(rows, Answers(labels + 1))}, "target": rows.target.summary}
    models = section(gate_page(replace(DEV, pictures=pictures)), "Candidate and champion")
    assert [caption.words for caption in models.find("figcaption", "caption")] == ["Predictions", "Residuals"]
    assert "Predicted: regression of price." in models.words


def test_several_classes_are_named_in_the_confusion() -> None:
    rows = Rows(
        pd.DataFrame(index=range(3)), np.array([0, 1, 2]), target=Target(Task.MULTICLASS, "unit", ("g", "<b>", "mmol"))
    )
    drawn = curves(rows, Answers(np.array([0, 2, 2])))
    pictures = {"curves": {"candidate": drawn}, "classes": ["g", "<b>", "mmol"]}
    models = section(gate_page(replace(DEV, pictures=pictures)), "Candidate and champion")
    assert "called <b>" in models.words
    assert "is mmol" in models.words


@pytest.mark.parametrize(
    ("record", "heading", "reason"),
    [
        (QA, "Candidate and champion", "This gate is about a commit"),
        (FIRST, "Candidate and champion", "The record carries no curves"),
        (replace(DEV, pictures={"missing": {"candidate": "m:3 cannot be loaded"}}), "Candidate and champion", "loaded"),
        (DEV, "What the candidate rests on", "This gate does not check explanation"),
        (DEV, "Groups", "This gate does not check fairness"),
        (DEV, "Data", "This gate does not check data"),
        (FIRST, "Over the versions", "No version of the model has metrics"),
        (
            replace(DEV, results=(check("drift", reason="nothing serves yet"),)),
            "Data",
            "No picture: nothing serves yet",
        ),
        (
            replace(DEV, results=(check("explanation.x", evidence={"importance": {"a": "much"}}),)),
            "What the candidate rests on",
            "The evidence for this is not as expected (TypeError",
        ),
    ],
)
def test_a_section_without_evidence_says_why_it_is_empty(record: GateRecord, heading: str, reason: str) -> None:
    assert reason in section(gate_page(record), heading).words


@pytest.mark.parametrize("junk", [{"curves": 3}, {"curves": {"candidate": {}}}, {"scores": []}, {"versions": [1]}])
def test_pictures_that_are_none_do_not_stop_the_page(junk: dict[str, Any]) -> None:
    assert "not as expected" in read(gate_page(replace(DEV, pictures=junk))).words


def test_a_pipeline_shows_when_each_stage_ran_who_decided_and_what_serves() -> None:
    words = read(PAGES["a pipeline that released"]).words
    for text in (
        "Pipeline prod passed",
        "diabetes-classifier:3 was approved by R. Meyer: better on every score",
        "From second 1 to second 185.",
        "diabetes-online-prod green diabetes-classifier:3 100 %",
    ):
        assert text in words


def test_a_stage_that_has_not_begun_has_no_time() -> None:
    rows = [row.words for row in section(PAGES["a pipeline that waits"], "Stages").find("tr")]
    assert rows[-1] == "release no approval yet skipped — —"


@pytest.mark.parametrize("started", ["", "yesterday", "2026-03-02T09:00:00"])
def test_a_time_that_cannot_be_read_leaves_the_picture_out(started: str) -> None:
    stage = replace(PIPELINE.stages[0], started=started)
    record: PipelineRecord = replace(PIPELINE, stages=(stage,), gates=())
    assert not list(section(pipeline_page(record), "Stages").find("svg"))


PAIRS = [
    (text, ground, theme) for text, grounds in GROUNDS.items() for ground in grounds for theme in ("light", "dark")
]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize(("text", "ground", "theme"), PAIRS)
def test_text_stands_out_from_its_ground_by_level_aa(text: str, ground: str, theme: str) -> None:
    assert contrast(getattr(COLOURS[text], theme), getattr(COLOURS[ground], theme)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("shape", ["good", "bad", "warn", "candidate", "champion", "quiet"])
def test_what_is_drawn_stands_out_from_its_ground(shape: str, theme: str) -> None:
    for ground in ("panel", "plain-ground", "good-ground"):
        assert contrast(getattr(COLOURS[shape], theme), getattr(COLOURS[ground], theme)) >= 3


def test_every_colour_that_the_style_uses_is_in_the_palette() -> None:
    style = (Path(page.__file__).parent / "templates" / "style.css").read_text()
    assert set(re.findall(r"var\(--([a-z-]+)\)", style)) == set(COLOURS)
    assert not re.search(r"#[0-9a-f]{3,6}\b(?!-)", style.replace("#theme", ""))


def test_each_colour_follows_the_theme() -> None:
    assert properties().count("light-dark(") == len(COLOURS)
