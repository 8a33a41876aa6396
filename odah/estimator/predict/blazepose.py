"""MediaPipe's BlazePose networks: people in pictures.

Bazarevsky et al. 2020, "BlazePose: On-device Real-time Body Pose tracking"; the networks are Google's, under
the Apache License 2.0. What goes in and what comes out is as in MediaPipe's graphs `pose_detection` and
`pose_landmark`: the first finds hips and the reach of a body, the second draws the mask inside a square that
is turned so that the body stands upright in it, and tells where the square of the next picture should be.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from odah.estimator.predict.blazepose_networks import blazepose_networks
from odah.estimator.predict.segmenters import Person, box_of, most_overlapping, overlap
from odah.workers import num_cores

_DETECTION_PX, _MASK_PX = 224, 256
_STRIDES = ((8, 2), (16, 2), (32, 6))
"""Of the detector's grids, px, and how many answers each cell gives."""
_SQUARE = 1.25
"""Side of the square against the circle round the body."""
_SURE = 0.5
"""Of a person: the detector's and the mask network's own score."""
_SAME = 0.3
"""Intersection over union of the boxes of one person found twice."""
_SMALL = 0.05
"""Parts of a mask of less than this share of the largest are dropped."""
_HIPS, _REACH = 33, 34
"""Landmarks: middle of the hips, and a point of the circle round the body, over the head."""
_NUM_LANDMARKS = 33


@dataclass(frozen=True, eq=False)
class Posed(Person):
    """square: where to look for the person in the next picture: middle of the hips, the circle's point, px.

    landmarks: in the network's order, x and y, px, and how likely each is in view, 0 to 1.
    """

    square: Float[np.ndarray, "2 2"]
    landmarks: Float[np.ndarray, "33 3"]


class BlazePoseSegmenter:
    """Finds people of a tenth of the picture's height and more; following one takes one network a frame."""

    def __init__(self) -> None:
        from ai_edge_litert.interpreter import Interpreter

        files = blazepose_networks()
        with _silent_stderr():
            self._detector, self._masker = (Interpreter(str(file), num_threads=num_cores()) for file in files)
            for network in (self._detector, self._masker):
                network.allocate_tensors()
        self._anchors = _anchors()

    def people(self, image: UInt8[np.ndarray, "H W 3"]) -> list[Posed]:
        found: list[Posed] = []
        for square in self._detected(image):
            person = self._masked(image, square)
            # Once more from where the finer network would have looked.
            person = person and self._masked(image, person.square)
            if person and all(overlap(person.box, other.box) < _SAME for other in found):
                found.append(person)
        return found

    def follow(self, image: UInt8[np.ndarray, "H W 3"], previous: Person) -> Posed | None:
        if isinstance(previous, Posed):
            person = self._masked(image, previous.square)
            if person and overlap(person.box, previous.box) > _SAME:
                return person
        return most_overlapping(self.people(image), previous)

    def _detected(self, image: np.ndarray) -> list[np.ndarray]:
        """Squares (2, 2), as `Posed.square`, the surest first."""
        height, width = image.shape[:2]
        scale = _DETECTION_PX / max(width, height)
        shift = (np.array([_DETECTION_PX, _DETECTION_PX]) - scale * np.array([width, height])) / 2
        small = _warped(image, np.column_stack([np.eye(2) * scale, shift]), _DETECTION_PX)
        answers, scores = _run(self._detector, small * 2 - 1, ("Identity", "Identity_1"))
        values = answers[0].astype(float).reshape(len(self._anchors), 6, 2)
        values[:, [0, 2, 3, 4, 5]] += self._anchors[:, None]
        size = values[:, 1]
        boxes = np.column_stack([values[:, 0] - size / 2, size])
        sure = 1 / (1 + np.exp(-np.clip(scores.ravel().astype(float), -100, 100)))
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), sure.tolist(), _SURE, _SAME)
        return [(values[index, 2:4] - shift) / scale for index in np.asarray(kept, int).ravel()]

    def _masked(self, image: np.ndarray, square: np.ndarray) -> Posed | None:
        """The person in a square, if one is there."""
        matrix = _to_square(square)
        if matrix is None:
            return None
        crop = _warped(image, matrix, _MASK_PX)
        names = ("Identity", "Identity_1", "Identity_2")
        landmarks, score, logits = _run(self._masker, crop, names)
        if not float(score.ravel()[0]) > _SURE:
            return None
        size = (image.shape[1], image.shape[0])
        # 0 is the edge; far from it the numbers are huge and would blur it.
        edge = np.clip(logits[0, ..., 0], -8, 8) + 8
        outward = cv2.invertAffineTransform(matrix)
        whole = cv2.warpAffine(edge, outward, size, flags=cv2.INTER_LINEAR)
        mask = _without_specks(np.where(whole > 8, np.uint8(255), np.uint8(0)))
        box = box_of(mask)
        if box is None:
            return None
        points = landmarks.reshape(-1, 5).astype(float)
        following = points[[_HIPS, _REACH], :2] @ outward[:, :2].T + outward[:, 2]
        return Posed(mask, box, following, _landmarks(points[:_NUM_LANDMARKS], outward))


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """LiteRT tells there, past Python, that all is well; what fails is raised."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def _anchors() -> np.ndarray:
    """(A, 2) middles of the detector's cells, px."""
    grids = []
    for stride, count in _STRIDES:
        line = (np.arange(_DETECTION_PX // stride) + 0.5) * stride
        cells = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        grids.append(np.repeat(cells, count, axis=0))
    return np.concatenate(grids)


def _to_square(square: np.ndarray) -> np.ndarray | None:
    """(2, 3) from the picture's pixels to those of the upright square round a body."""
    hips, top = square
    up = top - hips
    reach = float(np.hypot(*up))
    if not (np.isfinite(square).all() and reach > 1):
        return None
    scale = _MASK_PX / (2 * _SQUARE * reach)
    x, y = -up / reach * scale  # the picture's way down the body
    turn = np.array([[y, -x], [x, y]])
    return np.column_stack([turn, (_MASK_PX - 1) / 2 - turn @ hips])


def _warped(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """A square of the picture, 0 to 1, black beyond its edges; smoothed where it is made smaller."""
    step = int(1 / float(np.hypot(*matrix[:, 0])))
    if step > 1:
        image = cv2.resize(image, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
        half = np.full(2, (step - 1) / 2)  # the middle of what the first pixel was made of
        matrix = np.column_stack([matrix[:, :2] * step, matrix[:, :2] @ half + matrix[:, 2]])
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR).astype(np.float32) / 255


def _run(network: object, picture: np.ndarray, names: tuple[str, ...]) -> list[np.ndarray]:
    """The outputs of these names for one square picture (S, S, 3)."""
    network.set_tensor(network.get_input_details()[0]["index"], picture[None].astype(np.float32))  # type: ignore
    network.invoke()  # type: ignore
    places = {output["name"]: output["index"] for output in network.get_output_details()}  # type: ignore
    return [network.get_tensor(places[name]) for name in names]  # type: ignore


def _landmarks(points: np.ndarray, outward: np.ndarray) -> np.ndarray:
    """(33, 3), as `Posed.landmarks`, from the network's, measured from its square's edge, and its logits."""
    pixels = (points[:, :2] - 0.5) @ outward[:, :2].T + outward[:, 2]
    return np.column_stack([pixels, 1 / (1 + np.exp(-np.clip(points[:, 3], -100, 100)))])


def _without_specks(mask: np.ndarray) -> np.ndarray:
    """Without the parts that are small against the largest."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask)
    areas = statistics[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    if count <= 2:
        return mask
    return np.where((areas >= _SMALL * areas.max())[labels] & (labels > 0), np.uint8(255), np.uint8(0))
