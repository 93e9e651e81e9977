"""Where the end of a ledger is repeated: in tags of the online endpoint, and of the model versions it speaks of.

An anchor is written after its entry, so one that is behind the ledger is what a killed writer leaves, and is brought up
to the end by the next. One that is ahead means that entries are gone.
"""

import contextlib
from collections.abc import Iterable, Mapping

from azure.ai.ml import MLClient
from azure.ai.ml.constants import ListViewType
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from mlgates.core.errors import AssetMissing
from mlgates.core.ledger import HEAD_TAG, REJECTED_TAG, Action, Anchor, Entry
from mlgates.core.values import AssetVersion, ModelRef
from mlgates.delivery.mlflow_runs import tag_model, tagged_runs
from mlgates.delivery.sdk_errors import translate_sdk_errors

_POLL_S = 1


class Anchors:
    """The anchors of the ledger of one model; without `endpoint` those of its versions only."""

    def __init__(self, client: MLClient, model_name: str, endpoint: str) -> None:
        self._client = client
        self._model_name = model_name
        self._endpoint = endpoint

    def read(self, *also: AssetVersion) -> list[Anchor]:
        """Return the anchors on the endpoint and on all versions of the model, archived ones too.

        `also` are models that no version is registered of yet: their tags are as they were when they were looked up.
        """
        versions = [AssetVersion(self._model_name, version, False, tags) for version, tags in self._versions().items()]
        tags = [(f"endpoint {self._endpoint}", self._endpoint_tags(), "")]
        tags += [(f"model {each}", dict(each.tags), str(each)) for each in (*versions, *also)]
        found = (Anchor.from_tags(*each) for each in tags)
        return [anchor for anchor in found if anchor is not None]

    def runs(self, experiment: str) -> list[AssetVersion]:
        """Return what the runs of an experiment have made, of those that have an anchor."""
        return [
            AssetVersion(self._model_name, ModelRef.of_job(self._model_name, run).version, created=False, tags=tags)
            for run, tags in tagged_runs(self._client, experiment, HEAD_TAG).items()
        ]

    def write(self, entry: Entry, known: Iterable[Anchor], *, with_endpoint: bool = True) -> None:
        """Repeat `entry` on the model that it speaks of, then on the endpoint, unless `known` ones do, or say more.

        `with_endpoint` is False while another process moves its traffic: Azure refuses two updates at once.
        """
        at_end = {anchor.model for anchor in known if anchor.number >= entry.number}
        model = ModelRef.match(entry.model)
        if model is not None and model.name == self._model_name and entry.model not in at_end:
            tags = Anchor.tags_of(entry) | ({REJECTED_TAG: entry.sha256} if entry.action is Action.REJECTED else {})
            # An entry may speak of a version that is gone, or was never ours.
            with contextlib.suppress(AssetMissing):
                tag_model(self._client, AssetVersion(model.name, model.version, created=False), tags)
        if with_endpoint and self._endpoint and "" not in at_end:
            self._tag_endpoint(entry)

    def replace(self, anchor: Anchor, entry: Entry) -> None:
        """Anchor `entry` at the resource of `anchor` instead; a rejection that it records stays."""
        if not anchor.model:
            self._tag_endpoint(entry, replacing=True)
            return
        model = ModelRef.parse(anchor.model)
        tag_model(self._client, AssetVersion(model.name, model.version, created=False), Anchor.tags_of(entry))

    def _versions(self) -> dict[str, dict[str, str]]:
        with translate_sdk_errors(f"list the versions of model {self._model_name}"):
            try:
                found = list(self._client.models.list(name=self._model_name, list_view_type=ListViewType.ALL))
            except ResourceNotFoundError:
                return {}
        return {str(each.version): dict(each.tags or {}) for each in found}

    def _endpoint_tags(self) -> dict[str, str]:
        if not self._endpoint:
            return {}
        with translate_sdk_errors(f"look at online endpoint {self._endpoint}"):
            try:
                return dict(self._client.online_endpoints.get(self._endpoint).tags or {})
            except ResourceNotFoundError:
                return {}

    def _tag_endpoint(self, entry: Entry, *, replacing: bool = False) -> None:
        """Tag the endpoint by PATCH: it takes tags alone, so that no traffic can be moved back by it."""
        with translate_sdk_errors(f"anchor entry {entry.number} of the ledger at online endpoint {self._endpoint}"):
            try:
                endpoint = self._client.online_endpoints.get(self._endpoint)
                if not replacing and _number(endpoint.tags or {}) >= entry.number:
                    return
                # All tags: whether a PATCH adds to them or replaces them, none is lost.
                tags = {**(endpoint.tags or {}), **Anchor.tags_of(entry)}
                # Private: the SDK's own face has no update of tags alone, and its PUT would send the traffic along.
                self._client.online_endpoints._online_operation.begin_update(  # noqa: SLF001
                    self._client.resource_group_name,
                    str(self._client.workspace_name),
                    self._endpoint,
                    {"tags": tags},
                    polling_interval=_POLL_S,
                ).result()
            except ResourceNotFoundError:
                return  # before the first release
            except ResourceExistsError:
                return  # 409: an update of it is under way, and the next entry brings the anchor to the end


def _number(tags: Mapping[str, str]) -> int:
    anchor = Anchor.from_tags("", dict(tags))
    return anchor.number if anchor else 0
