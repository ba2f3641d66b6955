"""Maps with a few known values, decoded by hand."""

from __future__ import annotations

import pytest
import torch

from centertrack.decode import decode_boxes, decode_maps, find_peaks, gather_cells, gather_embeddings


def test_a_neighbour_of_a_peak_is_no_peak() -> None:
    heatmap = torch.zeros(1, 1, 5, 5)
    heatmap[0, 0, 2, 2], heatmap[0, 0, 2, 3], heatmap[0, 0, 4, 0] = 0.9, 0.8, 0.3
    scores, _, cells = find_peaks(heatmap, k=2)
    assert scores[0].tolist() == pytest.approx([0.9, 0.3])
    assert cells[0].tolist() == [2 * 5 + 2, 4 * 5]


def test_a_wider_window_joins_more_peaks() -> None:
    heatmap = torch.zeros(1, 1, 7, 7)
    heatmap[0, 0, 3, 1], heatmap[0, 0, 3, 3] = 0.9, 0.8
    assert (find_peaks(heatmap, 2, kernel=3)[0] > 0).sum() == 2
    assert (find_peaks(heatmap, 2, kernel=5)[0] > 0).sum() == 1


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_peaks_are_those_that_pooling_finds_where_nothing_ties(kernel: int) -> None:
    torch.manual_seed(0)
    heatmap = torch.rand(2, 3, 11, 14)
    highest = torch.nn.functional.max_pool2d(heatmap, kernel, 1, kernel // 2)
    expected = (heatmap * (heatmap == highest)).amax(dim=1).flatten(1)
    scores, _, cells = find_peaks(heatmap, k=11 * 14, kernel=kernel)
    torch.testing.assert_close(torch.zeros_like(expected).scatter(1, cells, scores), expected)


@pytest.mark.parametrize("cells", [[(2, 2), (2, 3)], [(2, 2), (3, 2)], [(2, 3), (3, 2)], [(2, 2), (3, 3), (2, 3)]])
@pytest.mark.parametrize("kernel", [3, 5])
def test_equal_neighbours_are_one_object(cells: list[tuple[int, int]], kernel: int) -> None:
    heatmap = torch.zeros(1, 1, 6, 6)
    for row, column in cells:
        heatmap[0, 0, row, column] = 1.0  # saturated scores tie
    scores, _, found = find_peaks(heatmap, k=3, kernel=kernel)
    assert (scores > 0).tolist() == [[True, False, False]]
    assert divmod(found[0, 0].item(), 6) == min(cells)


def test_without_a_window_every_cell_is_a_peak() -> None:
    heatmap = torch.rand(1, 1, 4, 4)
    assert torch.equal(find_peaks(heatmap, k=16, kernel=1)[0][0], heatmap.flatten().sort(descending=True).values)
    with pytest.raises(ValueError, match="odd"):
        find_peaks(heatmap, k=3, kernel=2)


def test_levels_are_joined_by_score() -> None:
    fine, coarse = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 4, 4)
    fine[0, 0, 1, 1], coarse[0, 0, 2, 3], fine[0, 0, 6, 6] = 0.5, 0.9, 0.3
    boxes = [torch.ones(1, 4, 8, 8), torch.ones(1, 4, 4, 4)]
    reid = [torch.zeros(1, 2, 8, 8), torch.zeros(1, 2, 4, 4)]
    reid[0][:, 0], reid[1][:, 1] = 1.0, 1.0
    found = decode_maps({"heatmap": [fine, coarse], "box_2d": boxes, "reid": reid}, strides=(4, 8), k=3)
    assert found.scores[0].tolist() == pytest.approx([0.9, 0.5, 0.3])
    assert found.boxes[0, :2].tolist() == [[20.0, 12.0, 36.0, 28.0], [2.0, 2.0, 10.0, 10.0]]
    assert found.embeddings[0].tolist() == [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]


def test_a_cell_has_one_label_its_best() -> None:
    heatmap = torch.zeros(1, 3, 4, 4)
    heatmap[0, 0, 1, 1], heatmap[0, 2, 1, 1] = 0.4, 0.7
    scores, labels, _ = find_peaks(heatmap, k=1)
    assert labels.tolist() == [[2]]
    assert scores.item() == pytest.approx(0.7)


def test_more_peaks_than_cells_are_clipped() -> None:
    scores, labels, cells = find_peaks(torch.rand(2, 1, 3, 4), k=100)
    assert scores.shape == labels.shape == cells.shape == (2, 12)


def test_cells_of_large_maps_are_exact_in_half_precision() -> None:
    box_2d = torch.zeros(1, 4, 152, 272, dtype=torch.float16)
    cell = 151 * 272 + 271
    boxes = decode_boxes(box_2d, torch.tensor([[cell]]), stride=4)
    assert boxes[0, 0].tolist() == [271.5 * 4, 151.5 * 4] * 2


def test_distances_are_measured_from_the_cell_centre() -> None:
    box_2d = torch.zeros(1, 4, 3, 4)
    box_2d[0, :, 1, 2] = torch.tensor([1.0, 0.5, 2.0, -3.0])  # below 0 is clamped
    boxes = decode_boxes(box_2d, torch.tensor([[1 * 4 + 2]]), stride=4)
    assert boxes[0, 0].tolist() == [6.0, 4.0, 18.0, 6.0]


def test_published_tracking_boxes_start_at_the_offset_and_are_not_clamped() -> None:
    box_2d, offset = torch.zeros(1, 4, 3, 4), torch.zeros(1, 2, 3, 4)
    box_2d[0, :, 1, 2], offset[0, :, 1, 2] = torch.tensor([-1.0, 0.5, 2.0, 3.0]), torch.tensor([0.25, 0.75])
    boxes = decode_boxes(box_2d, torch.tensor([[6]]), stride=4, box_format="ltrb_offset", offset=offset)
    assert boxes[0, 0].tolist() == [3.25 * 4, 1.25 * 4, 4.25 * 4, 4.75 * 4]


def test_published_detection_boxes_have_a_full_size_around_the_offset() -> None:
    box_2d, offset = torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4)
    box_2d[0, :, 1, 2], offset[0, :, 1, 2] = torch.tensor([2.0, 1.0]), torch.tensor([0.25, 0.75])
    cells = torch.tensor([[6]])
    boxes = decode_boxes(box_2d, cells, stride=4, box_format="size_offset", offset=offset)
    assert boxes[0, 0].tolist() == [1.25 * 4, 1.25 * 4, 3.25 * 4, 2.25 * 4]
    without = decode_boxes(box_2d, cells, stride=4, box_format="size_offset")
    assert without[0, 0].tolist() == [1.5 * 4, 1.0 * 4, 3.5 * 4, 2.0 * 4]


def test_gathering_reads_the_cell_of_each_image() -> None:
    maps = torch.arange(2 * 3 * 2 * 2, dtype=torch.float32).reshape(2, 3, 2, 2)
    found = gather_cells(maps, torch.tensor([[0, 3], [2, 1]]))
    assert found.tolist() == [[[0, 4, 8], [3, 7, 11]], [[14, 18, 22], [13, 17, 21]]]


def test_embeddings_have_unit_length_also_where_the_map_is_zero() -> None:
    reid = torch.zeros(1, 2, 1, 2)
    reid[0, :, 0, 0] = torch.tensor([3.0, 4.0])
    found = gather_embeddings(reid, torch.tensor([[0, 1]]))
    torch.testing.assert_close(found, torch.tensor([[[0.6, 0.8], [0.0, 0.0]]]))
