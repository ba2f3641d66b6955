"""A search over the options of a tracker, on some videos, and its gain on others that the search never sees."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from centertrack.tuning.trial import TuningSequence, measure_trial
from tracker.errors import InputError
from tracker.evaluation.benchmarks import video_name
from tracker.evaluation.evaluator import MeasuredSequence, Protocol, assemble_checked
from tracker.evaluation.intervals import FIGURES, Interval, needs_windows, paired_intervals
from tracker.evaluation.result import EvaluationResult
from tracker.extras import named_extra
from tracker.factory import make_tracker, tracker_options
from tracker.io.atomic import atomic_path
from tracker.search_space import Choice, Searched

if TYPE_CHECKING:
    from collections.abc import Iterator

    import optuna

METRICS = FIGURES
_HELD_OUT_EVERY = 3  # of the videos by name, one in three
_DIGITS = 4  # that count, of what is written
_RANDOM_TRIALS = 20  # before the search learns from them


@dataclass(frozen=True, slots=True)
class TuningPlan:
    """What is searched, on what.

    Attributes:
        tracker: A name of `tracker.TRACKERS`.
        fixed: Options that are not searched.
        space: Option -> what is tried.
        metric: One of METRICS, to be as high as possible.
        searched: Sequences that the search sees.
        held_out: Sequences that it never sees.
        protocol: What is scored.
        workers: Processes to share the sequences out to.
        seed: Of the search.
    """

    tracker: str
    fixed: Mapping[str, Any]
    space: Mapping[str, Searched]
    metric: str
    searched: Sequence[TuningSequence]
    held_out: Sequence[TuningSequence]
    protocol: Protocol
    workers: int = 1
    seed: int = 0

    def name(self) -> str:
        """Return the name of the study, which another tracker, space, metric or other detections change."""
        parts = [self.tracker, repr(sorted(self.fixed.items())), repr(sorted(self.space.items())), self.metric]
        parts += [repr(asdict(self.protocol)), *(f"{one.name} {one.detections().digest()}" for one in self.searched)]
        return f"{self.tracker} {hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class TuningReport:
    """What the search found.

    Attributes:
        options: The best options, those that are fixed included.
        trials: How many there were.
        searched: Score of the defaults and of the best options on the sequences of the search.
        held_out: Likewise on the others.
        gain: The difference of these with its 95 % interval; None where there are too few frames for one.
        over: What the interval was drawn over.
    """

    options: dict[str, Any]
    trials: int
    searched: tuple[float, float]
    held_out: tuple[float, float]
    gain: Interval | None
    over: str


def hold_out(names: Sequence[str], chosen: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Part sequences into those for the search and those held out; a video with all its detectors stays together.

    Args:
        names: Of all sequences.
        chosen: Sequences or videos to hold out; None for every third video by name.

    Returns:
        The names for the search, and those held out.

    Raises:
        InputError: A name is unknown, or one side is empty.

    >>> hold_out(["MOT17-02-SDP", "MOT17-02-DPM", "MOT17-04-SDP", "MOT17-05-SDP"], None)
    (['MOT17-02-SDP', 'MOT17-02-DPM', 'MOT17-04-SDP'], ['MOT17-05-SDP'])
    """
    videos = sorted({video_name(name) for name in names})
    if chosen is None:
        out = set(videos[_HELD_OUT_EVERY - 1 :: _HELD_OUT_EVERY] or videos[-1:])
    else:
        unknown = [name for name in chosen if name not in names and name not in videos]
        if unknown:
            raise InputError(f"--held-out: there is no sequence {unknown[0]}; there are {', '.join(names)}")
        out = {video_name(name) for name in chosen}
    held_out = [name for name in names if video_name(name) in out]
    searched = [name for name in names if video_name(name) not in out]
    if not searched or not held_out:
        raise InputError(
            f"a search needs some videos, and others to be judged on that it never sees; of {len(videos)} "
            f"({', '.join(videos)}) {len(out)} would be held out: give at least two, or choose with --held-out"
        )
    return searched, held_out


def space_of(tracker: str, fixed: Mapping[str, Any], only: Sequence[str] | None) -> dict[str, Searched]:
    """Return what is searched of a tracker: what its class declares, less what is fixed or of no use.

    Args:
        tracker: A name of `tracker.TRACKERS`.
        fixed: Options that are set.
        only: Search these; None for all.

    Raises:
        InputError: An option of `only` is not in the search space.
    """
    follower = make_tracker(tracker, **fixed)
    declared = type(follower).search_space
    useful = {
        name: searched
        for name, searched in declared.items()
        if name not in fixed and (follower.needs_embeddings or not searched.for_embeddings)
    }
    if only is None:
        return useful
    if unknown := [name for name in only if name not in useful]:
        raise InputError(f"--search: {tracker} does not search {unknown[0]!r}; it searches {', '.join(useful)}")
    return {name: useful[name] for name in only}


def tune(
    plan: TuningPlan, trials: int, storage: Path, done: Callable[[int, float, float], None] = lambda *_: None
) -> TuningReport:
    """Search, and judge the best options on what was held out.

    The first trial is the defaults, so that the best is never worse than they are on the sequences of the search.

    Args:
        plan: What to search.
        trials: How many there shall be, with those that an earlier call left in `storage`.
        storage: File of the trials, which a later call goes on with.
        done: Told after each trial: its number from 1, its score and the best so far.

    Raises:
        MissingPackageError: Optuna is not installed.
        InputError: A sequence cannot be tracked or scored.
    """
    with named_extra("centertrack tune"):
        import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with _measuring(plan) as measure:

        def score(trial: optuna.Trial) -> float:
            return _score(measure(plan.searched, _suggested(trial, plan)), plan)

        study = _open_study(plan, storage)
        for number in range(len(_values(study)), trials):
            study.optimize(score, n_trials=1)
            done(number + 1, _values(study)[-1], study.best_value)
        options = {**plan.fixed, **{name: _rounded(value) for name, value in study.best_params.items()}}
        defaults, best = (
            assemble_checked(measure(plan.held_out, values, True), "the held-out ground truth", "the tracks", True)
            for values in (plan.fixed, options)
        )
    values = _values(study)
    return TuningReport(
        options=options,
        trials=len(values),
        searched=(values[0], float(study.best_value)),
        held_out=(_metric(defaults, plan), _metric(best, plan)),
        gain=_gain(defaults, best, plan.metric),
        over="" if defaults.units is None else defaults.units.kind,
    )


def write_tuned(path: Path, plan: TuningPlan, report: TuningReport) -> None:
    """Write a YAML file that `--tracker` takes."""
    gain = report.gain
    content = {
        "tracker": plan.tracker,
        "options": dict(report.options),
        "tuned": {
            "metric": plan.metric,
            "trials": report.trials,
            "searched_on": [one.name for one in plan.searched],
            "held_out": [one.name for one in plan.held_out],
            "searched_defaults_and_best": [round(value, 5) for value in report.searched],
            "held_out_defaults_and_best": [round(value, 5) for value in report.held_out],
            "held_out_gain_95": None if gain is None else [round(one, 5) for one in (gain.value, gain.low, gain.high)],
        },
    }
    with atomic_path(path) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


Measure = Callable[..., list[MeasuredSequence]]


@contextmanager
def _measuring(plan: TuningPlan) -> Iterator[Measure]:
    """Give a function that measures sequences with options, in the processes of the plan."""
    pool = ProcessPoolExecutor(plan.workers) if plan.workers > 1 else None
    with pool or nullcontext():

        def measure(
            sequences: Sequence[TuningSequence], options: Mapping[str, Any], for_intervals: bool = False
        ) -> list[MeasuredSequence]:
            one = partial(
                measure_trial,
                tracker=plan.tracker,
                options={**plan.fixed, **options},
                protocol=plan.protocol,
                in_windows=for_intervals and needs_windows([sequence.name for sequence in sequences]),
            )
            if pool is None:
                return [one(sequence) for sequence in sequences]
            longest_first = sorted(sequences, key=lambda sequence: -len(sequence.detections().everything))
            found = dict(zip(longest_first, pool.map(one, longest_first), strict=True))
            return [found[sequence] for sequence in sequences]

        yield measure


def _open_study(plan: TuningPlan, storage: Path) -> optuna.Study:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=plan.name(),
        storage=JournalStorage(JournalFileBackend(str(storage))),
        direction="maximize",
        load_if_exists=True,
    )
    seed = plan.seed + 1000 * len(study.trials)  # a search that goes on must not draw its first values again
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it warns of an option that is not given
        study.sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=_RANDOM_TRIALS)
    if not study.trials:
        defaults = asdict(tracker_options(plan.tracker))
        study.enqueue_trial({name: defaults[name] for name in plan.space if defaults[name] is not None})
    return study


def _suggested(trial: optuna.Trial, plan: TuningPlan) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, searched in plan.space.items():
        if isinstance(searched, Choice):
            values[name] = trial.suggest_categorical(name, list(searched.values))
        elif searched.is_whole:
            values[name] = trial.suggest_int(name, int(searched.low), int(searched.high), log=searched.is_log)
        else:
            values[name] = trial.suggest_float(name, searched.low, searched.high, log=searched.is_log)
    return values


def _values(study: optuna.Study) -> list[float]:
    """Return the scores of the trials that ended, in their order."""
    return [float(trial.value) for trial in study.trials if trial.value is not None]


def _rounded(value: Any) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _score(measured: list[MeasuredSequence], plan: TuningPlan) -> float:
    return _metric(assemble_checked(measured, "the ground truth of the search", "the tracks"), plan)


def _metric(result: EvaluationResult, plan: TuningPlan) -> float:
    return float(result.combined.metrics()[plan.metric])


def _gain(defaults: EvaluationResult, best: EvaluationResult, metric: str) -> Interval | None:
    if defaults.units is None or best.units is None:
        return None
    return paired_intervals(best.units, defaults.units)[metric]
