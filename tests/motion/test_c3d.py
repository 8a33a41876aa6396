"""C3D files: against ezc3d's writer and reader, gaps, axes, units, and damaged files or readers."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odah.errors import InputError, OdahError
from odah.motion import c3d as c3d_module
from odah.motion import resample
from odah.motion.c3d import read_c3d

ezc3d = pytest.importorskip("ezc3d")
SHARED = Path(__file__).parents[2].parent / "shared" / "data"
NUM_FRAMES = 12
LABELS = ("S1:LFHD", "S1:LTOE", "*3", "S1:LKNE")


def places(up: int = 2) -> np.ndarray:
    """(T, M, 3) mm: a head marker above a toe marker along axis `up`."""
    positions = np.random.default_rng(0).uniform(10, 300, size=(NUM_FRAMES, len(LABELS), 3))
    positions[:, 0, up] += 1600
    return positions


def written(path: Path, positions: np.ndarray, labels=LABELS, unit="mm", **point_parameters) -> Path:
    c3d = ezc3d.c3d()
    c3d["parameters"]["POINT"]["RATE"]["value"] = [120.0]
    c3d["parameters"]["POINT"]["LABELS"]["value"] = list(labels)
    c3d["parameters"]["POINT"]["UNITS"]["value"] = [unit]
    for name, value in point_parameters.items():
        c3d.add_parameter("POINT", name, value)
    c3d["data"]["points"] = np.concatenate([positions, np.ones((*positions.shape[:2], 1))], axis=2).transpose(
        2, 1, 0
    )
    c3d.write(str(path))
    return path


def test_positions_names_and_rate(tmp_path):
    markers = read_c3d(written(tmp_path / "a.c3d", places()))
    assert markers.names == ("LFHD", "LTOE", "LKNE")
    assert (markers.rate, markers.frame, markers.start_time) == (120.0, "world", 0.0)
    np.testing.assert_allclose(markers.positions, places()[:, [0, 1, 3]] / 1000, atol=1e-6)


@pytest.mark.parametrize(("unit", "metres"), [("mm", 0.001), ("cm", 0.01), ("m", 1.0)])
def test_units_come_from_the_file(tmp_path, unit, metres):
    markers = read_c3d(written(tmp_path / "a.c3d", places(), unit=unit))
    np.testing.assert_allclose(markers.positions, places()[:, [0, 1, 3]] * metres, rtol=1e-6)


def test_unseen_points_are_gaps(tmp_path):
    positions = places()
    positions[3:5, 1] = np.nan
    positions[7, 0] = 0.0
    markers = read_c3d(written(tmp_path / "a.c3d", positions))
    expected = np.zeros((NUM_FRAMES, 3), dtype=bool)
    expected[3:5, 1] = expected[7, 0] = True
    np.testing.assert_array_equal(np.isnan(markers.positions).all(axis=2), expected)
    np.testing.assert_array_equal(np.isnan(markers.positions).any(axis=2), expected)


@pytest.mark.parametrize("up", [0, 1, 2])
def test_the_head_ends_above_the_feet(tmp_path, up):
    markers = read_c3d(written(tmp_path / "a.c3d", places(up)))
    assert (markers.positions[:, 0, 2] > markers.positions[:, 1, 2] + 1).all()
    sides = np.linalg.norm(places(up)[:, 0] - places(up)[:, 3], axis=1) / 1000
    np.testing.assert_allclose(
        np.linalg.norm(markers.positions[:, 0] - markers.positions[:, 2], axis=1), sides, rtol=1e-5
    )


def test_unknown_labels_take_the_axis_of_the_file_or_the_option(tmp_path):
    labels = ("A", "B", "C", "D")
    positions = places()
    stated = written(tmp_path / "a.c3d", positions, labels, X_SCREEN=["+X"], Y_SCREEN=["+Y"])
    np.testing.assert_allclose(read_c3d(stated).positions[..., 2], positions[..., 1] / 1000, atol=1e-6)
    np.testing.assert_allclose(
        read_c3d(stated, up="z").positions[..., 2], positions[..., 2] / 1000, atol=1e-6
    )
    lying = read_c3d(written(tmp_path / "c.c3d", places(up=0), Y_SCREEN=["+Z"]))
    np.testing.assert_allclose(lying.positions, places(up=0)[:, [0, 1, 3]] / 1000, atol=1e-6)
    silent = written(tmp_path / "b.c3d", positions, labels)
    np.testing.assert_allclose(read_c3d(silent).positions[..., 2], positions[..., 2] / 1000, atol=1e-6)


def test_model_outputs_are_no_markers(tmp_path):
    labels = ("LFHD", "LTOE", "LKneeAngles", "LKNE")
    path = written(tmp_path / "a.c3d", places(), labels, ANGLES=["LKneeAngles"])
    markers = read_c3d(path)
    assert markers.names == ("LFHD", "LTOE", "LKNE")
    assert markers.notes == ("1 of 4 points are no labelled markers and were left out",)
    assert resample(markers, 60.0).notes == markers.notes
    assert read_c3d(written(path, places(), labels=("LFHD", "LTOE", "LANK", "LKNE"))).notes == ()


def test_labels_of_other_character_sets(tmp_path):
    path = written(tmp_path / "a.c3d", places(), labels=("FU\u00df", "HAND", "KOPF", "KNIE"))
    assert read_c3d(path).names[0] == "FU\u00df"
    path.write_bytes(path.read_bytes().replace(b"HAND", b"H\xc4ND"))
    assert read_c3d(path).names[1] == "H\u00c4ND"


def _scaled_integers(path: Path, processor: int) -> np.ndarray:
    """Write a minimal C3D by hand, 16-bit integers of 0.1 mm; returns the positions in m."""
    integers = np.random.default_rng(1).integers(-9000, 9000, size=(3, 2, 3))
    scale = 0.1

    def number(value: float) -> bytes:
        if processor != 85:
            return struct.pack("<f", value)
        words = np.frombuffer(struct.pack("<f", value * 4), dtype="<u2")[::-1]  # DEC F format
        return words.tobytes() if value else bytes(4)

    def parameter(name: bytes, kind: int, shape: bytes, data: bytes) -> bytes:
        body = struct.pack("bB", kind, len(shape)) + shape + data + b"\0"
        return struct.pack("bb", len(name), 1) + name + struct.pack("<h", len(body) + 2) + body

    head = struct.pack("BB", 2, 0x50) + struct.pack("<5H", 2, 0, 11, 13, 0) + number(scale)
    head += struct.pack("<2H", 3, 0) + number(100.0)
    point = struct.pack("bb", 5, -1) + b"POINT" + struct.pack("<h", 3) + b"\0"
    parameters = struct.pack("4B", 1, 0x50, 1, processor) + point
    parameters += parameter(b"USED", 2, b"", struct.pack("<h", 2)) + parameter(
        b"SCALE", 4, b"", number(scale)
    )
    parameters += parameter(b"RATE", 4, b"", number(100.0)) + parameter(
        b"FRAMES", 2, b"", struct.pack("<h", 3)
    )
    parameters += parameter(b"DATA_START", 2, b"", struct.pack("<h", 3))
    parameters += parameter(b"LABELS", -1, bytes([4, 2]), b"HEADLTOE") + parameter(b"UNITS", -1, b"\2", b"mm")
    words = np.concatenate([integers, np.zeros((3, 2, 1), int)], axis=2).astype("<i2")
    words[1, 1, 3] = -1
    path.write_bytes(head.ljust(512, b"\0") + parameters.ljust(512, b"\0") + words.tobytes())
    positions = integers * scale / 1000
    positions[1, 1] = np.nan
    return positions


@pytest.mark.parametrize("processor", [84, 85], ids=["Intel", "DEC"])
def test_integer_files(tmp_path, processor):
    expected = _scaled_integers(tmp_path / "a.c3d", processor)
    markers = read_c3d(tmp_path / "a.c3d", up="z")
    assert (markers.names, markers.rate) == (("HEAD", "LTOE"), 100.0)
    assert markers.start_time == pytest.approx(0.1)
    np.testing.assert_allclose(markers.positions, expected, atol=1e-7)


def test_fewer_frames_than_stated(tmp_path):
    path = written(tmp_path / "a.c3d", places())
    data = path.read_bytes()
    first_byte = (int.from_bytes(data[16:18], "little") - 1) * 512
    path.write_bytes(data[: first_byte + (NUM_FRAMES - 5) * len(LABELS) * 16])
    with pytest.raises(InputError, match=rf"data of {NUM_FRAMES - 5} frames, expected the {NUM_FRAMES}"):
        read_c3d(path)


def test_only_unlabelled_points(tmp_path):
    with pytest.raises(InputError, match="LABELS"):
        read_c3d(written(tmp_path / "a.c3d", places(), labels=("*0", "*1", "*2", "*3")))


def test_other_points_than_stated(tmp_path):
    path = written(tmp_path / "a.c3d", places())
    data = bytearray(path.read_bytes())
    data[2] = len(LABELS) - 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"POINT:USED: found 4 points, expected the 3 points"):
        read_c3d(path)


@pytest.mark.parametrize(("processor", "found"), [(86, "MIPS numbers"), (7, "7")])
def test_processors_that_ezc3d_does_not_read(tmp_path, processor, found):
    path = written(tmp_path / "a.c3d", places())
    data = bytearray(path.read_bytes())
    data[515] = processor
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"processor type: found {found}, expected"):
        read_c3d(path)


def test_unknown_unit_and_axis(tmp_path):
    with pytest.raises(InputError, match=r"UNITS.*furlong"):
        read_c3d(written(tmp_path / "a.c3d", places(), unit="furlong"))
    with pytest.raises(InputError, match="option up"):
        read_c3d(written(tmp_path / "a.c3d", places()), up="north")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    return written(tmp_path_factory.mktemp("c3d") / "a.c3d", places(), ANGLES=["none"]).read_bytes()


def _read_or_refused(path: Path) -> None:
    try:
        markers = read_c3d(path)
    except InputError as error:
        message = str(error)
    else:
        assert markers.positions.shape == (markers.num_frames, len(markers.names), 3)
        message = ""
    assert "\n" not in message


_slow = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(_slow, max_examples=12)
@given(changes=st.lists(st.tuples(st.integers(0, 1279), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_head_ends_in_an_input_error_or_is_readable(tmp_path, whole, monkeypatch, changes):
    monkeypatch.setattr(c3d_module, "_TIMEOUT_S", 10.0)
    damaged = bytearray(whole)
    for place, byte in changes:
        damaged[place] = byte
    path = tmp_path / "damaged.c3d"
    path.write_bytes(damaged)
    _read_or_refused(path)


@settings(_slow, max_examples=12)
@given(kept=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_ends_in_an_input_error_or_is_readable(tmp_path, whole, kept):
    path = tmp_path / "truncated.c3d"
    path.write_bytes(whole[: int(kept * len(whole))])
    _read_or_refused(path)


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("import os; os.abort()", "ezc3d crashed with exit status"),
        ("import time; time.sleep(60)", "ezc3d did not end within 2 s"),
        ("raise OSError('no start. More of it')", "OSError: no start\\)"),
    ],
    ids=["crash", "hang", "refusal"],
)
def test_a_reader_that_fails_ends_in_an_input_error(tmp_path, monkeypatch, program, found):
    reader = tmp_path / "reader.py"
    reader.write_text(program)
    monkeypatch.setattr(c3d_module, "_READER", reader)
    monkeypatch.setattr(c3d_module, "_TIMEOUT_S", 2.0)
    with pytest.raises(InputError, match=rf"found a damaged file \({found}"):
        read_c3d(written(tmp_path / "a.c3d", places()))


def test_without_ezc3d_the_extra_is_named(tmp_path, monkeypatch):
    program = c3d_module._READER.read_text().replace("import ezc3d\n", "import an_ezc3d_that_is_not_there\n")
    (tmp_path / "reader.py").write_text(program)
    monkeypatch.setattr(c3d_module, "_READER", tmp_path / "reader.py")
    with pytest.raises(OdahError, match=r"pip install 'odah\[kinematics\]'") as caught:
        read_c3d(written(tmp_path / "a.c3d", places()))
    assert not isinstance(caught.value, InputError)


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "cmu_mocap/c3d/85_02.c3d",
        "cmu_mocap/c3d/basketball_dribble_shoot.c3d",
        "hdm05/HDM_dg_06-03_03_120.c3d",
        "opensim_core/walking2.c3d",
    ],
)
def test_real_files_equal_ezc3d(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project")
    markers, reference = read_c3d(path), ezc3d.c3d(str(path))
    labels = [label.rsplit(":", 1)[-1] for label in reference["parameters"]["POINT"]["LABELS"]["value"]]
    points = reference["data"]["points"][:3].transpose(2, 1, 0)[
        :, [labels.index(name) for name in markers.names]
    ]
    np.testing.assert_allclose(markers.positions, points / 1000, atol=1e-9)
    assert markers.rate == reference["header"]["points"]["frame_rate"]
    assert len(markers.names) == sum(not label.startswith("*") for label in labels)
