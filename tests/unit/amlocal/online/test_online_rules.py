"""Azure's rules for names, traffic and sizes, and the settings that do nothing on one machine."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import BadRequest
from amlocal.online.operation_responses import with_defaults
from amlocal.online.router import choose_deployment
from amlocal.online.rules import check_instances, check_mirror, check_name, check_traffic, ignored_settings

NAMES = ("blue", "green", "red")
WEIGHTS = st.integers(0, 100).flatmap(
    lambda first: st.integers(0, 100 - first).map(
        lambda second: {"blue": first, "green": second, "red": 100 - first - second}
    )
)


@given(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 100)))
def test_traffic_is_taken_when_it_adds_up_to_0_or_100(traffic: dict[str, int]) -> None:
    if sum(traffic.values()) in (0, 100):
        assert check_traffic(traffic, NAMES) == {name: share for name, share in traffic.items() if share}
    else:
        with pytest.raises(BadRequest, match="add up"):
            check_traffic(traffic, NAMES)


@pytest.mark.parametrize("share", [-1, 101, 50.0, "100", True, None])
def test_a_share_is_a_whole_percentage(share: object) -> None:
    with pytest.raises(BadRequest, match="blue"):
        check_traffic({"blue": share}, NAMES)


def test_traffic_to_a_deployment_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadRequest, match="grey"):
        check_traffic({"grey": 100}, NAMES)


@pytest.mark.parametrize(
    ("mirror", "reason"),
    [({"green": 51}, "50 percent"), ({"green": 10, "red": 10}, "one deployment"), ({"blue": 10}, "live traffic")],
)
def test_a_mirror_that_azure_would_refuse_is_refused(mirror: dict[str, int], reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        check_mirror(mirror, {"blue": 100}, NAMES)


@given(WEIGHTS)
def test_each_percent_of_the_traffic_goes_where_the_weights_say(weights: dict[str, int]) -> None:
    chosen = [choose_deployment(weights, point + 0.5) for point in range(100)]
    assert {name: chosen.count(name) for name in weights} == weights


@given(st.floats(0, 100, exclude_max=True))
def test_without_weights_no_deployment_is_chosen(point: float) -> None:
    assert choose_deployment({}, point) is None


@pytest.mark.parametrize("name", ["abc", "A-1", "a" * 32, "diabetes-online-dev"])
def test_names_that_azure_takes_are_taken(name: str) -> None:
    assert check_name(name, "endpoint") == name


@pytest.mark.parametrize("name", ["ab", "a" * 33, "1ab", "-ab", "ab-", "a_b", "a.b", "a b", "äbc", ""])
def test_names_that_azure_refuses_are_refused(name: str) -> None:
    with pytest.raises(BadRequest, match="endpoint name"):
        check_name(name, "endpoint")


@pytest.mark.parametrize(("count", "kind"), [(0, "Standard_E2s_v3"), (51, "Standard_E2s_v3"), (1, "big"), (1, None)])
def test_a_size_that_azure_would_not_give_is_refused(count: int, kind: str | None) -> None:
    with pytest.raises(BadRequest):
        check_instances(count, kind)


SAID: dict[str, tuple[dict[str, Any], str]] = {
    "app insights": ({"appInsightsEnabled": True}, "app_insights_enabled"),
    "egress": ({"egressPublicNetworkAccess": "Disabled"}, "egress_public_network_access disabled"),
    "scale": ({"scaleSettings": {"scaleType": "TargetUtilization"}}, "scale_settings TargetUtilization"),
    "mount": ({"modelMountPath": "/mnt/model"}, "model_mount_path /mnt/model"),
    "startup": ({"startupProbe": {"period": "PT5S"}}, "startup_probe"),
    "collector": ({"dataCollector": {"collections": {}}}, "data_collector"),
}


def lines(**properties: Any) -> list[str]:
    return ignored_settings(with_defaults({"instanceType": "Standard_DS3_v2", **properties}))


def test_of_the_defaults_the_size_alone_is_spoken_of() -> None:
    assert lines() == ["instance_type Standard_DS3_v2: every process has this whole machine"]


@pytest.mark.parametrize("case", SAID)
def test_what_does_nothing_here_is_one_line(case: str) -> None:
    changes, line = SAID[case]
    _, said = lines(**changes)
    assert said.startswith(line)
