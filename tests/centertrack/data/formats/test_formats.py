from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack.cli import main
from centertrack.data.convert import convert_data
from centertrack.data.formats.crowdhuman import CrowdHumanSet
from centertrack.data.formats.cvat import CvatSet
from centertrack.data.formats.jde import JdeSet
from centertrack.data.formats.kitti import KITTI_CLASSES, KittiSet
from centertrack.data.formats.mot import MotSet
from centertrack.data.formats.registry import FORMATS, guess_format, open_labels
from centertrack.data.formats.voc import VOC_CLASSES, VocSet
from centertrack.data.formats.yolo import YoloSet
from centertrack.data.mixture import MixOptions, Mixture, SourceOptions
from tracker.errors import InputError
from tracker.io.mot import read_sequence_info

SIZE = (80, 60)


def write_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    write_image(tmp_path / "JPEGImages" / "a.jpg")
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"
    box = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"
    text = (
        "<annotation>\n<size><width>80</width><height>60</height></size>\n"
        f"<object><name>person</name>{part}<difficult>0</difficult>{box.format(11, 21, 40, 60)}</object>\n"
        f"<object><name>car</name><difficult>1</difficult>{box.format(1, 1, 10, 10)}</object>\n</annotation>\n"
    )
    write(tmp_path / "Annotations" / "a.xml", text)
    write(tmp_path / "ImageSets" / "Main" / "train.txt", "a\n")
    return tmp_path


def test_voc_counts_pixels_from_one(voc: Path) -> None:
    data = VocSet(voc, split="train")
    sample = data[0]
    assert sample.boxes.tolist() == [[10, 20, 40, 60]]
    assert sample.labels.tolist() == [VOC_CLASSES.index("person")] and data.num_classes == 20
    assert sample.ignore.tolist() == [[0, 0, 10, 10]]
    assert data.entries[0].lines.tolist() == [3]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("<xmin>11</xmin>", "", r"a\.xml:3: an object needs .*missing 'bndbox/xmin'"),
        ("<xmin>11</xmin>", "<xmin>left</xmin>", r"a\.xml:3: expected corners of an object as numbers .*got left"),
        ("</annotation>", "", r"a\.xml:5: not valid XML"),
    ],
)
def test_broken_voc_is_named(voc: Path, old: str, new: str, sentence: str) -> None:
    file = voc / "Annotations" / "a.xml"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(InputError, match=sentence):
        VocSet(voc)


@pytest.fixture
def crowdhuman(tmp_path: Path) -> Path:
    write_image(tmp_path / "Images" / "273271,1.jpg")
    boxes = [
        {"tag": "person", "fbox": [-5, 10, 20, 45], "vbox": [0, 10, 15, 40], "hbox": [0, 10, 5, 5], "extra": {}},
        {"tag": "person", "fbox": [40, 10, 10, 30], "extra": {"ignore": 1}},
        {"tag": "mask", "fbox": [60, 0, 20, 20], "extra": {"ignore": 0}},
    ]
    write(tmp_path / "train.odgt", json.dumps({"ID": "273271,1", "gtboxes": boxes}) + "\n")
    return tmp_path / "train.odgt"


def test_crowdhuman_masks_and_ignored_boxes_are_not_people(crowdhuman: Path) -> None:
    sample = CrowdHumanSet(crowdhuman)[0]
    assert sample.boxes.tolist() == [[-5, 10, 15, 55]]  # the full box leaves the image
    assert sample.ids.tolist() == [0]
    assert sample.ignore.tolist() == [[40, 10, 50, 40], [60, 0, 80, 20]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{not json", r"train\.odgt:2: not valid JSON"),
        (
            '{"ID": "b", "gtboxes": [{"tag": "person"}]}',
            r"train\.odgt:2: expected ID and gtboxes.*KeyError\('fbox'\)",
        ),
        (
            '{"ID": "b", "gtboxes": [{"tag": "person", "fbox": [1, 2]}]}',
            r"\.odgt:2: expected fbox, .*got a list of 2",
        ),
    ],
)
def test_a_broken_crowdhuman_line_is_named(crowdhuman: Path, text: str, sentence: str) -> None:
    with crowdhuman.open("a") as file:
        file.write(text + "\n")
    with pytest.raises(InputError, match=sentence):
        CrowdHumanSet(crowdhuman)


@pytest.fixture
def kitti(tmp_path: Path) -> Path:
    tail = "-1 -1 -1 -1000 -1000 -1000 -10"
    for name in ("0000", "0007"):
        write_image(tmp_path / "image_02" / name / "000000.png")
        write_image(tmp_path / "image_02" / name / "000001.png")
        rows = f"0 0 Van 0 0 -1.5 10.5 20 40 60 {tail}\n1 0 Van 0 0 -1 12 20 42 60 {tail}\n"
        rows += f"1 2 Pedestrian 0 1 -1 50 10 60 40 {tail}\n0 -1 DontCare -1 -1 -10 60 0 80 20 {tail}\n"
        write(tmp_path / "label_02" / f"{name}.txt", rows)
    return tmp_path


def test_kitti_frames_and_ids_count_from_zero_in_every_sequence(kitti: Path) -> None:
    data = KittiSet(kitti)
    assert len(data) == 4 and data.num_classes == len(KITTI_CLASSES) and data.num_identities == 4
    assert data[0].boxes.tolist() == [[10.5, 20, 40, 60]]
    assert data[0].ignore.tolist() == [[60, 0, 80, 20]]
    assert data[1].labels.tolist() == [1, 3]
    assert [data[i].ids.tolist() for i in range(4)] == [[0], [0, 1], [2], [2, 3]]


def test_classes_are_chosen_merged_and_ignored_by_name(kitti: Path) -> None:
    merged = KittiSet(kitti, sequences=["0000"], classes={"Car": 1, "Van": 1, "Pedestrian": 0})
    assert merged.num_classes == 2 and merged[1].labels.tolist() == [1, 0]
    people = KittiSet(kitti, classes=["Pedestrian"])
    assert people[1].labels.tolist() == [0] and people[0].boxes.shape == (0, 4)
    assert people.num_identities == 2  # vans need no classes of the identity loss
    careful = KittiSet(kitti, classes={"Pedestrian": 0, "Van": -1})
    assert careful[1].ignore.tolist() == [[12, 20, 42, 60]] and len(careful[1].boxes) == 1
    with pytest.raises(InputError, match="no class 'Person' in these labels; there are Car, Van"):
        KittiSet(kitti, classes=["Person"])


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("0 0 Bus 0 0 0 1 2 3 4", r"0000\.txt:5: expected a type of Car, Van"),
        ("0 0 Car 0 0", r"0000\.txt:5: expected at least 10 columns"),
        ("0 x Car 0 0 0 1 2 3 4", r"0000\.txt:5: expected numbers"),
    ],
)
def test_a_broken_kitti_row_is_named(kitti: Path, row: str, sentence: str) -> None:
    with (kitti / "label_02" / "0000.txt").open("a") as file:
        file.write(row + "\n")
    with pytest.raises(InputError, match=sentence):
        KittiSet(kitti)


@pytest.fixture
def jde(tmp_path: Path) -> Path:
    for name in ("1", "2"):
        write_image(tmp_path / "images" / "set" / "images" / f"{name}.jpg")
    write(tmp_path / "images" / "set" / "labels_with_ids" / "1.txt", "0 7 0.25 0.5 0.25 1.1\n")  # one line only
    write(tmp_path / "images" / "set" / "labels_with_ids" / "2.txt", "")
    write(tmp_path / "set.train", "images/set/images/1.jpg\nimages/set/images/2.jpg\n")
    return tmp_path / "set.train"


def test_jde_labels_lie_beside_the_last_folder_called_images(jde: Path) -> None:
    data = JdeSet(jde)
    np.testing.assert_allclose(data[0].boxes, [[10, -3, 30, 63]], atol=1e-5)  # not clipped
    assert data[0].ids.tolist() == [0] and data.num_identities == 1
    assert data[1].boxes.shape == (0, 4)
    np.testing.assert_allclose(JdeSet(jde, longest_side=40)[0].boxes, [[5, -1.5, 15, 31.5]], atol=1e-5)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("0 0.25 0.5 0.25 1.1", r"1\.txt:2: expected 6 finite numbers \(class, id, .*got 5"),  # YOLO's columns
        ("0 7 0.25 0.5 0.25 nan", r"1\.txt:2: expected 6 finite numbers"),
        ("0.5 7 0.25 0.5 0.25 1", r"1\.txt:2: expected a whole class"),
        ("person 7 0.25 0.5 0.25 1", r"1\.txt:2: expected numbers"),
    ],
)
def test_a_broken_jde_row_is_named(jde: Path, row: str, sentence: str) -> None:
    with (jde.parent / "images" / "set" / "labels_with_ids" / "1.txt").open("a") as file:
        file.write(row + "\n")
    with pytest.raises(InputError, match=sentence):
        JdeSet(jde)


def test_a_missing_jde_label_file_is_named(jde: Path) -> None:
    (jde.parent / "images" / "set" / "labels_with_ids" / "2.txt").unlink()
    with pytest.raises(InputError, match=r"set\.train:2: cannot read labels .*labels_with_ids/2\.txt"):
        JdeSet(jde)


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    for name in ("cam1/1.png", "cam2/1.png", "cam2/2.png"):
        write_image(tmp_path / "images" / name)
    write(tmp_path / "labels" / "cam1" / "1.txt", "1 0.25 0.5 0.25 0.5 4\n0 0.5 0.5 0.5 0.5\n")
    write(tmp_path / "labels" / "cam2" / "1.txt", "1 0.25 0.5 0.25 0.5 4\n")
    write(tmp_path / "data.yaml", "names: {0: dog, 1: fish}\n")
    return tmp_path


def test_yolo_with_and_without_identities(yolo: Path) -> None:
    data = YoloSet(yolo)
    assert data.class_names == ["dog", "fish"] and len(data) == 3
    np.testing.assert_allclose(data[0].boxes, [[10, 15, 30, 45], [20, 15, 60, 45]], atol=1e-5)
    assert data[0].ids.tolist() == [0, -1] and data[1].ids.tolist() == [1]  # id 4 of another folder is another one
    assert data[2].boxes.shape == (0, 4)  # no label file: no objects


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("0 0.1 0.1 0.2 0.1 0.2 0.2", r"1\.txt:3: expected 5 or 6 finite numbers .*got 7"),  # a polygon
        ("5 0.1 0.1 0.2 0.1", r"class 5 occurs, but only 2 classes are named"),
    ],
)
def test_broken_yolo_is_named(yolo: Path, row: str, sentence: str) -> None:
    with (yolo / "labels" / "cam1" / "1.txt").open("a") as file:
        file.write(row + "\n")
    with pytest.raises(InputError, match=sentence):
        YoloSet(yolo)


@pytest.fixture
def cvat(tmp_path: Path) -> Path:
    for number in (0, 1):
        write_image(tmp_path / "img1" / f"frame_{number:06d}.png")
    rows = "1,1,10,20,30,40,1,2,1.0\n2,1,12,20,30,40,1,2,0.5\n2,-1,0,0,10,10,1,1,1.0\n1,2,60,0,20,20,0,1,1.0\n"
    write(tmp_path / "gt" / "gt.txt", rows)
    write(tmp_path / "gt" / "labels.txt", "cat\nperson\n")
    return tmp_path


def test_cvat_counts_pixels_from_zero_and_names_classes(cvat: Path) -> None:
    data = CvatSet(cvat)
    assert data.class_names == ["cat", "person"]
    assert data[0].boxes.tolist() == [[10, 20, 40, 60]] and data[0].labels.tolist() == [1]
    assert data[0].ignore.tolist() == [[60, 0, 80, 20]]
    assert data[1].ids.tolist() == [0, -1]  # a shape without a track has no identity


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("3,1,1,1,5,5,1,1,1", r"gt\.txt:5: expected a frame from 1 to 2, the number of images, got 3"),
        ("1,1,1,1,5,5,1,3,1", r"gt\.txt:5: expected a class from 1 to 2"),
        ("1,1,1,1,5", r"gt\.txt:5: expected at least 8 finite numbers"),
        ("one,1,1,1,5,5,1,1", r"gt\.txt:5: expected numbers"),
    ],
)
def test_a_broken_cvat_row_is_named(cvat: Path, row: str, sentence: str) -> None:
    with (cvat / "gt" / "gt.txt").open("a") as file:
        file.write(row + "\n")
    with pytest.raises(InputError, match=sentence):
        CvatSet(cvat)


def test_an_archive_is_to_be_unpacked() -> None:
    with pytest.raises(InputError, match="unpack it"):
        CvatSet("task.zip")


@pytest.fixture
def mot(tmp_path: Path) -> Path:
    """Two videos of MOT17, one of them for two public detectors."""
    for name in ("MOT17-02-DPM", "MOT17-02-SDP", "MOT17-04-SDP"):
        for number in range(1, 5):
            write_image(tmp_path / name / "img1" / f"{number:06d}.jpg")
        write(tmp_path / name / "gt" / "gt.txt", "1,5,11,21,30,40,1,1,1\n4,5,13,21,30,40,1,1,1\n4,6,1,1,9,20,1,1,1\n")
    return tmp_path


def test_many_sequences_share_no_identities(mot: Path) -> None:
    data = MotSet(mot, sequences=["*-SDP"])
    assert len(data) == 8 and data.num_identities == 4
    assert data[0].ids.tolist() == [0] and data[7].ids.tolist() == [2, 3]
    assert data[0].boxes.tolist() == [[10, 20, 40, 60]]


def test_half_of_every_sequence(mot: Path) -> None:
    data = MotSet(mot, frames="half-train", sequences=["*-SDP"])
    assert len(data) == 6 and data.num_identities == 2


def test_unknown_sequences_and_empty_folders_are_named(mot: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no sequence of .* is called \*-FRCNN"):
        MotSet(mot, sequences=["*-FRCNN"])
    with pytest.raises(InputError, match="found neither"):
        MotSet(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("fixture", "name"),
    [("crowdhuman", "crowdhuman"), ("cvat", "cvat"), ("jde", "jde"), ("kitti", "kitti"), ("mot", "mot"),
     ("voc", "voc"), ("yolo", "yolo")],
)  # fmt: skip
def test_the_format_of_a_folder_is_told_by_its_files(fixture: str, name: str, request: pytest.FixtureRequest) -> None:
    assert guess_format(request.getfixturevalue(fixture)) == name


def test_a_folder_of_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot tell the label format"):
        guess_format(tmp_path)
    for name in ("labels.json", "folder"):
        with pytest.raises(InputError, match=f"{name} does not exist"):
            guess_format(tmp_path / name)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A CVAT export of one class which all formats know, with identities and a region to ignore."""
    root = tmp_path / "people" / "Street"
    for number in (0, 1):
        write_image(root / "img1" / f"frame_{number:06d}.png")
    write(
        root / "gt" / "gt.txt",
        "1,3,10,20,30,40,1,1,1\n2,3,12,20,30,40,1,1,1\n2,4,0,0,10,12,1,1,1\n1,0,60,0,20,20,0,1,1\n",
    )
    write(root / "gt" / "labels.txt", "Pedestrian\n")
    return root


PLACES = {"coco": "annotations.json", "crowdhuman": "annotation.odgt", "jde": "train.txt"}


WRITTEN = [name for name, known in FORMATS.items() if known.write is not None]


@pytest.mark.parametrize("name", WRITTEN)
def test_there_and_back(people: Path, tmp_path: Path, name: str) -> None:
    done = convert_data(people, tmp_path / name, name)
    assert (done.images, done.boxes, done.identities) == (2, 3, 2)
    data = open_labels(name, tmp_path / name / PLACES.get(name, ""))
    source = CvatSet(people)
    assert len(data) == 2
    for i, ids in enumerate(([0], [0, 1])):
        sample, original = data[i], source[i]
        np.testing.assert_allclose(sample.boxes, original.boxes, atol=1e-3)
        assert sample.image.shape == original.image.shape
        if name in ("cvat", "jde", "kitti", "mot", "yolo"):
            assert sample.ids.tolist() == ids
        if name not in ("jde", "yolo"):  # which know no regions to ignore
            np.testing.assert_allclose(sample.ignore, original.ignore, atol=1e-3)


def rate_of(folder: Path) -> float:
    return read_sequence_info(next(path for path in folder.iterdir() if path.is_dir())).frame_rate


def test_the_frame_rate_is_carried_where_the_source_knows_it(kitti: Path, people: Path, tmp_path: Path) -> None:
    convert_data(kitti, tmp_path / "mot", "mot")
    assert rate_of(tmp_path / "mot") == 10  # KITTI's
    convert_data(tmp_path / "mot", tmp_path / "coco", "coco")
    convert_data(tmp_path / "coco" / "annotations.json", tmp_path / "again", "mot")
    assert rate_of(tmp_path / "again") == 10
    convert_data(tmp_path / "again", tmp_path / "half", "mot", step=2)
    assert rate_of(tmp_path / "half") == 5
    convert_data(people, tmp_path / "unknown", "mot")
    assert rate_of(tmp_path / "unknown") == 30
    convert_data(people, tmp_path / "given", "mot", frame_rate=12.5)
    assert rate_of(tmp_path / "given") == 12.5


def test_the_frame_rate_is_an_option_of_the_command(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["data", "convert", str(people), "--to", "mot", "--output", str(tmp_path / "new"), "--frame-rate"]
    assert main([*arguments, "7.5"]) == 0
    assert rate_of(tmp_path / "new") == 7.5
    for wrong in ("0", "fast", "inf"):
        with pytest.raises(SystemExit, match="2"):
            main([*arguments, wrong])
        assert "expected images a second" in capsys.readouterr().err


def test_coco_keeps_identities_and_frames(people: Path, tmp_path: Path) -> None:
    convert_data(people, tmp_path / "coco", "coco")
    data = open_labels("coco", tmp_path / "coco" / "annotations.json", identities="labels")
    assert data[1].ids.tolist() == [0, 1] and data.entries[1].frame == 2
    again = convert_data(tmp_path / "coco" / "annotations.json", tmp_path / "again", "mot")
    assert again.identities == 2


def test_conversions_that_lose_something_are_refused(voc: Path, yolo: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="MOTChallenge needs an identity for every box"):
        convert_data(voc, tmp_path / "new", "mot", "voc")
    with pytest.raises(InputError, match="KITTI has no class 'dog'"):
        convert_data(yolo, tmp_path / "newer", "kitti", "yolo")
    with pytest.raises(InputError, match="not an empty folder"):
        convert_data(voc, voc, "yolo", "voc")


def test_what_a_conversion_leaves_out_is_said(cvat: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cvat / "gt" / "gt.txt").write_text("1,1,10,20,30,40,1,2,1.0\n1,2,50,20,20,40,1,1,1.0\n1,3,60,0,20,20,0,1,1.0\n")
    lost = {name: convert_data(cvat, tmp_path / "new" / name, name, "cvat").lost for name in WRITTEN if name != "kitti"}
    classes = "knows one class only: cat, person became one"
    assert lost.pop("mot") == [f"mot {classes}"]
    assert lost.pop("crowdhuman") == [f"crowdhuman {classes}", "crowdhuman knows no identities: 2 are left out"]
    assert lost.pop("voc") == ["voc knows no identities: 2 are left out"]
    assert lost.pop("yolo") == ["yolo knows no regions to ignore: 1 is left out"]
    assert lost.pop("jde") == ["jde knows no regions to ignore: 1 is left out"]
    assert lost == {"coco": [], "cvat": []}
    arguments = ["data", "convert", str(cvat), "--from", "cvat", "--to", "mot", "--output", str(tmp_path / "again")]
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [f"mot {classes}"]


def test_all_formats_mix_in_one_stream(kitti: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("mixed")
    for name in ("cvat", "jde", "yolo"):
        convert_data(kitti, root / name, name)
    options = {"classes": {"Pedestrian": 0, "Van": 1}}
    sources = [
        SourceOptions("cvat", "cvat", options=options),
        SourceOptions("yolo", "yolo", options=options),
        SourceOptions("jde", "jde/train.txt", options={"class_names": KITTI_CLASSES, **options}),
    ]
    mixture = Mixture(sources, (64, 64), MixOptions(mosaic=0.5), root=root)
    assert mixture.num_classes == 2 and mixture.offsets.tolist() == [0, 4, 8, 12]
    labels = np.concatenate([mixture.sample(i).labels for i in range(12)])
    assert set(labels.tolist()) == {0, 1}
