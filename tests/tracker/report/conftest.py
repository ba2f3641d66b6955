from tests.tracker.evaluation.conftest import benchmark_folder

__all__ = ["benchmark_folder"]
