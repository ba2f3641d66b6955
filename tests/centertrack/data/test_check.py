from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from centertrack.cli import main
from centertrack.data.check import check_data
from tracker.errors import InputError


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    """Four images of a YOLO folder: two fine boxes, and one of each mistake."""
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for name in "abcd":
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), np.full((60, 80, 3), 90, np.uint8))
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.25 0.5 1\n0 0.25 0.25 0.1 0.1 2\n")
    (tmp_path / "labels" / "b.txt").write_text("0 0.5 0.5 0.2\n0 0.5 0.5 0 0.5 3\n0 40 30 20 30 4\n")
    (tmp_path / "labels" / "c.txt").write_text("0 1.5 0.5 0.2 0.5 5\n\n0 0.5 0.5 0.2 0.5 6\n0 0.6 0.5 0.2 0.5 6\n")
    return tmp_path


def test_every_broken_label_is_named_with_its_line(yolo: Path) -> None:
    source = check_data(yolo).sources[0]
    assert (source.images, source.boxes, source.identities, source.without_boxes) == (4, 7, 6, 1)
    labels = yolo / "labels"
    starts = [
        f"{labels / 'b.txt'}:1: expected 5 or 6 finite numbers",
        f"{labels / 'b.txt'}:2: box 40.0, 15.0, 40.0, 45.0 of b.png (80x60) has no area",
        f"{labels / 'b.txt'}:3: box 2400.0",
        f"{labels / 'c.txt'}:1: box 112.0, 15.0, 128.0, 45.0 of c.png (80x60) lies outside the image",
        f"{labels / 'c.txt'}:4: identity 6 occurs twice in c.png (first in line 3)",
    ]
    assert len(source.problems) == len(starts)
    assert all(problem.startswith(start) for problem, start in zip(source.problems, starts, strict=True))
    assert "pixels, not fractions" in source.problems[2]


def test_counts_and_sizes(yolo: Path) -> None:
    for name in "bc":
        (yolo / "labels" / f"{name}.txt").unlink()
    report = check_data(yolo)
    assert not report.problems
    assert report.sources[0].box_heights == pytest.approx((6, 18, 30))
    assert report.text().splitlines() == [
        f"{yolo} (yolo)",
        "  4 images (3 without objects), 2 boxes, 0 regions to ignore, 2 identities",
        "  classes: class 0 2",
        "  image sizes: 80x60",
        "  box heights: 6 to 30 px, median 18",
    ]


def test_classes_that_sets_call_differently_are_named(yolo: Path, tmp_path: Path) -> None:
    for name in "bc":
        (yolo / "labels" / f"{name}.txt").unlink()
    (yolo / "classes.txt").write_text("car\ndog\n")
    sets = [
        {"path": "."},
        {"path": ".", "options": {"classes": ["dog", "car"]}},
        {"path": ".", "options": {"classes": ["car"]}},
    ]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({"data": {"train": [{"format": "yolo", **one} for one in sets]}}))
    report = check_data(tmp_path / "own.yaml", root=yolo)
    advice = "learnt as one; if they differ, number them with the option `classes`"
    assert report.text().splitlines()[-2:] == [f"class 0 is car and dog, {advice}", f"class 1 is dog and car, {advice}"]
    assert not report.problems
    assert "learnt as one" not in check_data(yolo).text()


def test_an_unreadable_image_is_a_problem(yolo: Path) -> None:
    (yolo / "images" / "d.png").write_bytes(b"no image")
    assert any("cannot read the image" in problem and "d.png" in problem for problem in check_data(yolo).problems)


def test_a_configuration_is_checked_and_drawn(yolo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "bc":
        (yolo / "labels" / f"{name}.txt").unlink()
    synthetic = {"format": "synthetic", "options": {"scenes": 1, "frames": 2, "size": [160, 96], "seconds": 1.0}}
    content = {"data": {"size": [96, 64], "train": [{"format": "yolo", "path": "."}, synthetic]}}
    config, sheet = tmp_path / "own.yaml", tmp_path / "sheet.png"
    config.write_text(yaml.safe_dump(content))
    assert main(["data", "check", str(config), "--root", str(yolo), "--sheet", str(sheet)]) == 0
    assert "4 images" in capsys.readouterr().out
    picture = cv2.imread(str(sheet))
    assert picture.shape == (4 * 68 + 4, 4 * 100 + 4, 3)


def test_the_sheet_shows_what_transforms_do(tmp_path: Path) -> None:
    data = {
        "size": [96, 64],
        "train": [{"format": "synthetic", "options": {"scenes": 1, "frames": 2, "size": [160, 96], "seconds": 1.0}}],
    }
    sheets = []
    for transforms in ([], [{"class_path": "torchvision.transforms.v2.RandomInvert", "init_args": {"p": 1.0}}]):
        (tmp_path / "own.yaml").write_text(yaml.safe_dump({"data": {**data, "transforms": transforms}}))
        check_data(tmp_path / "own.yaml", sheet=tmp_path / "sheet.png")
        sheets.append(cv2.imread(str(tmp_path / "sheet.png")).astype(int))
    between_tiles = (sheets[0] == 255).all(axis=2) & (sheets[1] == 255).all(axis=2)
    inverted = (sheets[0] + sheets[1] == 255).all(axis=2)
    assert inverted[~between_tiles].mean() > 0.5  # the rest are boxes and numbers, drawn in the same colours on both


def test_problems_are_printed_and_give_exit_code_two(yolo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(yolo), "--sheet", str(yolo / "sheet.png")]) == 2
    assert f"problem: {yolo / 'labels' / 'b.txt'}:1: expected" in capsys.readouterr().out


def test_convert_on_the_command_line(yolo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "bc":
        (yolo / "labels" / f"{name}.txt").unlink()
    arguments = ["data", "convert", str(yolo), "--from", "yolo", "--to", "coco", "--output", str(tmp_path / "new")]
    assert main(arguments) == 0
    assert capsys.readouterr().out.strip() == f"{tmp_path / 'new'}: 4 images, 2 boxes, 2 identities"
    assert (tmp_path / "new" / "annotations.json").is_file()
    assert main(arguments) == 2
    assert "not an empty folder" in capsys.readouterr().err


def test_what_is_no_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("data: {train: [{fromat: coco}]}")
    with pytest.raises(InputError, match=r"wrong\.yaml: expected a training configuration.*fromat"):
        check_data(tmp_path / "wrong.yaml")
    with pytest.raises(InputError, match="does not exist"):
        check_data(tmp_path / "nowhere")
    v2 = "torchvision.transforms.v2"
    for transform in (f"{v2}.RandomInvrt", f"{v2}.RandomInvert", "torch.nn.Identity"):
        one = {"class_path": transform, "init_args": {"p": 3.0}}
        content = {"data": {"train": [{"format": "synthetic"}], "transforms": [one]}}
        (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(content))
        with pytest.raises(InputError, match=r"^[^\n]*wrong\.yaml: expected a training configuration[^\n]*$"):
            check_data(tmp_path / "wrong.yaml")
