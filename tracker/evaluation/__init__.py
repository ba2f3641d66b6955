"""Tracks to scores: HOTA, CLEAR and Identity, equal to the official MOTChallenge evaluator."""

from tracker.evaluation.evaluator import evaluate
from tracker.evaluation.result import EvaluationResult
from tracker.evaluation.scores import Scores

__all__ = ["EvaluationResult", "Scores", "evaluate"]
