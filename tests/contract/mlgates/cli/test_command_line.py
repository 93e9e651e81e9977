"""What a command prints as JSON of a workspace with a trained model."""

import json

from tests.unit.mlgates.cli.conftest import Command


class TestFactsAsJson:
    def test_of_the_workspace_are_those_of_the_tables(self, mlgates: Command) -> None:
        mlgates("train")
        facts = json.loads(mlgates("show", "-o", "json").stdout)
        assert [job["name"] for job in facts["jobs"]] == ["job-1"]
        assert facts.keys() == {"environments", "data", "jobs", "models"}
