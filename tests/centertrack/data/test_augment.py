from __future__ import annotations

import numpy as np

from centertrack.data.augment import CutOut, blend, cut_outs, erase, mosaic, paste
from centertrack.data.sample import Sample


def plain(size: tuple[int, int], boxes: list[list[float]], value: int = 0) -> Sample:
    image = np.full((size[1], size[0], 3), value, np.uint8)
    ids = np.arange(len(boxes))
    return Sample(image, np.array(boxes, np.float32).reshape(-1, 4), np.zeros(len(boxes), np.int64), ids)


def test_a_mosaic_shifts_boxes_to_their_quarters() -> None:
    quarters = [
        plain(size, [[1, 2, 9, 12]], value) for value, size in enumerate([(40, 30), (60, 30), (40, 50), (60, 50)])
    ]
    whole = mosaic(quarters, (40, 30), (100, 80))
    assert whole.image.shape == (80, 100, 3)
    assert [whole.image[y, x, 0] for y, x in ((0, 0), (0, 40), (30, 0), (30, 40))] == [0, 1, 2, 3]
    assert whole.boxes.tolist() == [[1, 2, 9, 12], [41, 2, 49, 12], [1, 32, 9, 42], [41, 32, 49, 42]]
    assert whole.ids.tolist() == [0, 0, 0, 0]


def white_person() -> CutOut:
    return CutOut(np.full((40, 20, 3), 255, np.uint8), np.ones((40, 20), np.float32), identity=0, label=0)


def test_a_pasted_person_is_drawn_labelled_and_hides_others() -> None:
    sample = plain((100, 80), [[30, 20, 50, 60], [60, 20, 80, 60]])
    pasted = paste(sample, white_person(), np.array([29, 18, 51, 62]), identity=77, mirrored=False)
    assert pasted.image[40, 40, 0] == 255 and pasted.image[40, 70, 0] == 0
    assert pasted.boxes.tolist() == [[60, 20, 80, 60], [29, 18, 51, 62]]
    assert pasted.ids.tolist() == [1, 77]
    assert pasted.ignore.tolist() == [[30, 20, 50, 60]]


def test_pasting_across_the_border_keeps_the_whole_box() -> None:
    pasted = paste(plain((100, 80), []), white_person(), np.array([-10, 50, 10, 90]), identity=3, mirrored=True)
    assert pasted.boxes.tolist() == [[-10, 50, 10, 90]]
    assert pasted.image[60, 5, 0] == 255


def test_a_pasted_person_is_labelled_as_the_other_people_of_the_set_are() -> None:
    sample = plain((100, 80), [])
    pasted = paste(sample, white_person(), np.array([20, 20, 52, 60]), identity=1, mirrored=False, upright_aspect=0.5)
    np.testing.assert_allclose(pasted.boxes, [[24.2, 20, 47.8, 60]], atol=1e-3)  # 1.6 of 0.5 becomes 1.18
    assert pasted.image[40, 21, 0] == 255


def test_pasting_outside_changes_nothing() -> None:
    pasted = paste(plain((100, 80), []), white_person(), np.array([200, 0, 220, 40]), identity=3, mirrored=False)
    assert len(pasted.boxes) == 0 and pasted.image.max() == 0


class Masked:
    num_identities, num_classes = 2, 1

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Sample:
        sample = plain((100, 80), [[10, 5, 40, 75], [60, 50, 70, 60]])
        sample.masks = np.zeros((80, 100), np.uint8)
        sample.masks[5:75, 10:40] = 1
        sample.masks[50:60, 60:70] = 2
        return sample


def test_cut_outs_have_the_extent_of_their_mask_and_small_ones_are_left() -> None:
    (person,) = cut_outs(Masked(), min_height=60)
    assert person.image.shape == (70, 30, 3) and person.identity == 0
    assert person.alpha[35, 15] == 1.0 and person.alpha[0, 0] < 0.5


def test_a_blend_shows_both_and_keeps_all_boxes() -> None:
    both = blend(plain((20, 10), [[1, 2, 9, 8]], 100), plain((20, 10), [[3, 2, 9, 8]], 200), 0.4)
    assert both.image[0, 0].tolist() == [160, 160, 160]
    assert both.boxes.tolist() == [[1, 2, 9, 8], [3, 2, 9, 8]] and both.ids.tolist() == [0, 0]


def test_a_hole_hides_whom_it_covers() -> None:
    sample = plain((40, 20), [[2, 2, 12, 12], [8, 2, 28, 12]])
    holed = erase(sample, np.array([0, 0, 13, 13], np.float32))
    assert holed.boxes.tolist() == [[8, 2, 28, 12]] and holed.ids.tolist() == [1]
    assert holed.ignore.tolist() == [[2, 2, 12, 12]]
    assert holed.image[12, 12, 0] == 127 and holed.image[13, 13, 0] == 0 and sample.image.max() == 0
