"""Sequences: the right frames, crops whose geometry is exact, any process, every run once."""

import pickle
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler

from odah.dataset.reader import Dataset
from odah.dataset.sequences import SequenceDataset
from odah.dataset.squares import cut
from odah.errors import InputError


@pytest.fixture(scope="module")
def dataset(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Clips of 23, 8 and 5 frames; in two of them nobody is in the front view for two frames."""
    made = synthetic.Synthetic({"a_long": 23, "b_exact": 8, "c_short": 5}, hidden=(6, 7))
    return made.write(tmp_path_factory.mktemp("sequences") / "dataset")


def project(sample: dict[str, torch.Tensor]) -> torch.Tensor:
    """Joints through the cameras of the crops, (V, T, J, 2) px."""
    ground = torch.cat([sample["joints"], torch.ones_like(sample["joints"][..., :1])], dim=-1)
    cam = torch.einsum("vij,jk,tnk->vtni", sample["T_cam_world"], sample["T_world_ground"], ground)[..., :3]
    pixels = torch.einsum("vtij,vtnj->vtni", sample["K"], cam)
    return pixels[..., :2] / pixels[..., 2:]


def test_runs_cover_every_frame_and_short_clips_are_filled_up(dataset: Dataset) -> None:
    sequences = SequenceDataset(dataset, length=8, size=32)
    found = [(s["clip_id"], s["first_frame"]) for s in (sequences[k] for k in range(len(sequences)))]
    assert found == [("a_long", 0), ("a_long", 8), ("a_long", 15), ("b_exact", 0), ("c_short", 0)]
    assert sequences.num_padded == 1
    short = sequences[4]
    assert short["is_frame"].tolist() == [True] * 5 + [False] * 3
    for name in ("images", "masks", "keypoints", "K"):
        assert short[name].shape[1] == 8
        assert torch.equal(short[name][:, 7], short[name][:, 4])
    assert torch.equal(short["coordinates"][6], short["coordinates"][4])
    assert len(SequenceDataset(dataset, length=8, stride=1)) == 16 + 1 + 1
    assert len(SequenceDataset(dataset, length=1)) == 23 + 8 + 5
    assert len(SequenceDataset(dataset, length=2, stride=10)) == 3 + 1 + 1


def test_shapes_types_and_labels(dataset: Dataset) -> None:
    sample, labels = SequenceDataset(dataset, length=8, size=48)[1], dataset[0].labels
    assert sample["images"].shape == (2, 8, 3, 48, 48)
    assert (sample["images"].dtype, sample["masks"].dtype) == (torch.uint8, torch.bool)
    for name in ("time", "coordinates", "joints", "body_coms"):
        np.testing.assert_array_equal(sample[name], labels[name][8:16])
    for name in ("scale_factors", "T_world_ground", "T_cam_world", "distortion"):
        np.testing.assert_array_equal(sample[name], labels[name])


def test_joints_through_a_crops_camera_are_its_keypoints(dataset: Dataset) -> None:
    sample = SequenceDataset(dataset, length=23, size=100)[0]
    torch.testing.assert_close(project(sample), sample["keypoints"], atol=2e-3, rtol=0)
    inside = (sample["keypoints"] >= -0.5).all(-1) & (sample["keypoints"] <= 99.5).all(-1)
    labels = dataset[0].labels
    np.testing.assert_array_equal(sample["is_visible"], labels.is_visible & inside.numpy())
    people = sample["is_person"][..., None] & sample["is_in_picture"]
    columns, rows = sample["keypoints"].round().clamp(0, 99).long().unbind(-1)
    wide = torch.nn.functional.max_pool2d(sample["masks"].flatten(0, 1).float(), 7, 1, 3).view(
        2, 23, 100, 100
    )
    at_joints = wide[torch.arange(2)[:, None, None], torch.arange(23)[:, None], rows, columns] > 0
    assert at_joints[people].all()


def test_pictures_are_the_squares_of_the_videos(dataset: Dataset) -> None:
    sample, clip = SequenceDataset(dataset, length=8, size=40)[1], dataset[0]
    for v, view in enumerate(clip.views):
        for t, frame in enumerate(clip.frames(view, 8, 16)):
            left, top, side = (int(number) for number in sample["squares"][v, t])
            expected = cut(frame, (left, top, side), 40)
            np.testing.assert_array_equal(sample["images"][v, t].permute(1, 2, 0), expected)


def test_where_nobody_is_the_whole_picture_is_shown(dataset: Dataset) -> None:
    sample = SequenceDataset(dataset, length=8)[0]
    assert sample["is_person"].tolist() == [[True] * 6 + [False] * 2, [True] * 8]
    assert sample["squares"][0, 6].tolist() == [0, -32, 160]
    assert not sample["masks"][0, 6].any()


def test_views_in_any_number_and_order_and_calibrated_cameras(dataset: Dataset) -> None:
    both = SequenceDataset(dataset, length=8)[0]
    side = SequenceDataset(dataset, length=8, views=["side"], cameras="calibrated")[0]
    turned = SequenceDataset(dataset, length=8, views=["side", "front"])[0]
    for name in ("images", "masks", "squares", "K", "keypoints", "is_visible"):
        assert torch.equal(side[name], both[name][1:])
        assert torch.equal(turned[name], both[name].flip(0))
    np.testing.assert_array_equal(side["T_cam_world"][0], dataset[0].labels.T_cam_world_calibrated[1])


def test_rendered_crops_are_shown_whole_in_any_size(synthetic: ModuleType, tmp_path: Path) -> None:
    made = synthetic.Synthetic({"x_y": 4}, views=("back", "side", "front"), crop_size=64)
    dataset = made.write(tmp_path / "crops")
    own, small = (SequenceDataset(dataset, length=4, size=size)[0] for size in (64, 24))
    np.testing.assert_array_equal(own["images"][2].permute(0, 2, 3, 1), dataset[0].frames("front"))
    np.testing.assert_array_equal(own["squares"], dataset[0].labels.crops)
    for sample in (own, small):
        torch.testing.assert_close(project(sample), sample["keypoints"], atol=2e-3, rtol=0)
    torch.testing.assert_close((own["keypoints"] + 0.5) * 24 / 64 - 0.5, small["keypoints"])


def test_a_lens_bends_the_same_directions_in_a_crop(synthetic: ModuleType, tmp_path: Path) -> None:
    import cv2

    dataset = synthetic.Synthetic({"x_y": 3}, distortion=(-0.1, 0.02, 0.001, 0.002)).write(tmp_path / "lens")
    sample = SequenceDataset(dataset, length=3, size=80)[0]
    T = (sample["T_cam_world"] @ sample["T_world_ground"]).double().numpy()
    for v in range(2):
        rotvec = cv2.Rodrigues(T[v, :3, :3])[0]
        points, lens = sample["joints"][1].double().numpy(), sample["distortion"][v].double().numpy()
        K = sample["K"][v, 1].double().numpy()
        pixels = cv2.projectPoints(points, rotvec, T[v, :3, 3], K, lens)[0][:, 0]
        np.testing.assert_allclose(pixels, sample["keypoints"][v, 1], atol=5e-3)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_worker_processes_give_the_same(dataset: Dataset, context: str) -> None:
    """Also where OpenCV has threads in this process, which forked ones lack."""
    import cv2

    sequences = SequenceDataset(dataset, length=4, size=32)
    before = cv2.getNumThreads()
    cv2.setNumThreads(4)
    cv2.resize(np.zeros((2000, 2000, 3), np.uint8), (900, 900))
    loader = DataLoader(sequences, batch_size=3, num_workers=2, multiprocessing_context=context, timeout=120)
    batches = list(loader)
    assert cv2.getNumThreads() == 4
    cv2.setNumThreads(before)
    assert [name for batch in batches for name in batch["clip_id"]] == (
        ["a_long"] * 6 + ["b_exact"] * 2 + ["c_short"] * 2
    )
    for k in range(len(sequences)):
        expected = sequences[k]
        for name, tensor in expected.items():
            if isinstance(tensor, torch.Tensor):
                assert torch.equal(batches[k // 3][name][k % 3], tensor)


def test_two_ranks_see_every_run_once(dataset: Dataset) -> None:
    sequences = SequenceDataset(dataset, length=4, stride=2)
    seen = []
    for rank in range(2):
        sampler = DistributedSampler(sequences, num_replicas=2, rank=rank, shuffle=True, seed=3)
        seen += list(sampler)
    assert len(sequences) % 2 == 0
    assert sorted(seen) == list(range(len(sequences)))


def test_it_is_sent_to_processes_without_what_was_read(dataset: Dataset) -> None:
    sequences = SequenceDataset(dataset.split("train"), length=4)
    first = sequences[0]
    data = pickle.dumps(sequences)
    assert len(data) < 10_000
    assert torch.equal(pickle.loads(data)[0]["images"], first["images"])


def test_mistakes_are_told(dataset: Dataset) -> None:
    for wrong, words in (
        ({"length": 0}, "length: found 0"),
        ({"stride": 0}, "stride: found 0"),
        ({"views": ["top"]}, "'top', expected some of front, side"),
        ({"views": []}, "views: found none"),
        ({"size": 2}, "size: found 2"),
        ({"cameras": "guessed"}, "cameras: found 'guessed', expected true or calibrated"),
    ):
        with pytest.raises(InputError, match=words):
            SequenceDataset(dataset, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no clips"):
        SequenceDataset(dataset.split("val"))
    with pytest.raises(IndexError):
        SequenceDataset(dataset)[3]
