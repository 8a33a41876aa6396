"""What the page says, read without a browser."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.testing import CliRunner

from odah.cli import app
from odah.dataset.reader import Dataset, open_dataset
from odah.dataset.report import write_report
from odah.errors import InputError

VOID = {"meta", "link", "input", "img", "br", "wbr"}


class Page(HTMLParser):
    """Ids, links and text of a page; fails where a tag is closed that is not the one that is open."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"{tag} says something twice"
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if tag == "a" else []
        self.sources += [value or "" for name, value in attrs if name in ("src", "href") and tag != "a"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_ids_are_unique_and_every_link_leads_somewhere(page: Path) -> None:
    read = Page(page)
    assert [name for name, count in Counter(read.ids).items() if count > 1] == []
    for link in read.links:
        assert link[1:] in read.ids if link.startswith("#") else (page.parent / link).exists(), link
    assert {"clip-anna_walking", "clip-anna_waving", "clip-ben_walking"} <= set(read.ids)


def test_nothing_comes_from_elsewhere(page: Path) -> None:
    assert all(source.startswith(("data:", "#")) for source in Page(page).sources)
    text = page.read_text()
    assert "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) == set()


def test_the_headline_is_right(page: Path) -> None:
    text = Page(page).text
    for words in (
        "clips 3", "people 2", "actions 2", "of motion 1.4 s", "frames a view 42", "clips flagged 1",
        "2 of 3 clips valid", "masks (1)", "train 2 clips of 1 person", "test 1 clip of 1 person",
        "Drawn for tests.", "feet slide … mm a frame at … fps", "drawn (3)",
    ):  # fmt: skip
        assert words in text, words


def test_a_page_elsewhere_is_the_same_each_time_and_leads_to_the_clips(
    shown: Dataset, tmp_path: Path
) -> None:
    pages = [tmp_path / "some where" / name for name in ("a.html", "b.html")]
    for out in pages:
        write_report(shown, out=out, seed=3)
    assert pages[0].read_bytes() == pages[1].read_bytes()
    links = [link for link in Page(pages[0]).links if link.endswith("front.mp4")]
    assert len(links) == 3
    assert all((pages[0].parent / unquote(link)).exists() for link in links)


def test_damaged_clips_are_named_and_the_others_shown(
    make_shown: Callable[[Path], Dataset], tmp_path: Path
) -> None:
    folder = make_shown(tmp_path / "d").paths.root
    (folder / "clips/anna_walking/labels.npz").write_bytes(b"PK")
    (folder / "clips/anna_waving/front.mp4").write_bytes(b"no video")
    path = Path(write_report(open_dataset(folder)))
    text = Page(path).text
    assert "2 could not be read" in text
    assert "anna_walking : " in text
    assert "anna_waving : " in text
    assert "clips 2 " in text
    assert [link for link in Page(path).links if link.startswith("#clip-")]
    for clip_id in ("anna_waving", "ben_walking"):
        (folder / "clips" / clip_id / "clip.json").write_text("{}")
    assert "3 could not be read" in Page(Path(write_report(open_dataset(folder)))).text


def test_what_clips_say_is_text_and_no_markup(make_shown: Callable[[Path], Dataset], tmp_path: Path) -> None:
    folder = make_shown(tmp_path / "d").paths.root
    shutil.move(folder / "clips/ben_walking", folder / 'clips/b "<b>#%')
    path = folder / 'clips/b "<b>#%/clip.json'
    hostile = "<script>alert(1)</script>"
    record = json.loads(path.read_text()) | {"action": hostile, "flags": [hostile], "notes": [hostile]}
    path.write_text(json.dumps(record))
    page = Path(write_report(open_dataset(folder)))
    assert hostile not in page.read_text()
    read = Page(page)
    assert all(link[1:] in read.ids for link in read.links if link.startswith("#"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--sheet", "-1"], "--sheet: found -1, expected 0 or more"),
        (["--seed", "-3"], "--seed: found -3, expected 0 or more"),
        (["--out", "."], "expected the name of an HTML file"),
    ],
)
def test_wrong_use_ends_in_a_sentence(shown: Dataset, arguments: list[str], sentence: str) -> None:
    done = CliRunner().invoke(app, ["report", str(shown.paths.root), *arguments])
    assert isinstance(done.exception, InputError)
    assert sentence in str(done.exception)


def test_the_command_says_where_the_page_is(shown: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = CliRunner().invoke(
        app, ["report", str(shown.paths.root), "--out", str(out), "--sheet", "1", "--json"]
    )
    assert json.loads(done.stdout) == {"page": str(out)}
    assert "1 of 3 clips, chosen by seed" in Page(out).text


def test_a_dataset_without_clips_is_refused(shown: Dataset, tmp_path: Path) -> None:
    shutil.copy(shown.paths.info, tmp_path / "dataset.json")
    with pytest.raises(InputError, match="no finished clip"):
        write_report(open_dataset(tmp_path))
