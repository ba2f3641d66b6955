"""The same evaluation, slow and plain: one frame after the other, dense matrices, one alpha at a time.

Written from the papers and MOTChallenge's rules, sharing nothing with the package but the files' format, so that the
two can check each other.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

EPSILON = np.finfo(float).eps
ALPHAS = np.arange(0.05, 0.99, 0.05)


def plain_scores(gt_path: Path, results_path: Path, length: int, distractors=(2, 7, 8, 12)) -> dict[str, float]:
    """Return the figures of one sequence; `distractors` None leaves out all class rules."""
    frames = [_prepare(gt, boxes, distractors) for gt, boxes in _by_frame(gt_path, results_path, length)]
    gt_count = sum(len(gt) for gt, _, _ in frames)
    track_count = sum(len(tracks) for _, tracks, _ in frames)
    scores = {"Dets": track_count, "GT_Dets": gt_count, "Frames": length}
    scores["IDs"] = len({track for _, tracks, _ in frames for track in tracks})
    scores["GT_IDs"] = len({identity for gt, _, _ in frames for identity in gt})
    return {**scores, **_hota(frames), **_clear(frames), **_identity(frames)}


def _by_frame(gt_path, results_path, length):
    gt, results = defaultdict(list), defaultdict(list)
    for rows, path in ((gt, gt_path), (results, results_path)):
        for line in path.read_text().splitlines():
            row = [float(field) for field in line.split(",")]
            rows[int(row[0])].append(row)
    return [(gt[frame], results[frame]) for frame in range(1, length + 1)]


def _iou(a, b):
    width = min(a[2] + a[4], b[2] + b[4]) - max(a[2], b[2])
    height = min(a[3] + a[5], b[3] + b[5]) - max(a[3], b[3])
    intersection = max(width, 0) * max(height, 0)
    area_a = ((a[2] + a[4]) - a[2]) * ((a[3] + a[5]) - a[3])
    area_b = ((b[2] + b[4]) - b[2]) * ((b[3] + b[5]) - b[3])
    if area_a <= EPSILON or area_b <= EPSILON:
        return 0.0
    return intersection / (area_a + area_b - intersection)


def _prepare(gt, results, distractors):
    """Return gt ids, track ids and their IoU matrix (G, T) of a frame, after preprocessing."""
    iou = np.array([[_iou(a, b) for b in results] for a in gt]).reshape(len(gt), len(results))
    kept_results = np.ones(len(results), bool)
    kept_gt = np.array([row[6] != 0 for row in gt], bool)
    if distractors is not None:
        score = np.where(iou < 0.5 - EPSILON, 0, iou)
        for i, j in zip(*linear_sum_assignment(-score), strict=True):
            if score[i, j] > 0 and gt[i][7] in distractors:
                kept_results[j] = False
        kept_gt &= np.array([row[7] == 1 for row in gt], bool)
    gt_ids = [int(row[1]) for row, kept in zip(gt, kept_gt, strict=True) if kept]
    track_ids = [int(row[1]) for row, kept in zip(results, kept_results, strict=True) if kept]
    return gt_ids, track_ids, iou[kept_gt][:, kept_results]


def _hota(frames):
    n_gt, n_track, together = defaultdict(int), defaultdict(int), defaultdict(float)
    for gt, tracks, iou in frames:
        for identity in gt:
            n_gt[identity] += 1
        for track in tracks:
            n_track[track] += 1
        denominator = iou.sum(0)[None, :] + iou.sum(1)[:, None] - iou
        for i, identity in enumerate(gt):
            for j, track in enumerate(tracks):
                if iou[i, j] > 0:
                    together[identity, track] += iou[i, j] / denominator[i, j]
    matched = []  # gt id, track id, IoU
    for gt, tracks, iou in frames:
        score = np.zeros(iou.shape)
        for i, identity in enumerate(gt):
            for j, track in enumerate(tracks):
                shared = together[identity, track]
                score[i, j] = iou[i, j] * shared / (n_gt[identity] + n_track[track] - shared)
        matched += [(gt[i], tracks[j], iou[i, j]) for i, j in zip(*linear_sum_assignment(-score), strict=True)]
    curves = {name: [] for name in ("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA")}
    gt_total, track_total = sum(n_gt.values()), sum(n_track.values())
    for alpha in ALPHAS:
        good = [(identity, track, iou) for identity, track, iou in matched if iou >= alpha - EPSILON]
        tp = len(good)
        pairs = defaultdict(int)
        for identity, track, _ in good:
            pairs[identity, track] += 1
        ass_a = sum(m * m / (n_gt[g] + n_track[k] - m) for (g, k), m in pairs.items()) / max(1, tp)
        det_a = tp / max(1, gt_total + track_total - tp)
        curves["DetA"].append(det_a)
        curves["AssA"].append(ass_a)
        curves["HOTA"].append(np.sqrt(det_a * ass_a))
        curves["DetRe"].append(tp / max(1, gt_total))
        curves["DetPr"].append(tp / max(1, track_total))
        curves["AssRe"].append(sum(m * m / n_gt[g] for (g, _), m in pairs.items()) / max(1, tp))
        curves["AssPr"].append(sum(m * m / n_track[k] for (_, k), m in pairs.items()) / max(1, tp))
        curves["LocA"].append(sum(iou for _, _, iou in good) / tp if tp else 1)
    return {name: float(np.mean(values)) for name, values in curves.items()}


def _clear(frames):
    tp = fp = fn = switches = 0
    iou_sum = 0.0
    in_previous_frame: dict[int, int] = {}
    ever: dict[int, int] = {}
    present, tracked, runs = defaultdict(int), defaultdict(int), defaultdict(int)
    for gt, tracks, iou in frames:
        for identity in gt:
            present[identity] += 1
        if not gt or not tracks:
            fp += len(tracks)
            fn += len(gt)
            continue
        score = iou.copy()
        for i, identity in enumerate(gt):
            for j, track in enumerate(tracks):
                score[i, j] += 1000 * (in_previous_frame.get(identity) == track)
        score[iou < 0.5 - EPSILON] = 0
        now = {}
        for i, j in zip(*linear_sum_assignment(-score), strict=True):
            if score[i, j] > 0:
                now[gt[i]] = tracks[j]
                iou_sum += iou[i, j]
        for identity, track in now.items():
            switches += identity in ever and ever[identity] != track
            tracked[identity] += 1
            runs[identity] += identity not in in_previous_frame
        ever.update(now)
        in_previous_frame = now
        tp, fn, fp = tp + len(now), fn + len(gt) - len(now), fp + len(tracks) - len(now)
    shares = [tracked[identity] / count for identity, count in present.items()]
    return {
        "TP": tp,
        "FN": fn,
        "FP": fp,
        "IDSW": switches,
        "MOTA": (tp - fp - switches) / max(1, tp + fn) if tp + fn else 0,
        "MOTP": iou_sum / max(1, tp),
        "MT": sum(share > 0.8 for share in shares),
        "PT": sum(0.2 <= share <= 0.8 for share in shares),
        "ML": sum(share < 0.2 for share in shares),
        "Frag": sum(run - 1 for run in runs.values() if run),
    }


def _identity(frames):
    n_gt, n_track, common = defaultdict(int), defaultdict(int), defaultdict(int)
    for gt, tracks, iou in frames:
        for i, identity in enumerate(gt):
            n_gt[identity] += 1
            for j, track in enumerate(tracks):
                common[identity, track] += iou[i, j] >= 0.5
        for track in tracks:
            n_track[track] += 1
    identities, tracks = list(n_gt), list(n_track)
    size = len(identities) + len(tracks)
    cost = np.zeros((size, size))  # of missing and wrong boxes; everybody may also be matched with a dummy of their own
    cost[: len(identities), len(tracks) :] = 1e10
    cost[len(identities) :, : len(tracks)] = 1e10
    for i, identity in enumerate(identities):
        cost[i, len(tracks) + i] = n_gt[identity]
        for j, track in enumerate(tracks):
            cost[i, j] = n_gt[identity] + n_track[track] - 2 * common[identity, track]
    for j, track in enumerate(tracks):
        cost[len(identities) + j, j] = n_track[track]
    rows, columns = linear_sum_assignment(cost)
    idtp = sum(
        common[identities[i], tracks[j]]
        for i, j in zip(rows, columns, strict=True)
        if i < len(identities) and j < len(tracks)
    )
    idfn, idfp = sum(n_gt.values()) - idtp, sum(n_track.values()) - idtp
    return {
        "IDTP": idtp,
        "IDFN": idfn,
        "IDFP": idfp,
        "IDF1": idtp / max(1, idtp + 0.5 * idfn + 0.5 * idfp),
        "IDR": idtp / max(1, idtp + idfn),
        "IDP": idtp / max(1, idtp + idfp),
    }
