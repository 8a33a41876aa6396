"""What finds people in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import cv2
import numpy as np
from jaxtyping import UInt8

from odah.errors import InputError
from odah.files import existing_file

_MASK_SHARE = 0.2
"""Of a mask's confidence, above which a pixel is the person's; as in the ODAH paper's code."""
_FOLLOWED = 0.2
"""Intersection over union of two boxes of the same person in frames that follow each other."""


@dataclass(frozen=True, eq=False)
class Person:
    """mask: 255 on the person, 0 elsewhere. box: left, top, right, bottom of the mask, px, edges."""

    mask: UInt8[np.ndarray, "H W"]
    box: tuple[int, int, int, int]

    @property
    def height(self) -> int:
        """px."""
        return self.box[3] - self.box[1]


Found = TypeVar("Found", bound=Person)


@runtime_checkable  # so that tests can check annotations
class Segmenter(Protocol):
    """Finds people in RGB pictures, and one of them again in the next."""

    def people(self, image: UInt8[np.ndarray, "H W 3"]) -> Sequence[Person]:
        """All whom it finds."""
        ...

    def follow(self, image: UInt8[np.ndarray, "H W 3"], previous: Person) -> Person | None:
        """One whose mask of a moment before is known."""
        ...


def box_of(mask: UInt8[np.ndarray, "H W"]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of what is not 0; None if all is."""
    left, top, width, height = cv2.boundingRect(mask)
    return (left, top, left + width, top + height) if width else None


def overlap(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return shared / max(sum(areas) - shared, 1.0)


def most_overlapping(people: Sequence[Found], previous: Person) -> Found | None:
    """Whoever covers most of where somebody was; None if nobody nearly does."""
    shares = [overlap(person.box, previous.box) for person in people]
    return people[int(np.argmax(shares))] if shares and max(shares) > _FOLLOWED else None


class YoloSegmenter:
    """A YOLO segmentation network of the user's own, as the ODAH paper has it (section 4.1)."""

    def __init__(self, weights: str | Path) -> None:
        """Loads the weights; the library does so by unpickling, which runs what is in them.

        Raises:
            InputError: no such file, or no weights of a segmentation network.
        """
        path = existing_file(weights, "weights of a YOLO segmentation network")
        from ultralytics import YOLO  # pyright: ignore[reportMissingImports]

        try:
            self._network = YOLO(str(path))
        except (OSError, RuntimeError, ValueError, TypeError, AttributeError, EOFError, KeyError) as error:
            found = " ".join(str(error).split())[:120] or type(error).__name__
            raise InputError(path, found, "weights of a YOLO segmentation network") from error
        if getattr(self._network, "task", None) != "segment":
            task = f"a network for {getattr(self._network, 'task', 'nothing')!r}"
            raise InputError(path, task, "weights of a YOLO segmentation network")

    def people(self, image: UInt8[np.ndarray, "H W 3"]) -> list[Person]:
        (result,) = self._network.predict(image[..., ::-1], classes=[0], retina_masks=True, verbose=False)
        if result.masks is None:
            return []
        size = (image.shape[1], image.shape[0])
        people = []
        for confidence in result.masks.data.float().cpu().numpy():
            whole = cv2.resize(confidence, size, interpolation=cv2.INTER_LINEAR)
            mask = np.where(whole > _MASK_SHARE, np.uint8(255), np.uint8(0))
            box = box_of(mask)
            if box is not None:
                people.append(Person(mask, box))
        return people

    def follow(self, image: UInt8[np.ndarray, "H W 3"], previous: Person) -> Person | None:
        return most_overlapping(self.people(image), previous)
