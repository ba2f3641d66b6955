"""The 80 object classes of COCO in the order of published detectors' heatmaps."""

_NAMES = """
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag,
tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard,
tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot,
hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote,
keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear,
hair drier, toothbrush
"""
COCO_CLASSES = tuple(" ".join(name.split()) for name in _NAMES.split(","))
_MISSING_IDS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)  # of the 90, that the data set does not use


def coco_categories() -> tuple[str, ...]:
    """Return the names of COCO's category ids 1 to 90, as detectors have them that keep these ids.

    >>> coco_categories()[0], coco_categories()[11], coco_categories()[89]
    ('person', 'class 11', 'toothbrush')
    """
    names = iter(COCO_CLASSES)
    return tuple(f"class {i - 1}" if i in _MISSING_IDS else next(names) for i in range(1, 91))
