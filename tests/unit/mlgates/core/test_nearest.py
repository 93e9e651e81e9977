from mlgates.core.nearest import did_you_mean


def test_a_near_name_is_offered() -> None:
    assert did_you_mean("max_los", ["max_loss", "min_auc"]) == "Did you mean 'max_loss'? Known: max_loss, min_auc"


def test_nothing_is_offered_when_nothing_is_near() -> None:
    assert did_you_mean("zzz", ["max_loss", "min_auc"]) == "Known: max_loss, min_auc"
