"""Finding OpenSim results in folders as programs leave them."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odah.errors import InputError
from odah.motion.collections.mot_header import MotHeader
from odah.motion.collections.opensim_results import scan_results

COORDINATES = ("pelvis_tilt", "pelvis_ty", "hip_flexion_r", "knee_angle_r", "knee_angle_l", "ankle_angle_r")


def write_mot(
    path: Path, columns: tuple[str, ...] = COORDINATES, rows: int = 3, title: str = "Coordinates"
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        title,
        "version=1",
        f"nRows={rows}",
        f"nColumns={len(columns) + 1}",
        "inDegrees=yes",
        "endheader",
    ]
    lines += ["\t".join(("time", *columns))]
    lines += ["\t".join(["0.1"] * (len(columns) + 1)) for _ in range(rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_osim(path: Path, coordinates: tuple[str, ...] = COORDINATES) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    inside = "".join(f'<Coordinate name="{name}"><range>0 1</range></Coordinate>' for name in coordinates)
    path.write_text(f'<OpenSimDocument Version="40000"><Model name="m">{inside}</Model></OpenSimDocument>')
    return path


def summary(root: Path) -> list[tuple[str, str, str | None, str]]:
    return [
        (take.subject, take.action, take.name, str(take.osim and take.osim.relative_to(root)))
        for take in scan_results(root).takes
    ]


def test_sessions_of_opencap(tmp_path: Path) -> None:
    for who, sex in (("OpenCapData_b", "f"), ("OpenCapData_a", "m")):
        session = tmp_path / who
        write_osim(session / "OpenSimData/Model/LaiUhlrich2022_scaled.osim")
        write_mot(session / "OpenSimData/Kinematics/walk10.mot")
        write_mot(session / "OpenSimData/Kinematics/walk2.mot")
        write_mot(session / "OpenSimData/Dynamics/walk2/kinematics_activations_walk2.mot")
        (session / "sessionMetadata.yaml").write_text(f"gender_mf: {sex}\nmass_kg: 83.0\nheight_m: 1.86\n")
    model = "OpenSimData/Model/LaiUhlrich2022_scaled.osim"
    assert summary(tmp_path) == [
        (who, "walk", name, f"{who}/{model}")
        for who in ("OpenCapData_a", "OpenCapData_b")
        for name in ("walk2", "walk10")
    ]
    assert [take.gender for take in scan_results(tmp_path).takes] == ["male", "male", "female", "female"]
    assert scan_results(tmp_path).sentence == "2 of simulations that track another"


def test_opencaps_validation_data_are_taken_from_markers_where_both_are_there(tmp_path: Path) -> None:
    data = tmp_path / "subject2/OpenSimData"
    for place in ("Mocap", "Video/HRNet/2-cameras"):
        for kind in ("generic", "scaled", "scaled_adjusted"):
            write_osim(data / place / f"Model/LaiArnoldModified2017_poly_withArms_weldHand_{kind}.osim")
        write_mot(data / place / "IK/DJ1.mot")
    write_mot(tmp_path / "subject2/ForceData/DJ1_forces.mot", ("R_ground_force_vx", "R_ground_force_px"))
    (tmp_path / "subject2/sessionMetadata.yaml").write_text("sex: female\n")
    chosen = "Mocap/Model/LaiArnoldModified2017_poly_withArms_weldHand_scaled_adjusted.osim"
    assert summary(tmp_path) == [("subject2", "DJ", "DJ1", f"subject2/OpenSimData/{chosen}")]
    assert scan_results(tmp_path).takes[0].gender == "female"
    assert scan_results(tmp_path).passed_over == {
        "of forces, markers or other things than coordinates": 1,
        "from video of people whose markers are solved too": 1,
    }


def test_addbiomechanics_takes_the_model_of_the_last_step(tmp_path: Path) -> None:
    for who, inner in (("s1", ""), ("s2", "osim_results")):
        folder = tmp_path / who / inner
        write_osim(folder / "Models/unscaled_generic.osim")
        write_osim(folder / "Models/match_markers_but_ignore_physics.osim")
        write_mot(folder / "IK/run_segment_0_ik.mot")
        write_mot(folder / "ID/run_segment_0_grf.mot", ("ground_force_calcn_r_vx", "ground_force_calcn_r_vy"))
    write_osim(tmp_path / "s2/osim_results/Models/match_markers_and_physics.osim")
    (tmp_path / "s2/_subject.json").write_text('{"sex": "male", "massKg": "70"}')
    assert summary(tmp_path) == [
        ("s1", "run", "run_segment_0", "s1/Models/match_markers_but_ignore_physics.osim"),
        ("s2", "run", "run_segment_0", "s2/osim_results/Models/match_markers_and_physics.osim"),
    ]
    assert [take.gender for take in scan_results(tmp_path).takes] == [None, "male"]


def test_folders_of_the_kinematics_command(tmp_path: Path) -> None:
    for name in ("jump_3", "walk"):
        write_osim(tmp_path / name / "model.osim")
        write_mot(tmp_path / name / "kinematics.mot")
    assert [entry[:2] for entry in summary(tmp_path)] == [("jump_3", "jump"), ("walk", "walk")]


def test_the_nearest_model_that_has_the_coordinates(tmp_path: Path) -> None:
    write_osim(tmp_path / "person.osim")
    write_osim(tmp_path / "a/other.osim", ("spine1", "spine2"))
    write_mot(tmp_path / "a/day1/reach.mot")
    write_mot(tmp_path / "b/reach.mot", tuple(f"/jointset/j/{name}/value" for name in COORDINATES))
    write_osim(tmp_path / "b/close.osim")
    found = {entry[0]: entry[3] for entry in summary(tmp_path)}
    assert found == {tmp_path.name: "person.osim", "b": "b/close.osim"}


def test_nobody_gets_the_model_of_another_who_has_motions_of_their_own(tmp_path: Path) -> None:
    write_osim(tmp_path / "s1/model.osim")
    write_mot(tmp_path / "s1/walk.mot")
    write_mot(tmp_path / "s2/walk.mot")
    assert [entry[0] for entry in summary(tmp_path)] == ["s1"]
    assert scan_results(tmp_path).passed_over == {"of coordinates without a model that has them": 1}


def test_models_of_which_none_is_to_be_preferred_are_named(tmp_path: Path) -> None:
    write_mot(tmp_path / "walk.mot")
    write_osim(tmp_path / "first.osim")
    write_osim(tmp_path / "second.osim")
    with pytest.raises(InputError, match=r"walk\.mot: .*first\.osim and .*second\.osim"):
        scan_results(tmp_path)


def test_people_of_one_name_and_people_with_two_models_are_told_apart(tmp_path: Path) -> None:
    for place in ("siteA/s1", "siteB/S1"):
        write_osim(tmp_path / place / "m.osim")
        write_mot(tmp_path / place / "walk.mot")
    both = tmp_path / "s9"
    write_osim(both / "m_scaled.osim")
    write_mot(both / "walk.mot")
    write_osim(both / "arms_scaled.osim", ("arm_flex_r", "elbow_flex_r", "pro_sup_r"))
    write_mot(both / "reach.mot", ("arm_flex_r", "elbow_flex_r", "pro_sup_r"))
    subjects = [entry[0] for entry in summary(tmp_path)]
    assert len({subject.casefold() for subject in subjects}) == 4
    assert "siteA_s1" in subjects
    assert "s9_arms_scaled" in subjects


def test_what_is_no_motion_is_passed_over_and_counted(tmp_path: Path) -> None:
    write_osim(tmp_path / "m.osim")
    write_mot(tmp_path / "walk.mot")
    write_mot(tmp_path / "static.mot", rows=1)
    write_mot(tmp_path / "walk_u.mot", title="Speeds")
    (tmp_path / "empty.mot").touch()
    (tmp_path / "junk.mot").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "lost.mot").symlink_to(tmp_path / "nowhere.mot")
    (tmp_path / "._walk.mot").write_bytes(b"\0\5")
    (tmp_path / "folder.mot").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert [take.path.name for take in scan_results(tmp_path).takes] == ["walk.mot"]
    assert scan_results(tmp_path).passed_over == {
        "of a single pose": 1,
        "of speeds or accelerations": 1,
        "without the header of an OpenSim table": 3,
    }


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        scan_results(tmp_path / "absent")
    with pytest.raises(InputError, match=r"no \.mot file"):
        scan_results(tmp_path)
    write_mot(tmp_path / "forces.mot", ("ground_force_vx",))
    with pytest.raises(InputError, match="1 of forces"):
        scan_results(tmp_path)


def test_a_root_inside_a_session_still_knows_whose_it_is(tmp_path: Path) -> None:
    session = tmp_path / "OpenCapData_a/OpenSimData"
    write_osim(session / "Model/m_scaled.osim")
    write_mot(session / "Kinematics/walk.mot")
    assert [entry[0] for entry in summary(session)] == ["OpenCapData_a"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=300),
    start=st.sampled_from([b"", b"Coordinates\nnRows=5\n", b"x\nendheader\n"]),
)
def test_any_bytes_have_a_header_or_none(tmp_path: Path, content: bytes, start: bytes) -> None:
    path = tmp_path / "any.mot"
    path.write_bytes(start + content)
    header = MotHeader.read(path)
    assert header is None or isinstance(header.coordinates, frozenset)


NAMES = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(NAMES.filter(lambda name: name not in (".", "..")), min_size=1, max_size=4),
    junk=st.binary(max_size=80),
)
def test_odd_names_and_junk_never_break_the_search(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], junk: bytes
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for k, name in enumerate(names):
        folder = root / str(k) / f"p{name}"
        write_osim(folder / "m.osim")
        write_mot(folder / f"{name}.mot")
        (folder / "sessionMetadata.yaml").write_bytes(junk)
        (folder / f"{name}_.osim").write_bytes(junk)
    takes = scan_results(root).takes if any(_is_seen(name) for name in names) else []
    assert len(takes) == sum(map(_is_seen, names))
    assert len({(take.subject, take.name) for take in takes}) == len(takes)
    assert all(take.osim == take.path.parent / "m.osim" for take in takes)


def _is_seen(name: str) -> bool:
    return not name.startswith(".")
