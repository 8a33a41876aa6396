"""A cache of square pictures of the person, decoded once: any run of frames is read at once.

    FOLDER/256px_1.1/<clip>-<key>/frames.npy      a record a frame: labels, and where its pictures are
                                  pictures.bin    JPEG pictures and packed masks, view after view

The key is a digest of the clip's files and of all that the pictures depend on, so that an entry is either
right or not there.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from odah.dataset.clip import Clip
from odah.dataset.label_rows import as_rows
from odah.dataset.person_pictures import PersonPicture, Window, clip_rows, person_pictures
from odah.dataset.reader import Dataset
from odah.dataset.squares import CropSettings
from odah.errors import InputError
from odah.files import DAMAGED_ARRAYS, atomic_folder, check_output_folder, drop_unfinished
from odah.locks import locked
from odah.workers import Failure, in_processes, num_cores

_VERSION = 1
_QUALITY = 92
"""Of the JPEGs, without a loss of colour's resolution below that of the video: 41 dB, and the quickest."""
_KEY_LENGTH = 16


def packed_folder(dataset: Dataset) -> Path:
    """Where a dataset's cache is if the user names no other place."""
    return dataset.paths.state / "packed"


def is_packed(dataset: Dataset, size: int) -> bool:
    """Whether the dataset's own cache has all its clips as squares of `size` px."""
    folder, settings = packed_folder(dataset), CropSettings(size)
    return all(entry_folder(folder, clip, settings).is_dir() for clip in dataset)


def entry_folder(folder: Path, clip: Clip, settings: CropSettings) -> Path:
    """Where the cache of a clip as it is now belongs.

    Raises:
        InputError: `clip.json` is damaged or lacks the hash of a file.
    """
    hashes = clip.record.get("sha256")
    names = ["labels.npz", *(f"{view}{end}" for view in clip.views for end in (".mp4", "_mask.mkv"))]
    if not isinstance(hashes, dict) or not all(name in hashes for name in names):
        raise InputError(clip.folder / "clip.json", "no hashes of all files", "the sha256 of each")
    made_of = [_VERSION, _QUALITY, settings.size, settings.scale, [hashes[name] for name in names]]
    key = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:_KEY_LENGTH]
    return folder / f"{settings.size}px_{settings.scale:g}" / f"{clip.clip_id}-{key}"


@dataclass(frozen=True)
class _Packing:
    """Packs one clip after the other, in any process."""

    folder: Path
    settings: CropSettings

    def __call__(self, clip: Clip) -> None:
        entry = entry_folder(self.folder, clip, self.settings)
        drop_unfinished(entry.parent, [entry.name])
        with atomic_folder(entry) as temporary:
            _write_entry(temporary, clip, self.settings)
        for other in entry.parent.iterdir():
            is_of_clip = re.fullmatch(rf"{re.escape(clip.clip_id)}-[0-9a-f]{{{_KEY_LENGTH}}}", other.name)
            if is_of_clip and other != entry:
                shutil.rmtree(other)


def pack(
    dataset: Dataset,
    folder: Path | None = None,
    settings: CropSettings | None = None,
    jobs: int | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Packed:
    """Write the entries that a dataset's cache lacks, each whole or not at all; others are left as they are.

    Only one process at a time packs into a folder; another waits for it.

    Args:
        folder: `packed_folder(dataset)` if None. jobs: processes; one a core if None.
        tell: called with the number of clips done and in all.

    Raises:
        InputError: the folder cannot be written; a damaged clip.json.
    """
    folder, settings = folder or packed_folder(dataset), settings or CropSettings()
    check_output_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock"):
        waiting = [clip for clip in dataset if not entry_folder(folder, clip, settings).is_dir()]
        failures: dict[str, str] = {}
        outcomes = in_processes(_Packing(folder, settings), waiting, num_cores() if jobs is None else jobs)
        for done, (index, outcome) in enumerate(outcomes, 1):
            if isinstance(outcome, Failure):
                failures[waiting[index].clip_id] = outcome.why
            tell(done, len(waiting))
    return Packed(folder, len(waiting) - len(failures), len(dataset) - len(waiting), failures)


@dataclass(frozen=True)
class Packed:
    """What `pack` did. num_there: clips that were packed before. failures: by clip, in one sentence."""

    folder: Path
    num_packed: int
    num_there: int
    failures: dict[str, str]


def _write_entry(folder: Path, clip: Clip, settings: CropSettings) -> None:
    labels = clip_rows(clip)
    shape = (len(labels), len(clip.views))
    index = {
        "square": np.empty((*shape, 3), np.float32),
        "is_person": np.empty(shape, bool),
        "offset": np.empty(shape, np.int64),
        "image_size": np.empty(shape, np.int32),
        "mask_size": np.empty(shape, np.int32),
        "pictures_crc": np.empty(shape, np.uint32),
    }
    with (folder / "pictures.bin").open("wb") as stream:
        for v, view in enumerate(clip.views):
            for t, picture in enumerate(person_pictures(clip, view, 0, labels, settings)):
                image, mask = _encode(picture)
                index["square"][t, v], index["is_person"][t, v] = picture.square, picture.is_person
                index["offset"][t, v] = stream.tell()
                index["image_size"][t, v], index["mask_size"][t, v] = len(image), len(mask)
                index["pictures_crc"][t, v] = zlib.crc32(image + mask)
                stream.write(image + mask)
    by_name = {name: labels[name] for name in labels.dtype.names or ()}
    rows = as_rows({**by_name, **index, "row_crc": np.zeros(len(labels), np.uint32)})
    rows["row_crc"] = _row_checksums(rows)
    np.save(folder / "frames.npy", rows, allow_pickle=False)


def _encode(picture: PersonPicture) -> tuple[bytes, bytes]:
    is_encoded, image = cv2.imencode(
        ".jpg", cv2.cvtColor(picture.image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    assert is_encoded
    return image.tobytes(), zlib.compress(np.packbits(picture.mask).tobytes())


def _row_checksums(rows: np.ndarray) -> list[int]:
    """Of each record, and of its fields' names and types, without its last field, which holds it."""
    size, names = rows.dtype.itemsize, zlib.crc32(repr(rows.dtype.descr).encode())
    whole = np.ascontiguousarray(rows).tobytes()
    return [zlib.crc32(whole[k * size : (k + 1) * size - 4], names) for k in range(len(rows))]


def packed_window(entry: Path, places: Sequence[int], start: int, stop: int, size: int) -> Window:
    """Frames `start` to `stop` - 1 of an entry. places: of the wanted views among the dataset's.

    Raises:
        InputError: the entry is missing or damaged.
    """
    try:
        rows = np.array(np.load(entry / "frames.npy", mmap_mode="r", allow_pickle=False)[start:stop])
        _expect(len(rows) == stop - start and rows["row_crc"].tolist() == _row_checksums(rows))
        window = Window.blank(len(places), rows, size)
        with (entry / "pictures.bin").open("rb") as stream:
            for v, place in enumerate(places):
                stream.seek(int(rows["offset"][0, place]))
                for t, row in enumerate(rows):
                    window.put(v, t, _decode(stream, row, place, size))
    except FileNotFoundError as error:
        raise InputError(error.filename, "no such file", "a file that `odah pack` wrote") from None
    except (*DAMAGED_ARRAYS, IndexError, cv2.error):
        expected = "an entry as `odah pack` wrote it; remove its folder and run that again"
        raise InputError(entry, "damaged data", expected) from None
    return window


def _decode(stream: BinaryIO, row: np.ndarray, place: int, size: int) -> PersonPicture:
    image_size, mask_size = int(row["image_size"][place]), int(row["mask_size"][place])
    data = stream.read(image_size + mask_size)
    _expect(zlib.crc32(data) == row["pictures_crc"][place])
    image = cv2.imdecode(np.frombuffer(data, np.uint8, image_size), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError
    mask = np.frombuffer(zlib.decompress(data[image_size:]), np.uint8)
    return PersonPicture(
        image=image[..., ::-1],
        mask=np.unpackbits(mask, count=size * size).reshape(size, size).view(bool),
        square=row["square"][place],
        is_person=bool(row["is_person"][place]),
    )


def _expect(is_whole: bool) -> None:
    if not is_whole:
        raise ValueError
