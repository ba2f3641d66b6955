"""How well embeddings tell people apart: rank-1 and mean average precision, as in person re-identification."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def retrieval_scores(embeddings: Array, ids: Array, images: Array) -> tuple[float, float]:
    """Search every object among those of all other images.

    Objects of the same image are never compared: a tracker does not match them either, and nobody is there twice.
    Objects that occur in one image only are no queries, but others may mistake them.

    Args:
        embeddings: (N, D) unit rows.
        ids: (N,) identity.
        images: (N,) number of the image of each object.

    Returns:
        Rank-1: the fraction of queries whose nearest neighbour is the same identity. And mAP: the mean over the queries
        of the average precision of the list by falling similarity. Both are nan if there is no query.

    >>> embeddings = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]])
    >>> retrieval_scores(embeddings, ids=np.array([1, 1, 2, 2]), images=np.array([1, 2, 1, 2]))
    (1.0, 1.0)
    """
    first, precision = [], []
    similarity = embeddings @ embeddings.T
    for query in range(len(ids)):
        gallery = np.flatnonzero(images != images[query])
        order = gallery[np.argsort(-similarity[query, gallery], kind="stable")]
        correct = ids[order] == ids[query]
        if not correct.any():
            continue
        places = np.flatnonzero(correct)  # from 0, of the right ones in the list
        first.append(places[0] == 0)
        precision.append(np.mean(np.arange(1, len(places) + 1) / (places + 1)))
    if not first:
        return float("nan"), float("nan")
    return float(np.mean(first)), float(np.mean(precision))
