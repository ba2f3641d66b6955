"""The same scene in every format gives the same scores; each format's traps and rules are worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tracker.errors import InputError
from tracker.evaluation import evaluate
from tracker.evaluation.sequences import find_sequences
from tracker.io.cvat_video import cvat_video_table
from tracker.io.mot import read_sequence_info
from tracker.io.track_formats import guess_track_format, read_truth

FRAMES = range(1, 13)
CLASSES = {1: "Car", 4: "Pedestrian"}  # numbers of KITTI
SCENE = [  # frame from 1, id, left, top, width, height in pixels from 0, class
    *((f, 1, 100.0 + 3 * f, 50.0, 60.0, 40.0, 1) for f in FRAMES),
    *((f, 2, 300.0 - 2 * f, 60.0, 30.0, 80.0, 4) for f in FRAMES),
]
FOUND = [  # the car is a little off, the pedestrian changes the id after frame 6
    *((f, 11, 103.0 + 3 * f, 50.0, 60.0, 40.0, 1) for f in FRAMES),
    *((f, 12 if f <= 6 else 13, 300.0 - 2 * f, 60.0, 30.0, 80.0, 4) for f in FRAMES),
]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def mot(path, rows):
    return write(path, "".join(f"{f},{i},{x + 1},{y + 1},{w},{h},1,{c},1\n" for f, i, x, y, w, h, c in rows))


def mot_results(path, rows):
    return write(path, "".join(f"{f},{i},{x + 1},{y + 1},{w},{h},1,{c},-1,-1\n" for f, i, x, y, w, h, c in rows))


def cvat(path, rows):
    write(path.parent / "labels.txt", "Car\nVan\nTruck\nPedestrian\n")
    return write(path, "".join(f"{f},{i},{x},{y},{w},{h},1,{c},1.0\n" for f, i, x, y, w, h, c in rows))


def kitti(path, rows):
    tail = "-1 -1 -1 -1000 -1000 -1000 -10"
    lines = (f"{f - 1} {i} {CLASSES[c]} 0 0 -10 {x} {y} {x + w} {y + h} {tail} 0.9\n" for f, i, x, y, w, h, c in rows)
    return write(path, "".join(lines))


def coco(path, rows):
    content = {
        "videos": [{"id": 5, "name": "S"}],
        "images": [{"id": 100 + f, "video_id": 5, "frame_id": f, "file_name": f"S/{f:06d}.jpg"} for f in FRAMES],
        "annotations": [
            {"image_id": 100 + f, "track_id": i, "category_id": c, "bbox": [x, y, w, h]} for f, i, x, y, w, h, c in rows
        ],
        "categories": [{"id": number, "name": name} for number, name in CLASSES.items()],
    }
    return write(path, content)


def scalabel(path, rows):
    frames = [
        {
            "name": f"S-{f:07d}.jpg",
            "videoName": "S",
            "frameIndex": f - 1,
            "labels": [
                {"id": f"{i}", "category": CLASSES[c], "box2d": {"x1": x, "y1": y, "x2": x + w, "y2": y + h}}
                for frame, i, x, y, w, h, c in rows
                if frame == f
            ],
        }
        for f in FRAMES
    ]
    return write(path, frames)


def cvat_video(path, rows):
    tracks = []
    for identity in dict.fromkeys(row[1] for row in rows):
        own = [row for row in rows if row[1] == identity]
        boxes = [
            f'<box frame="{f - 1}" outside="0" occluded="0" keyframe="1" xtl="{x}" ytl="{y}" xbr="{x + w}" '
            f'ybr="{y + h}"/>'
            for f, _, x, y, w, h, _ in own
        ]
        tracks.append(f'<track id="{identity}" label="{CLASSES[own[0][-1]]}">\n{"".join(boxes)}\n</track>\n')
    labels = "".join(f"<label><name>{name}</name></label>" for name in CLASSES.values())
    meta = f"<meta><task><size>{len(FRAMES)}</size><labels>{labels}</labels></task></meta>"
    return write(path, f'<?xml version="1.0"?>\n<annotations>{meta}\n{"".join(tracks)}</annotations>\n')


TRUTH = {
    "cvat": ("S/gt/gt.txt", cvat),
    "kitti": ("label_02/S.txt", kitti),
    "coco": ("labels.json", coco),
    "scalabel": ("labels.json", scalabel),
    "cvat-video": ("S/annotations.xml", cvat_video),
}
RESULTS = {
    "mot": ("S.txt", mot_results),
    "kitti": ("S.txt", kitti),
    "coco": ("found.json", coco),
    "scalabel": ("found.json", scalabel),
    "cvat-video": ("S/annotations.xml", cvat_video),
}


@pytest.mark.parametrize("result_format", RESULTS)
@pytest.mark.parametrize("truth_format", TRUTH)
def test_every_format_gives_the_same_scores(tmp_path, truth_format, result_format):
    place, write_truth = TRUTH[truth_format]
    write_truth(tmp_path / "gt" / place, SCENE)
    place, write_results = RESULTS[result_format]
    results = write_results(tmp_path / "results" / place, FOUND)
    gt = tmp_path / "gt" if truth_format in ("cvat", "kitti", "cvat-video") else tmp_path / "gt" / "labels.json"
    classes = ["Car", "Pedestrian"]
    if result_format == "mot" and truth_format in (
        "cvat-video",
        "scalabel",
    ):  # numbers of a file without any: the order of labels
        results.write_text(results.read_text().replace(",1,4,-1", ",1,2,-1"))
    if truth_format == "kitti":
        assert guess_track_format(gt) == "kitti"
    outcome = evaluate(gt, results.parent if result_format == "mot" else results, classes=classes, benchmark="none")
    car, person = (outcome.classes[name].combined.metrics() for name in classes)
    assert (car["MOTA"], car["MOTP"]) == (1, pytest.approx(57 / 63))
    assert (person["IDSW"], person["IDF1"], person["MOTP"]) == (1, 0.5, 1)
    assert outcome.combined.counts.frames == len(FRAMES)


def test_a_folder_of_frames_with_eight_digits(tmp_path):
    """DanceTrack's images are called 00000001.jpg; SportsMOT's folders have a seqinfo.ini."""
    cv2 = pytest.importorskip("cv2")
    mot(tmp_path / "gt" / "dancetrack0001" / "gt" / "gt.txt", [(*row[:6], 1) for row in SCENE])
    for frame in FRAMES:
        image = tmp_path / "gt" / "dancetrack0001" / "img1" / f"{frame:08d}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(image), np.zeros((48, 64, 3), np.uint8))
    assert read_sequence_info(tmp_path / "gt" / "dancetrack0001").length == len(FRAMES)
    results = mot_results(tmp_path / "results" / "dancetrack0001.txt", [(*row[:6], -1) for row in SCENE])
    result = evaluate(tmp_path / "gt", results.parent)
    assert (result.combined.metrics()["MOTA"], result.combined.counts.frames) == (1, len(FRAMES))


# KITTI


def test_kitti_forgives_vans_hidden_labels_small_boxes_and_those_in_areas_to_ignore(tmp_path):
    tail = "-1 -1 -1 -1000 -1000 -1000 -10"
    labels = [
        "0 0 Car 0 0 -10 0 0 50 50",  # scored
        "0 1 Van 0 0 -10 100 0 150 50",  # alike
        "0 2 Car 1 0 -10 200 0 250 50",  # truncated
        "0 3 Car 0 3 -10 300 0 350 50",  # mostly occluded
        "0 -1 DontCare -1 -1 -10 400 0 500 100",
        "0 4 Tram 0 0 -10 600 0 650 50",  # no class of the benchmark
    ]
    found = [
        "0 0 Car 0 0 -10 0 0 50 50",
        "0 1 Car 0 0 -10 100 0 150 50",
        "0 2 Car 0 0 -10 200 0 250 50",
        "0 3 Car 0 0 -10 300 0 350 50",
        "0 4 Car 0 0 -10 380 0 430 50",  # 30 of 50 pixels in the area
        "0 5 Car 0 0 -10 370 0 420 50",  # 20 of 50 pixels in the area: a false positive
        "0 6 Car 0 0 -10 700 0 750 25",  # 25 pixels high
        "0 7 Car 0 0 -10 600 0 650 50",  # on the tram: a false positive
    ]
    gt = write(tmp_path / "label_02" / "0000.txt", "".join(f"{line} {tail}\n" for line in labels)).parents[1]
    write(tmp_path / "results" / "0000.txt", "".join(f"{line} {tail} 0.5\n" for line in found))
    result = evaluate(gt, tmp_path / "results")
    metrics = result.combined.metrics()
    assert (metrics["TP"], metrics["FN"], metrics["FP"]) == (1, 0, 2)
    assert result.left_out.results == {"on distractors": 3, "in regions to ignore": 1, "unmatched and too low": 1}
    assert result.left_out.labels == {"of class Van": 1, "of class Tram": 1, "with flag 0": 2}


# BDD100K


def test_bdd100k_ignores_crowds_and_classes_that_it_does_not_score(tmp_path):
    def label(identity, category, x, **more):
        return {"id": identity, "category": category, "box2d": {"x1": x, "y1": 0, "x2": x + 50, "y2": 50}, **more}

    truth = [
        label("7", "car", 0),
        label("8", "trailer", 100),
        label("9", "pedestrian", 200, attributes={"crowd": True}),
        label("a", "rider", 300, attributes={"crowd": False, "occluded": True}),
    ]
    found = [
        label("1", "car", 0), label("2", "car", 100), label("3", "pedestrian", 210), label("4", "rider", 300),
        label("5", "bus", 500),
    ]  # fmt: skip
    for name, labels in (("gt", truth), ("results", found)):
        frame = {"name": "b-0000001.jpg", "videoName": "b", "frameIndex": 0, "labels": labels}
        empty = {"name": "b-0000006.jpg", "videoName": "b", "frameIndex": 5, "labels": None}
        write(tmp_path / name / "b.json", [frame, empty])
    result = evaluate(tmp_path / "gt", tmp_path / "results")
    assert {name: one.combined.metrics()["MOTA"] for name, one in result.classes.items()} == {
        "rider": 1, "car": 1, "bus": -1,
    }  # fmt: skip
    assert result.left_out.results == {"in regions to ignore": 2}
    assert result.combined.counts.frames == 2  # of those between nothing is known
    assert result.class_averaged()["HOTA"] == pytest.approx(2 / 3)


# VisDrone


def test_visdrone_has_regions_to_ignore_and_five_classes(tmp_path):
    rows = [
        "1,1,10,10,50,50,1,4,0,0",
        "1,2,110,10,50,50,0,4,0,0",
        "1,0,300,0,200,200,0,0,0,0",
        "1,3,600,9,9,9,1,10,0,0",
    ]
    found = ["1,5,10,10,50,50,0.9,4,-1,-1", "1,6,110,10,50,50,.9,4,-1,-1", "1,7,310,10,50,50,.9,1,-1,-1"]
    gt = write(tmp_path / "set" / "annotations" / "uav.txt", "\n".join(rows) + "\n").parents[1]
    write(tmp_path / "results" / "uav.txt", "\n".join(found) + "\n")
    assert guess_track_format(gt) == "visdrone"
    result = evaluate(gt, tmp_path / "results", results_format="visdrone")
    assert (result.combined.clear.tp, result.combined.clear.fp, result.combined.clear.fn) == (1, 0, 0)
    assert result.left_out.results == {"in regions to ignore": 2}
    assert result.left_out.labels == {"of class motor": 1}


# CVAT for video


def track(*boxes):
    lines = "".join(
        f'<box frame="{frame}" outside="{outside}" keyframe="1" xtl="{x}" ytl="0" xbr="{x + 10}" ybr="10"/>\n'
        for frame, x, outside in boxes
    )
    return f'<track id="3" label="car">\n{lines}</track>\n'


def test_key_frames_are_interpolated_until_the_object_is_outside(tmp_path):
    text = f"<annotations>{track((0, 0, 0), (4, 8, 0), (6, 8, 1), (9, 50, 0))}</annotations>"
    table = cvat_video_table(write(tmp_path / "v.xml", text))
    assert dict(zip(table.rows.frames.tolist(), table.rows.boxes_xyxy[:, 0].tolist(), strict=True)) == {
        1: 0, 2: 2, 3: 4, 4: 6, 5: 8, 6: 8, 10: 50,
    }  # fmt: skip
    assert table.labelled is None


def test_a_frame_step_tells_which_frames_were_labelled(tmp_path):
    meta = (
        "<meta><task><size>4</size><start_frame>10</start_frame><stop_frame>25</stop_frame>"
        "<frame_filter>step=5</frame_filter></task></meta>"
    )
    text = f"<annotations>{meta}{track((10, 0, 0), (20, 10, 0))}</annotations>"
    table = cvat_video_table(write(tmp_path / "v.xml", text))
    assert table.labelled.tolist() == [11, 16, 21, 26]
    assert table.rows.frames.tolist() == [11, 16, 21]
    results = mot_results(tmp_path / "v.txt", [(f, 1, (f - 11.0), 0, 10, 10, 1) for f in range(1, 31)])
    result = evaluate(tmp_path / "v.xml", results)
    assert (result.combined.clear.tp, result.combined.clear.fp, result.combined.counts.frames) == (3, 1, 4)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("v.xml", "<annotations><image id='0'/></annotations>", r"v\.xml:1: expected tracks, found images"),
        ("v.xml", "<annotations><track id='1'>\n<box frame='0' xtl='x'/></track></annotations>", "xml:2: expected xtl"),
        ("v.xml", "<annotations></annotations>", "expected annotations of CVAT for video"),
        ("v.xml", "<annotations>", r"v\.xml:\d: not valid XML"),
        ("v.json", [{"name": "a"}], "expected COCO .* or Scalabel"),
        ("v.json", [{"labels": []}], r"v\.json: frames\[0\]: expected a frameIndex"),
        ("v.json", [{"labels": [{"id": 1}], "frameIndex": 0}], r"frames\[0\]: labels\[0\]: expected id"),
        ("v.json", {"images": [{"id": 1, "file_name": "1"}]}, "expected COCO images"),
        ("v.json", {"images": [{"id": 1}]}, r"images\[0\]: expected a frame_id"),
        (
            "v.json",
            {
                "images": [{"id": 1, "file_name": "street/000001"}],
                "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}],
                "categories": [{"id": 1, "name": "person"}],
            },
            r"annotations\[0\]: expected a track_id: detections have no identities; `centertrack associate`",
        ),
        ("v.txt", "0 1 Car 0 0 -10 1 1 nan 9\n", r"v\.txt:1: expected numbers: corners"),
        ("v.txt", "0 1 Car 0 0 -10 1 1 9 9\n0 2\n", r"v\.txt:2: expected at least 10 columns"),
    ],
)  # fmt: skip
def test_broken_labels_are_named(tmp_path, name, text, message):
    write(tmp_path / "results.txt", "")
    with pytest.raises(InputError, match=message):
        evaluate(write(tmp_path / name, text), tmp_path / "results.txt")


def test_a_list_of_coco_results_means_the_images_of_the_ground_truth(tmp_path):
    gt = coco(tmp_path / "gt.json", SCENE)
    results = json.loads(coco(tmp_path / "all.json", FOUND).read_text())["annotations"]
    outcome = evaluate(gt, write(tmp_path / "list.json", results))
    assert outcome.classes["Car"].combined.metrics()["MOTA"] == 1


def test_coco_frames_that_count_from_0_and_images_without_videos(tmp_path):
    """The folder of an image is the sequence, and the number in its name the frame."""
    content = {
        "images": [{"id": f, "file_name": f"street/img1/{f:06d}.jpg"} for f in range(3)],
        "annotations": [{"image_id": f, "track_id": "a", "category_id": 0, "bbox": [5, 5, 9, 9]} for f in range(3)],
        "categories": [{"id": 0, "name": "person"}],
    }
    gt = write(tmp_path / "gt.json", content)
    assert [file.name for file in find_sequences(gt, gt)] == ["street"]
    assert read_truth("coco", gt, "street").rows.frames.tolist() == [1, 2, 3]
    assert evaluate(gt, gt).combined.metrics()["MOTA"] == 1


def test_several_videos_of_one_file(tmp_path):
    content = json.loads(coco(tmp_path / "one.json", SCENE).read_text())
    content["videos"].append({"id": 6, "name": "T"})
    content["images"] += [{**image, "id": image["id"] + 100, "video_id": 6} for image in content["images"]]
    content["annotations"] += [{**one, "image_id": one["image_id"] + 100} for one in content["annotations"]]
    gt = write(tmp_path / "two.json", content)
    result = evaluate(gt, gt, workers=2)
    assert list(result.sequences) == ["S", "T"]
    assert result.combined.metrics()["TP"] == 2 * len(SCENE)
    with pytest.raises(InputError, match=r"no results for T in .*one\.json; there is S"):
        evaluate(gt, tmp_path / "one.json")
