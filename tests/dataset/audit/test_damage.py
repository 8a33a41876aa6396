"""A good clip passes; each kind of damage is found by the check that is there for it, and by its name."""

# ruff: noqa: E501  a table reads better with a damage a line

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odah.dataset.audit import CHECKS, audit_clip
from odah.dataset.reader import Clip, Dataset, open_dataset, read_labels
from odah.dataset.schema import file_hash
from odah.render.video import VideoWriter, read_frames

Labels = dict[str, np.ndarray]
Damage = Callable[[Path], None]
FORMATS = {"ffv1": "gray", "ffv1 16 bit": "gray16le", "ffv1 color": "rgb24", "libx264": "bgr24"}


def renew_hashes(folder: Path) -> None:
    """So that only the deeper checks can notice."""
    path = folder / "clip.json"
    record = json.loads(path.read_text())
    record["sha256"] = {
        name: file_hash(folder / name) for name in record["sha256"] if (folder / name).exists()
    }
    path.write_text(json.dumps(record))


def labels(change: Callable[[Labels], Any]) -> Damage:
    def damage(folder: Path) -> None:
        arrays = read_labels(folder / "labels.npz")
        change(arrays)
        np.savez_compressed(folder / "labels.npz", **arrays)

    return damage


def record(change: Callable[[dict[str, Any]], Any]) -> Damage:
    def damage(folder: Path) -> None:
        values = json.loads((folder / "clip.json").read_text())
        change(values)
        (folder / "clip.json").write_text(json.dumps(values))

    return damage


def text(name: str, change: Callable[[list[str]], list[str]]) -> Damage:
    """Change a file of the clip, or of its subject (`subject/...`), line by line."""

    def damage(folder: Path) -> None:
        path = folder / name
        if name.startswith("subject/"):
            path = folder.parents[1] / "subjects" / "subject001" / name.removeprefix("subject/")
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")

    return damage


def video(
    name: str, codec: str, change: Callable[[list[np.ndarray]], list[np.ndarray]], rate: float = 30
) -> Damage:
    """Write a video again with other frames."""

    def damage(folder: Path) -> None:
        frames = change(list(read_frames(folder / name, FORMATS[codec])))
        height, width = frames[0].shape[:2]
        with VideoWriter(folder / name, codec, (width, height), rate) as writer:
            for frame in frames:
                writer.write(np.ascontiguousarray(frame))

    return damage


def copied(source: str, target: str) -> Damage:
    """source: of the clip, or of the other clip (`../...`)."""
    return lambda folder: shutil.copy(folder / source, folder / target) and None


def cells(rows: slice, column: slice, change: Callable[[float], float]) -> Callable[[list[str]], list[str]]:
    """Change numbers of a table under its header."""

    def changed(lines: list[str]) -> list[str]:
        start = next(k for k, line in enumerate(lines) if line[:1].isdigit() and "\t" in line and k > 4)
        for k in range(start, len(lines))[rows]:
            fields = lines[k].split("\t")
            fields[column] = [repr(change(float(field))) for field in fields[column]]
            lines[k] = "\t".join(fields)
        return lines

    return changed


def put(key: str, index: Any, value: Any) -> Damage:
    return labels(lambda arrays: arrays[key].__setitem__(index, value))


def times(key: str, factor: float) -> Damage:
    return labels(lambda arrays: arrays.__setitem__(key, (arrays[key] * factor).astype(arrays[key].dtype)))


def mirrored(arrays: Labels) -> None:
    arrays["keypoints"][0, ..., 0] = 191 - arrays["keypoints"][0, ..., 0]


def swapped_sides(arrays: Labels) -> None:
    parts = arrays["part_at_joint"]
    left, right = (parts >= 6) & (parts < 12), (parts >= 12) & (parts < 18)
    parts[left] += 6
    parts[right] -= 6


def shorter(arrays: Labels) -> None:
    for key in ("time", "coordinates", "joints", "body_coms", "markers", "poses", "transl"):
        arrays[key] = arrays[key][:-1]
    for key in ("keypoints", "part_at_joint", "is_in_picture", "is_visible"):
        arrays[key] = arrays[key][:, :-1]


def scaled_model(lines: list[str]) -> list[str]:
    """The first bone's far joint moves 1 cm."""
    place = next(k for k, line in enumerate(lines) if "<translation>" in line and "0 0 0" not in line)
    head, _, rest = lines[place].partition("<translation>")
    numbers, _, tail = rest.partition("</translation>")
    x, y, z = map(float, numbers.split())
    lines[place] = f"{head}<translation>{x + 0.01} {y} {z}</translation>{tail}"
    return lines


def wide(frames: list[np.ndarray]) -> list[np.ndarray]:
    return [np.pad(frame, ((0, 0), (0, 16), (0, 0))) for frame in frames]


DAMAGES: dict[str, tuple[Damage, str, str]] = {
    "time stands still": (put("time", 2, 1 / 30), "time", "time does not rise"),
    "time runs back": (labels(lambda a: a.update(time=a["time"][::-1])), "time", "time does not rise"),
    "time at another rate": (times("time", 2), "time", "differ from 1/30 s"),
    "a late start": (labels(lambda a: a.update(time=a["time"] + 1)), "time", "starts at 1 s"),
    "a negative scale": (put("scale_factors", (0, 0), -1), "time", "scale factor is not positive"),
    "not a number": (put("markers", (0, 0, 0), np.nan), "labels", "markers is not finite"),
    "infinite": (put("poses", (1, 2, 0), np.inf), "labels", "poses is not finite"),
    "a joint less": (labels(lambda a: a.update(joints=a["joints"][:, 1:])), "labels", "expected shape"),
    "a frame less": (labels(shorter), "labels", "5 frames, clip.json: num_frames: 6"),
    "a view less": (labels(lambda a: a.update(K=a["K"][:1])), "labels", "labels.npz: T_cam_world: found shape (2, 4, 4), expected shape (1, 4, 4)"),
    "doubles": (labels(lambda a: a.update(K=a["K"].astype(float))), "labels", "K is float64"),
    "no betas": (labels(lambda a: a.pop("betas")), "labels", "betas"),
    "a joint moved": (put("joints", (1, 2, 0), 9), "opensim", "joints: walker_knee_r is"),
    "a mass centre moved": (put("body_coms", (1, 2, 0), 9), "opensim", "body_coms: tibia_r is"),
    "markers moved": (put("markers", (1, 2, 0), 9), "markers", "m off labels.npz: markers in frame 1"),
    "angles in degrees": (times("coordinates", 57.3), "motion", "off labels.npz: coordinates"),
    "beyond a range": (put("coordinates", (slice(None), 9), -0.5), "ranges", "knee_angle_r is 28.65 deg beyond its range, which no flag says"),
    "another body": (times("betas", 1.1), "body", "betas are not those of"),
    "a body elsewhere": (labels(lambda a: a.update(transl=a["transl"] + np.float32(2))), "body", "transl is up to"),
    "a world on its side": (put("T_world_ground", (slice(3), slice(3)), np.eye(3)), "body", "T_world_ground"),
    "other scales": (times("scale_factors", 1.05), "model", "scale_factors put the frame of"),
    "hips swapped": (labels(lambda a: a["keypoints"].__setitem__(0, a["keypoints"][0][:, ::-1])), "reprojection", "front"),
    "a keypoint lost": (put("keypoints", (1, 2, 3), np.nan), "reprojection", "side: labels.npz: keypoints"),
    "mirrored keypoints": (labels(mirrored), "sides", "front: labels.npz: left and right are swapped"),
    "limbs of the other side": (labels(swapped_sides), "sides", "limbs of the other side"),
    "another focal length": (put("K", (0, 0, 0), 100), "cameras", "front: labels.npz: K is not"),
    "a moved camera": (put("T_cam_world", (1, 0, 3), 3), "cameras", "side: labels.npz: T_cam_world is not"),
    "a mirroring camera": (labels(lambda a: a["T_cam_world_calibrated"][0, 0].__imul__(-1)), "cameras", "T_cam_world_calibrated"),
    "a bent lens": (put("distortion", (0, 0), 0.1), "cameras", "front: labels.npz: distortion"),
    "seen but outside": (labels(lambda a: a["is_in_picture"].fill(False)), "visibility", "is_visible outside"),
    "all outside": (labels(lambda a: (a["is_in_picture"].fill(False), a["is_visible"].fill(False))), "visibility", "do not say the same"),
    "all visible": (labels(lambda a: a["is_visible"].fill(True)), "visibility", "is_visible does not follow"),
    "no such part": (labels(lambda a: a["part_at_joint"].fill(77)), "visibility", "numbers of no body part"),
    "motion in radians": (text("kinematics.mot", lambda rows: [x.replace("inDegrees=yes", "inDegrees=no") for x in rows]), "motion", "inDegrees"),
    "motion of radians as degrees": (text("kinematics.mot", cells(slice(None), slice(1, 4), lambda x: x / 57.3)), "motion", "off labels.npz: coordinates"),
    "motion a frame late": (text("kinematics.mot", cells(slice(None), slice(0, 1), lambda t: t + 1 / 30)), "motion", "times are up to 3.33e-02 s off"),
    "motion cut": (text("kinematics.mot", lambda rows: rows[:-1]), "motion", "5 rows"),
    "motion of words": (text("kinematics.mot", lambda rows: [*rows[:-1], "nonsense"]), "motion", "kinematics.mot"),
    "coordinates renamed": (text("kinematics.mot", lambda rows: [x.replace("mtp_angle_l", "toe") for x in rows]), "motion", "other columns"),
    "markers in metres": (text("markers.trc", lambda rows: [x.replace("\tmm\t", "\tm\t") for x in rows]), "markers", "m off labels.npz: markers"),
    "markers renamed": (text("markers.trc", lambda rows: [x.replace("RACR", "LACR2") for x in rows]), "markers", "other markers"),
    "a marker moved": (text("markers.trc", cells(slice(1, 2), slice(2, 3), lambda x: x + 1)), "markers", "C7 is 1.00e-03 m off"),
    "a model of another size": (text("subject/model.osim", scaled_model), "model", "scale_factors put the frame of"),
    "no model": (text("subject/model.osim", lambda rows: ["nonsense"]), "model", "model.osim"),
    "coordinates of the model renamed": (text("subject/model.osim", lambda rows: [x.replace("mtp_angle_l", "toe") for x in rows]), "model", "'toe' where dataset.json: coordinate_names"),
    "no body": (lambda folder: (folder.parents[1] / "subjects/subject001/body.npz").write_bytes(b"PK"), "body", "body.npz: found no readable betas"),
    "masks of the other view": (copied("front_mask.mkv", "side_mask.mkv"), "masks", "side_mask.mkv: only"),
    "masks of the other clip": (copied("../subject001_walking/side_mask.mkv", "side_mask.mkv"), "parts", "at odds with the mask"),
    "grey masks": (video("front_mask.mkv", "ffv1", lambda f: [x // 255 * 200 for x in f]), "masks", "neither 0 nor 255"),
    "mirrored masks": (video("side_mask.mkv", "ffv1", lambda f: [x[:, ::-1] for x in f]), "parts", "side_parts.mkv has"),
    "parts of the other side": (video("front_parts.mkv", "ffv1", lambda f: [np.where((x > 5) & (x < 18), x % 12 + 6, x).astype(np.uint8) for x in f]), "parts", "front_parts.mkv agrees with labels.npz: part_at_joint at only"),
    "parts of nothing": (video("front_parts.mkv", "ffv1", lambda f: [np.where(x > 0, 99, x).astype(np.uint8) for x in f]), "parts", "of no body part"),
    "parts a frame late": (video("side_parts.mkv", "ffv1", lambda f: [f[0], *f[:-1]]), "parts", "at odds with the mask"),
    "depth in centimetres": (video("front_depth.mkv", "ffv1 16 bit", lambda f: [x // 10 for x in f]), "depth", "behind what is seen of them"),
    "depth everywhere": (video("front_depth.mkv", "ffv1 16 bit", lambda f: [x + 1 for x in f]), "depth", "at odds with the mask"),
    "normals turned away": (video("side_normals.mkv", "ffv1 color", lambda f: [np.where(x.any(-1, keepdims=True), 255 - x, 0).astype(np.uint8) for x in f]), "normals", "face away"),
    "short normals": (video("side_normals.mkv", "ffv1 color", lambda f: [np.where(x.any(-1, keepdims=True), x // 2 + 64, 0).astype(np.uint8) for x in f]), "normals", "not of length 1"),
    "a frame dropped": (video("front.mp4", "libx264", lambda f: f[:-1]), "frames", "front.mp4 has 5 frames, labels.npz 6"),
    "a mask dropped": (video("side_mask.mkv", "ffv1", lambda f: f[1:]), "frames", "side_mask.mkv has 5 frames"),
    "another rate": (video("front.mp4", "libx264", list, 25), "frames", "front.mp4 shows frames up to"),
    "another size": (video("side.mp4", "libx264", wide), "frames", "side.mp4 is (208, 128) px, expected (192, 128)"),
    "another codec": (copied("side.mp4", "side_mask.mkv"), "frames", "coded as h264, expected ffv1"),
    "black": (video("front.mp4", "libx264", lambda f: [0 * x for x in f]), "videos", "front.mp4 is blank"),
    "no video": (lambda folder: (folder / "front.mp4").write_bytes(b"nonsense"), "frames", "front.mp4: found unreadable data"),
    "a video cut short": (lambda folder: (folder / "front.mp4").write_bytes((folder / "front.mp4").read_bytes()[:-400]), "frames", "front.mp4 has"),
    "no record": (lambda folder: (folder / "clip.json").write_text("["), "record", "no valid JSON"),
    "a list for a record": (lambda folder: (folder / "clip.json").write_text("[]"), "record", "clip.json"),
    "a record of another clip": (record(lambda r: r.update(clip="other")), "record", "clip: found 'other', expected 'subject001_hand_waving'"),
    "no such split": (record(lambda r: r.update(split="holdout")), "record", "split: found 'holdout', expected 'train', 'val' or 'test'"),
    "frames as text": (record(lambda r: r.update(num_frames="6")), "record", "num_frames: found '6'"),
    "no licence": (record(lambda r: r["source"].pop("licence")), "record", "source.licence: found nothing"),
    "a rate of its own": (record(lambda r: r.update(rate=60.0)), "record", "rate: found 60.0, expected 30.0"),
    "no cameras": (record(lambda r: r["scene"].update(cameras=[])), "record", "scene.cameras: found []"),
    "a camera that is none": (record(lambda r: r["scene"]["cameras"][0].update(K=1)), "record", "camera front, K"),
    "a hash that is none": (record(lambda r: r["sha256"].update({"side.mp4": "x"})), "record", "sha256.side.mp4"),
    "a budget of words": (record(lambda r: r["error_budget"].update(sliding_excess_mm="much")), "budget", "no number sliding_excess_mm"),
    "a budget with a gap": (record(lambda r: r["error_budget"].pop("reprojection_px")), "budget", "no number reprojection_px"),
    "a mesh off its skeleton": (record(lambda r: r["error_budget"].update(mesh_joint_mean_mm=90.0)), "sides", "the mesh is 90 mm off"),
}  # fmt: skip


def clip_of(dataset: Dataset) -> Clip:
    return open_dataset(dataset.paths.root)["subject001_hand_waving"]


def test_what_is_made_is_valid_at_a_glance_and_wholly(painted: Dataset) -> None:
    for clip in painted:
        for looks in (None, 3):
            audit = audit_clip(clip, painted, looks)
            assert audit.failures == {}
            assert audit.notes == ()
            assert audit.is_whole == (looks is None)


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_by_its_check_and_named(damaged: Dataset, name: str) -> None:
    damage, check, words = DAMAGES[name]
    folder = clip_of(damaged).folder
    damage(folder)
    if check != "record":
        renew_hashes(folder)
    failures = audit_clip(clip_of(damaged), damaged).failures
    assert check in failures, failures
    assert words in failures[check]
    assert "files" not in failures
    assert "\n" not in failures[check]


def test_every_check_is_seen_to_fail() -> None:
    assert {check for _, check, _ in DAMAGES.values()} | {"files"} == set(CHECKS)


@pytest.mark.parametrize(
    "name", ["labels.npz", "front.mp4", "side_parts.mkv", "kinematics.mot", "markers.trc"]
)
def test_one_changed_byte_is_found(damaged: Dataset, name: str) -> None:
    path = clip_of(damaged).folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    failures = audit_clip(clip_of(damaged), damaged).failures
    assert failures["files"] == f"{name} has changed since it was written"


def test_missing_files_and_hashes_are_found(damaged: Dataset) -> None:
    folder = clip_of(damaged).folder
    (folder / "side_depth.mkv").unlink()
    assert audit_clip(clip_of(damaged), damaged).failures["files"] == "side_depth.mkv is missing"
    renew_hashes(folder)
    assert "side_depth.mkv is missing" in audit_clip(clip_of(damaged), damaged).failures["files"]
    record(lambda r: r["sha256"].pop("front.mp4"))(folder)
    assert (
        audit_clip(clip_of(damaged), damaged).failures["files"] == "clip.json: sha256: no hash of front.mp4"
    )


def test_one_cause_is_told_once(damaged: Dataset) -> None:
    folder = clip_of(damaged).folder
    (folder / "labels.npz").write_bytes((folder / "labels.npz").read_bytes()[:200])
    failures = audit_clip(clip_of(damaged), damaged).failures
    assert list(failures) == ["files", "labels"]
    assert "no readable arrays" in failures["labels"]


def test_a_glance_looks_at_every_kind_of_picture_but_not_at_every_picture(damaged: Dataset) -> None:
    clip = clip_of(damaged)
    video("front_mask.mkv", "ffv1", lambda f: [f[0], f[1] * 0, f[2] * 0, f[3] * 0, f[4] * 0, f[5]])(
        clip.folder
    )
    renew_hashes(clip.folder)
    assert audit_clip(clip_of(damaged), damaged, 2).failures == {}
    for seed in range(3):
        assert {"masks", "parts"} <= audit_clip(clip_of(damaged), damaged, 3, seed).failures.keys()


def test_a_flag_excuses_its_own_coordinate_from_its_range(damaged: Dataset) -> None:
    folder = clip_of(damaged).folder
    labels(lambda a: a["coordinates"].__setitem__((slice(None), [9, 17]), -0.5))(folder)
    flags = ["knee_angle_r outside its range in 6 of 6 frames"]
    record(lambda r: r.update(flags=flags))(folder)
    assert (
        audit_clip(clip_of(damaged), damaged)
        .failures["ranges"]
        .startswith("labels.npz: coordinates: knee_angle_l")
    )
    record(lambda r: r.update(flags=[*flags, "knee_angle_l outside its range"]))(folder)
    assert "ranges" not in audit_clip(clip_of(damaged), damaged).failures


def test_files_that_belong_to_nobody_are_told(damaged: Dataset) -> None:
    clip = clip_of(damaged)
    (clip.folder / "notes.txt").write_text("mine")
    audit = audit_clip(clip, damaged)
    assert audit.is_valid
    assert audit.notes == ("files that belong to no clip: notes.txt",)


def test_someone_upside_down_is_told(damaged: Dataset) -> None:
    clip = clip_of(damaged)
    labels(lambda a: a["joints"][..., 1].__imul__(-1))(clip.folder)
    assert "the trunk is below the ankles in 100% of frames" in audit_clip(clip, damaged).notes
