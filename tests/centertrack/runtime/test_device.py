from __future__ import annotations

import pytest
import torch

from centertrack.runtime.device import resolve_device
from tracker.errors import InputError


@pytest.mark.parametrize(
    "name", ["tpu", "", "cpu:3", "auto:0", "cuda:", "cuda:x", "cuda:-1", "cuda:0:1", "mps:1", "mps:"]
)
def test_names_that_no_device_has_are_refused(name):
    with pytest.raises(InputError, match="device must be one of auto, cpu, cuda, mps, or cuda:INDEX"):
        resolve_device(name)


def test_an_index_is_kept_if_there_is_such_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [resolve_device(name) for name in ("cpu", "cuda", "cuda:1")] == ["cpu", "cuda", "cuda:1"]
    with pytest.raises(InputError, match="'cuda:9' was asked for, but there are cuda:0 to cuda:1 only"):
        resolve_device("cuda:9")


def test_cuda_without_a_gpu_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="finds no usable GPU; use cpu"):
        resolve_device("cuda:0")


def test_the_gpu_of_an_apple_is_taken_as_lightning_names_it(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert [resolve_device(name) for name in ("mps", "mps:0")] == ["mps", "mps:0"]
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(InputError, match="finds no Apple GPU; use cpu"):
        resolve_device("mps:0")
