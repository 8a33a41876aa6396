"""The page in a browser: Chromium without a window, opened from the file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="selenium, which drives a browser, is not installed")

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    program = next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no Chromium with its chromedriver on the PATH")
    options = Options()
    options.binary_location = program
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def opened(browser: webdriver.Chrome, page: Path) -> webdriver.Chrome:
    """The page, freshly loaded at the width of a desktop."""
    resize(browser, 1280)
    browser.get(page.as_uri())
    return browser


def resize(browser: webdriver.Chrome, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def column(browser: webdriver.Chrome, number: int) -> list[str]:
    """What the rows that are shown say in a column of the table."""
    script = """return [...document.querySelectorAll("#all-clips tbody tr:not([hidden])")]
        .map((row) => row.cells[arguments[0]].textContent.trim())"""
    return browser.execute_script(script, number)


def test_it_loads_without_complaints_and_asks_for_nothing(browser: webdriver.Chrome, page: Path) -> None:
    browser.get("about:blank")  # the browser's own first page asks for much
    for log in ("performance", "browser"):
        browser.get_log(log)
    browser.get(page.as_uri())
    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]


def test_headline_numbers_are_on_it(opened: webdriver.Chrome) -> None:
    def told(name: str) -> str:
        return opened.find_element(By.ID, name).text

    assert (told("num-clips"), told("num-people"), told("duration"), told("num-flagged")) == (
        "3",
        "2",
        "1.4 s",
        "1",
    )
    assert "2 of 3 clips valid" in told("audit")


def test_pictures_and_plots_are_there(opened: webdriver.Chrome) -> None:
    script = "return [...document.images].map((image) => [image.complete, image.naturalWidth, image.alt])"
    opened.execute_async_script("Promise.all([...document.images].map((i) => i.decode())).then(arguments[0])")
    images = opened.execute_script(script)
    assert len(images) == 3 * 2 + 3 * 2 * 4
    assert all(complete and width > 0 and alt for complete, width, alt in images)
    plots = opened.find_elements(By.CSS_SELECTOR, "svg[role=img]")
    assert len(plots) > 40
    assert all(plot.get_attribute("aria-label") for plot in plots)


def test_links_lead_to_clips(opened: webdriver.Chrome) -> None:
    link = opened.find_element(By.CSS_SELECTOR, ".worst a")
    opened.execute_script("arguments[0].click()", link)
    target = opened.execute_script("return document.querySelector(':target').querySelector('h3').textContent")
    assert target == link.get_attribute("textContent") == "ben_walking"


def test_the_table_sorts_by_number_and_by_name(opened: webdriver.Chrome) -> None:
    def click(number: int) -> None:
        button = opened.find_elements(By.CSS_SELECTOR, "#all-clips th button")[number]
        opened.execute_script("arguments[0].click()", button)

    click(5)
    assert column(opened, 5) == ["3.0", "2.0", "1.0"]
    click(5)
    assert column(opened, 5) == ["1.0", "2.0", "3.0"]
    click(2)
    assert column(opened, 2) == ["walking", "walking", "waving"]
    marks = opened.execute_script(
        "return [...document.querySelectorAll('th[aria-sort]')].map((h) => h.ariaSort)"
    )
    assert marks == ["ascending"]


def test_the_table_filters(opened: webdriver.Chrome) -> None:
    opened.find_element(By.ID, "filter").send_keys("anna walking")
    assert column(opened, 0) == ["anna_walking"]
    assert opened.find_element(By.ID, "num-shown").text == "1 of 3 clips"
    opened.find_element(By.ID, "filter").clear()
    opened.find_element(By.ID, "filter").send_keys(" ")
    opened.execute_script("document.querySelector('#only-flagged').click()")
    assert column(opened, 0) == ["ben_walking"]


def test_the_skeleton_can_be_taken_off(opened: webdriver.Chrome) -> None:
    shown = "return getComputedStyle(document.querySelector('.frame svg')).display"
    assert opened.execute_script(shown) != "none"
    opened.execute_script("document.querySelector('#bones').click()")
    assert opened.execute_script(shown) == "none"


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out(opened: webdriver.Chrome, width: int, scheme: str) -> None:
    resize(opened, width)
    wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
    opened.execute_script(
        "document.querySelectorAll('article').forEach((a) => a.style.contentVisibility = 'visible')"
    )
    assert opened.execute_script("return document.documentElement.scrollWidth") == width
    paper = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) < 200) == (scheme == "dark")


def test_it_can_be_read_without_scripts(opened: webdriver.Chrome, page: Path) -> None:
    opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened.get(page.as_uri())
        assert opened.find_element(By.ID, "num-clips").text == "3"
        assert len(opened.find_elements(By.CSS_SELECTOR, "#all-clips tbody tr")) == 3
        assert not opened.find_element(By.ID, "filter").is_displayed()
    finally:
        opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
