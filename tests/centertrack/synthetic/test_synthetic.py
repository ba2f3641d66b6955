from __future__ import annotations

import numpy as np
import pytest

from centertrack.synthetic import DEMO_SCENE, SceneConfig, SequenceWriter, StreetScene
from centertrack.synthetic.figures import render_figure
from centertrack.synthetic.gait import walking_pose
from centertrack.synthetic.look import Viewpoint
from centertrack.synthetic.outfits import random_outfit
from centertrack.synthetic.painter import Painter
from centertrack.synthetic.sprite import Sprite, SpritePlacement, lay_over, rasterise, trimmed
from tracker.errors import InputError
from tracker.io.mot import read_ground_truth, read_sequence_info
from tracker.io.video import open_source

SMALL = SceneConfig(size=(320, 192), seconds=2.0, people=12, furniture=5, seed=3, pan=0.1)


@pytest.fixture(scope="module")
def scene() -> StreetScene:
    return StreetScene(SMALL)


def bar(width: int = 20, height: int = 50) -> Sprite:
    """An opaque white sprite of 50 px a metre, its anchor in the middle of its lower side."""
    image = np.full((height, width, 4), 255, np.uint8)
    return Sprite(image, (width / 2, float(height)), 50.0, (0.0, 0.0, float(width), float(height)))


class TestScene:
    def test_the_same_seed_gives_the_same_clip_in_any_order(self, scene):
        other = StreetScene(SMALL)
        for index in (30, 3, 49):
            expected, found = scene.frame(index), other.frame(index)
            np.testing.assert_array_equal(found.frame.image, expected.frame.image)
            np.testing.assert_array_equal(found.boxes, expected.boxes)
            np.testing.assert_array_equal(found.visibility, expected.visibility)

    def test_iteration_gives_every_frame_once(self, scene):
        shots = list(scene)
        assert [shot.frame.number for shot in shots] == list(range(1, 51))
        np.testing.assert_allclose([shot.frame.time for shot in shots], np.arange(50) / 25)
        np.testing.assert_array_equal(shots[17].frame.image, scene.frame(17).frame.image)

    def test_arrays_have_the_promised_types(self, scene):
        shot = scene.frame(10)
        assert shot.frame.image.shape == (192, 320, 3)
        assert shot.frame.image.dtype == np.uint8
        assert (shot.boxes.dtype, shot.ids.dtype, shot.visibility.dtype) == (np.float32, np.int64, np.float32)
        assert len(shot.boxes) == len(shot.ids) == len(shot.visibility) > 0

    def test_truth_is_consistent(self, scene):
        for shot in scene:
            assert len(set(shot.ids.tolist())) == len(shot.ids)
            assert shot.ids.min() >= 1
            assert shot.ids.max() <= 12
            assert ((shot.visibility >= 0) & (shot.visibility <= 1)).all()
            assert (shot.boxes[:, :2] < (320, 192)).all()
            assert (shot.boxes[:, 2:] > 0).all()
            sizes = shot.boxes[:, 2:] - shot.boxes[:, :2]
            assert (sizes > 3).all()
            assert (sizes[:, 1] < 0.9 * 192).all()

    def test_boxes_move_smoothly(self, scene):
        before: dict[int, np.ndarray] = {}
        for shot in scene:
            feet = {i: (b[[0, 2]].mean(), b[3]) for i, b in zip(shot.ids.tolist(), shot.boxes, strict=True)}
            heights = {i: b[3] - b[1] for i, b in zip(shot.ids.tolist(), shot.boxes, strict=True)}
            for identity in feet.keys() & before.keys():
                jump = np.subtract(feet[identity], before[identity])
                assert np.abs(jump).max() < 0.25 * heights[identity]
            before = feet

    def test_visibility_falls_behind_people_furniture_and_the_border(self):
        seen = np.concatenate([shot.visibility for shot in StreetScene(SMALL)])
        assert (seen > 0.99).mean() > 0.2
        assert ((seen > 0.05) & (seen < 0.9)).sum() > 20

    def test_nobody_hides_alone_in_an_empty_street(self):
        config = SceneConfig(size=(320, 192), seconds=4, people=1, furniture=0, seed=8, pan=0)
        inside = 0
        for shot in StreetScene(config):
            for (x1, y1, x2, y2), seen in zip(shot.boxes, shot.visibility, strict=True):
                if x1 >= 1 and y1 >= 1 and x2 <= 319 and y2 <= 191:
                    inside += 1
                    assert seen == pytest.approx(1.0, abs=0.01)
                elif x1 < -2 or x2 > 322:
                    assert seen < 1
        assert inside > 10

    def test_the_box_encloses_what_the_figure_changes_in_the_image(self):
        options = {"size": (320, 192), "seconds": 4.0, "furniture": 0, "seed": 8, "pan": 0.0, "time_of_day": "overcast"}
        empty = StreetScene(SceneConfig(people=0, **options)).frame(50).frame.image.astype(int)
        shot = StreetScene(SceneConfig(people=1, **options)).frame(50)
        (x1, y1, x2, y2), *_ = shot.boxes
        changed = np.abs(shot.frame.image.astype(int) - empty).max(2) > 45  # more than noise and shadow
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        # soft edges, the shadow at the feet and colours like the background leave a few pixels
        np.testing.assert_allclose([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], [x1, y1, x2, y2], atol=4)

    def test_other_seeds_are_other_streets(self):
        first, second = (StreetScene(SceneConfig(size=(320, 192), seed=seed)).frame(0).frame.image for seed in (1, 2))
        assert np.abs(first.astype(int) - second).mean() > 20

    @pytest.mark.parametrize("layout", ["facades", "avenue", "park"])
    @pytest.mark.parametrize("time_of_day", ["noon", "overcast", "evening", "dusk"])
    def test_every_look_can_be_asked_for(self, layout, time_of_day):
        config = SceneConfig(size=(160, 96), seconds=0.1, people=4, layout=layout, time_of_day=time_of_day)
        image = StreetScene(config).frame(0).frame.image
        assert 20 < image.mean() < 235
        assert image.std() > 8

    def test_an_empty_scene_has_no_rows(self):
        shot = StreetScene(SceneConfig(size=(160, 96), seconds=0.1, people=0)).frame(0)
        assert shot.boxes.shape == (0, 4)
        assert len(shot.ids) == len(shot.visibility) == 0

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"size": (32, 720)}, "size"),
            ({"seconds": 0}, "seconds"),
            ({"people": 251}, "people"),
            ({"layout": "beach"}, "layout"),
            ({"time_of_day": "midnight"}, "time_of_day"),
        ],
    )
    def test_bad_options_are_refused(self, options, message):
        with pytest.raises(ValueError, match=message):
            SceneConfig(**options)

    def test_frames_outside_the_clip_are_refused(self, scene):
        with pytest.raises(IndexError, match=r"0\.\.49"):
            scene.frame(50)

    @pytest.mark.slow
    def test_the_demo_crosses_hides_enters_and_leaves(self):
        shots = list(StreetScene(DEMO_SCENE))
        spans = {i: [s.frame.number for s in shots if i in s.ids[s.visibility > 0.3]] for i in range(1, 25)}
        assert sum(bool(span) and span[0] > 10 for span in spans.values()) >= 3  # enter
        assert sum(bool(span) and span[-1] < 240 for span in spans.values()) >= 3  # leave
        hidden = {i for shot in shots for i in shot.ids[shot.visibility < 0.3].tolist()}
        assert len(hidden) >= 5


class TestMotFolder:
    def test_it_reads_back(self, scene, tmp_path):
        scene.write_mot(tmp_path / "SYN-01", images=True)
        info = read_sequence_info(tmp_path / "SYN-01")
        assert (info.name, info.frame_rate, info.length, info.size) == ("SYN-01", 25.0, 50, (320, 192))
        rows = read_ground_truth(tmp_path / "SYN-01" / "gt" / "gt.txt")
        for index in (0, 25, 49):
            shot = scene.frame(index)
            seen = shot.visibility > 0
            here = rows.where(rows.frames == index + 1)
            np.testing.assert_array_equal(here.ids, shot.ids[seen])
            np.testing.assert_allclose(here.boxes_xyxy, shot.boxes[seen], atol=0.02)
        images = open_source(tmp_path / "SYN-01")
        assert (images.frame_count, images.frame_rate) == (50, 25.0)

    def test_an_unfinished_one_does_not_appear(self, scene, tmp_path):
        with pytest.raises(RuntimeError), SequenceWriter(tmp_path, SMALL.size, 25.0) as writer:
            writer.write(scene.frame(0))
            raise RuntimeError
        assert not (tmp_path / "gt" / "gt.txt").exists()

    def test_an_unwritable_place_is_an_input_error(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match="cannot write"), SequenceWriter(tmp_path / "file", SMALL.size, 25.0):
            pass


class TestFigures:
    @pytest.mark.parametrize("yaw", [0.0, np.pi / 2, np.pi, 4.0])
    def test_a_figure_is_as_tall_as_asked_and_stands_on_its_anchor(self, yaw):
        outfit = random_outfit(np.random.default_rng(4))
        sprite = render_figure(outfit, yaw, phase=0.0, vigour=0.0, pixels=200)
        _, top, _, bottom = sprite.bounds
        assert bottom - top == pytest.approx(200, rel=0.06)
        assert bottom == pytest.approx(sprite.anchor[1], abs=3)
        assert sprite.scale == pytest.approx(200 / outfit.height)

    def test_a_walker_strides(self):
        outfit = random_outfit(np.random.default_rng(4))
        widths = [np.ptp(render_figure(outfit, 0.0, phase, 1.0, 200).bounds[::2]) for phase in (0.0, 0.25)]
        assert widths[0] > widths[1] + 20  # legs apart, then passing

    def test_seen_from_the_side_a_body_is_narrower_than_from_the_front(self):
        outfit = random_outfit(np.random.default_rng(4))
        side, front = (render_figure(outfit, yaw, 0.0, 0.0, 200).bounds for yaw in (0.0, np.pi / 2))
        assert np.ptp(side[::2]) < np.ptp(front[::2])

    @pytest.mark.parametrize("phase", [0.0, 0.1, 0.4, 0.75])
    def test_one_foot_is_on_the_ground_and_limbs_keep_their_length(self, phase):
        pose = walking_pose(phase, 1.0)
        feet = [pose[f"{side}_{part}"][2] for side in ("left", "right") for part in ("toe", "heel")]
        assert min(feet) == pytest.approx(0, abs=1e-9)
        for side in ("left", "right"):
            assert np.linalg.norm(pose[f"{side}_knee"] - pose[f"{side}_hip"]) == pytest.approx(0.245)
            assert np.linalg.norm(pose[f"{side}_ankle"] - pose[f"{side}_knee"]) == pytest.approx(0.24)

    def test_half_a_cycle_later_left_and_right_have_changed_places(self):
        first, second = walking_pose(0.2, 1.0), walking_pose(0.7, 1.0)
        np.testing.assert_allclose(first["left_ankle"] * (1, -1, 1), second["right_ankle"], atol=1e-9)


class TestSprites:
    def test_a_whole_pixel_placement_copies_the_picture(self):
        canvas, labels = np.zeros((100, 100, 3), np.uint8), np.zeros((100, 100), np.uint8)
        placement = SpritePlacement(bar(), 50.0, 80.0, 50.0)
        image, column, row = rasterise(placement)
        assert lay_over(canvas, labels, image, column, row, 7) == (40, 30, 60, 80)
        assert placement.box == (40, 30, 60, 80)
        assert (labels == 7).sum() == 20 * 50
        assert (canvas[30:80, 40:60] == 255).all()
        assert canvas.sum() == 255 * 3 * 20 * 50

    def test_the_box_follows_scale_and_fractions(self):
        placement = SpritePlacement(bar(), 50.25, 80.5, 75.0)
        assert placement.box == pytest.approx((35.25, 5.5, 65.25, 80.5))
        canvas, labels = np.zeros((100, 100, 3), np.uint8), np.zeros((100, 100), np.uint8)
        lay_over(canvas, labels, *rasterise(placement), 1)
        assert canvas.sum() / 765 == pytest.approx(30 * 75, rel=0.04)  # its area, soft edges included

    def test_outside_nothing_is_laid_and_within_limits(self):
        canvas, labels = np.zeros((100, 100, 3), np.uint8), np.zeros((100, 100), np.uint8)
        image = bar().image
        assert lay_over(canvas, labels, image, -30, 10, 1) is None
        assert lay_over(canvas, labels, image, -10, 10, 1, within=(0, 0, 5, 30)) == (0, 10, 5, 30)
        assert (labels == 1).sum() == 5 * 20

    def test_trimming_keeps_the_anchor_where_it_was(self):
        image = np.zeros((60, 60, 4), np.uint8)
        image[20:40, 30:35] = 255
        sprite = trimmed(image, (32.0, 40.0), 10.0)
        x1, y1, x2, y2 = sprite.bounds
        assert (x1 - sprite.anchor[0], y1 - sprite.anchor[1], x2 - x1, y2 - y1) == (-2, -20, 5, 20)


def test_a_painted_rectangle_covers_its_area_and_a_soft_outline():
    painter = Painter(40, 30)
    painter.rectangle(10, 5, 30, 25, (200, 100, 50))
    image = painter.finish()
    assert image[15, 20].tolist() == [200, 100, 50, 255]
    assert 20**2 <= image[..., 3].sum() / 255 <= 22**2  # opencv paints the outline too
    assert image[2, 2].tolist() == [0, 0, 0, 0]


def test_the_camera_projects_the_ground():
    camera = Viewpoint(focal=1000.0, height=2.0, centre=640.0, horizon=300.0)
    assert camera.project(0.0, 10.0) == (640.0, 500.0)
    assert camera.project(1.0, 10.0, up=2.0) == (740.0, 300.0)  # eye level lies on the horizon
    assert camera.distance(500.0) == pytest.approx(10.0)
    assert camera.scale(10.0) == 100.0
