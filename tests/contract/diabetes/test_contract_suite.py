from mlgates.suites import ContractSuite


class TestContract(ContractSuite):
    """What the model of mlops/continuous-training/pipeline.yml promises."""
