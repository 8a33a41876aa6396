"""The masks of the one person whom a prediction is about, in all its videos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, UInt8

from odah.errors import InputError
from odah.estimator.predict.person_choice import MEETING, Choice, choices, steadiest
from odah.estimator.predict.segmenters import Person, Segmenter
from odah.estimator.predict.timeline import timeline
from odah.estimator.predict.videos import Video, read_pictures
from odah.scene.camera import Camera

_LOOKS = 7
"""Times, spread over the videos, at which everybody is looked for."""


@dataclass(frozen=True, eq=False)
class PersonMasks:
    """The person in one video; frames must not fall. Called with the video and numbers of frames.

    seen: where the person is at some frames, (number, person), rising.
    """

    segmenter: Segmenter
    seen: tuple[tuple[int, Person], ...]

    def __call__(
        self, video: Video, numbers: Sequence[int]
    ) -> Iterator[tuple[UInt8[np.ndarray, "H W 3"], UInt8[np.ndarray, "H W"]]]:
        """Pictures and masks, 255 on the person, 0 elsewhere; empty where the person is lost."""
        coming = list(self.seen)
        previous, mask, last = coming[0][1], None, None
        for number, image in zip(numbers, read_pictures(video, numbers), strict=True):
            while coming and coming[0][0] <= number:
                previous = coming.pop(0)[1]
            if number != last or mask is None:
                person = self.segmenter.follow(image, previous)
                mask = np.zeros(image.shape[:2], np.uint8) if person is None else person.mask
                previous, last = person or previous, number
            yield image, mask


def find_person(
    videos: Sequence[Video],
    cameras: Sequence[Camera],
    segmenter: Segmenter,
    offset: int | str = 0,
    *,
    frames: Int[np.ndarray, "V F"] | None = None,
) -> tuple[list[PersonMasks], tuple[str, ...]]:
    """The same person in each video, and what has to be said about the choice.

    Everybody is looked for at a few times. With two cameras, only people count whose rays meet. The largest
    and most central of them is taken, who stays where they were from one time to the next.

    Args:
        cameras: of the videos, with the videos' sizes.
        offset: of the second video, as `timeline` takes it.
        frames: numbers of the frames that show the same times in each video, among which people are looked
            for; None for all that the videos share.

    Raises:
        InputError: a video in which nobody is found.
    """
    if frames is None:
        frames = timeline(videos, None, None, offset).frames
    looks = frames[:, np.unique(np.linspace(0, frames.shape[1] - 1, _LOOKS).round().astype(int))]
    people = [
        [segmenter.people(image) for image in read_pictures(video, numbers.tolist())]
        for video, numbers in zip(videos, looks, strict=True)
    ]
    for video, found in zip(videos, people, strict=True):
        if not any(found):
            expected = "a person, or masks of one (--masks)"
            raise InputError(video.path, f"nobody in {len(found)} of {len(found)} frames looked at", expected)
    together = [choices(found, cameras) for found in zip(*people, strict=True)]
    notes = _crowds(videos, people)
    if any(together):
        times = [index for index, found in enumerate(together) if found]
        picked = steadiest([together[index] for index in times])
        seen = [
            tuple((int(looks[view, t]), choice.people[view]) for t, choice in zip(times, picked, strict=True))
            for view in range(len(videos))
        ]
        return [PersonMasks(segmenter, view) for view in seen], tuple(notes)
    notes.append(
        f"no two people in the videos are where rays from both cameras meet within {MEETING:g} m, so the "
        "most prominent one of each is taken: are calibration, --up, the videos' order and --offset right?"
    )
    return [
        PersonMasks(segmenter, _alone(numbers, found, camera))
        for numbers, found, camera in zip(looks, people, cameras, strict=True)
    ], tuple(notes)


def _alone(
    numbers: np.ndarray, people: Sequence[Sequence[Person]], camera: Camera
) -> tuple[tuple[int, Person], ...]:
    """The person of one view by itself."""
    times = [index for index, found in enumerate(people) if found]
    found: list[list[Choice]] = [choices([people[index]], [camera]) for index in times]
    picked = steadiest(found)
    return tuple((int(numbers[index]), choice.people[0]) for index, choice in zip(times, picked, strict=True))


def _crowds(videos: Sequence[Video], people: Sequence[Sequence[Sequence[Person]]]) -> list[str]:
    notes = []
    for video, found in zip(videos, people, strict=True):
        most = max(len(persons) for persons in found)
        if most > 1:
            notes.append(
                f"{video.path.name}: up to {most} people: the largest and most central one"
                f"{' whom both cameras see' if len(videos) > 1 else ''} is followed"
            )
    return notes
