"""The page of `vulnlens serve` in a real browser: Debian's chromium, headless, driven by Playwright; axe-core looks for barriers.

    apt-get install chromium
    python3 -m venv /path/outside/the/repository
    .../bin/pip install playwright==1.65.2 axe-playwright-python==0.1.8
    PYTHONPATH=tools .../bin/python tools/page_browser.py target/release/vulnlens [--screenshots FOLDER]

Every step of CHECKS walks the page as a person would and says what it expects; those that do not hold are told at the end. FOLDER gets pictures of the page in light, in dark and on a phone, to be looked at.
"""

import argparse
import json
import pathlib
import re
import subprocess
import tempfile

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import TimeoutError, expect, sync_playwright

from vulnlens_tools.serving import Serving

SQLI = "SQL injection in login.php allows remote attackers to read the users table"
CAKE = "Beat the butter with the sugar, add the eggs one by one, then fold in the flour and bake for forty minutes."
SCRIPT = "<script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'> stored cross-site scripting in the comment field"
FIRST_VIEW_BYTES = 100_000
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


class Walk:
    """A page of the server, and what the checks need beside it."""

    def __init__(self, page, address, folder):
        self.page, self.address, self.folder = page, address, folder

    def fresh(self):
        self.page.goto("about:blank")
        self.page.goto(self.address)
        expect(self.page.locator("#model option")).not_to_have_count(0)
        return self.page

    def classified(self, text):
        page = self.fresh()
        page.fill("#text", text)
        page.click("text=Classify >> nth=0")
        expect(page.locator("#status")).to_contain_text(re.compile("[Aa]nswered by"))
        return page

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path


@check
def is_light_and_soon_usable(walk):
    """The first view is under 100 kB and the time until it can be used is printed; nothing comes from elsewhere; the policy is kept."""
    walk.fresh()
    sizes, addresses, said = [], [], []
    page = walk.page
    page.on("response", lambda response: (addresses.append(response.url), sizes.append(len(response.body()))))
    page.on("console", lambda message: said.append(message.text))
    page.goto("about:blank")
    page.goto(walk.address, wait_until="networkidle")
    usable = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert sum(sizes) <= FIRST_VIEW_BYTES, f"{sum(sizes)} bytes"
    assert all(address.startswith(walk.address) for address in addresses), addresses
    assert not said, said
    print(f"    usable after {usable:.0f} ms, {sum(sizes):,} bytes")


@check
def classifies_a_text(walk):
    """Weaknesses with probabilities and links to MITRE, curated techniques with reasons, words, severity."""
    page = walk.classified(SQLI)
    first = page.locator("#cwe li").first
    expect(first).to_contain_text("CWE-89")
    expect(first).to_contain_text("✓")
    expect(first.locator("a")).to_have_attribute("href", "https://cwe.mitre.org/data/definitions/89.html")
    expect(page.locator("#curated li").first.locator("a").first).to_have_attribute("href", re.compile("attack.mitre.org/techniques/T1"))
    page.locator("#curated summary").first.click()
    expect(page.locator("#curated details[open] table")).to_be_visible()
    expect(page.locator("#words mark").first).to_be_visible()
    expect(page.locator("#severity")).to_contain_text("CVSS:3.1/")


@check
def shows_how_techniques_are_derived(walk):
    """Derived patterns and techniques are folded; opened, they show their way as a graph."""
    page = walk.classified(SQLI)
    expect(page.locator("#capec")).to_be_hidden()
    page.click("#derived > summary")
    expect(page.locator("#capec li", has_text="CAPEC-66")).to_be_visible()
    expect(page.locator("#ways svg").first).to_be_visible()


@check
def shows_the_matrix(walk):
    """The matrix has every tactic; a technique that is likely is a hot cell."""
    page = walk.classified(SQLI)
    page.click("#matrix-details > summary")
    expect(page.locator(".matrix h3").filter(has_text="Initial Access")).to_be_visible()
    expect(page.locator(".cell.hot").first).to_be_visible()


@check
def heeds_the_slider(walk):
    """A higher least probability leaves fewer labels; asserted ones stay."""
    page = walk.classified("Improper handling of a crafted request lets a remote user read files of the server")
    before = page.locator("#cwe li").count()
    page.locator("#threshold").focus()
    page.keyboard.press("End")
    expect(page.locator("#threshold-value")).to_have_text("95 %")
    after = page.locator("#cwe li").count()
    assert after < before, f"{before} labels, then {after}"


@check
def says_that_a_text_tells_no_weakness(walk):
    """A text that is not about a vulnerability gets a sentence, and that is not an error."""
    page = walk.classified(CAKE)
    expect(page.locator("#said")).to_be_visible()
    assert "error" not in (page.locator("#said").get_attribute("class") or "")
    expect(page.locator("#cwe .tick", has_text="✓")).to_have_count(0)
    expect(page.locator("#words")).to_be_hidden()


@check
def shows_scripts_as_text(walk):
    """Markup in texts and ids is shown, never run: in an answer, in a table, and in a comparison."""
    page = walk.classified(SCRIPT)
    expect(page.locator("#words")).to_contain_text("<script>")
    records = walk.file("script.jsonl", json.dumps({"id": "<img src=x onerror='window.harmed=1'>", "description": SCRIPT}) + "\n")
    page.click("#tab-batch")
    page.set_input_files("#batch-file", records)
    page.click("text=Classify the file")
    expect(page.locator("#batch-table tbody tr")).to_have_count(1)
    expect(page.locator("#batch-table tbody tr").first).to_contain_text("<img")
    page.click("#tab-compare")
    page.fill("#compare-text", SCRIPT)
    page.fill("#compare-cwe", "CWE-79")
    page.click("#compare-form >> text=Compare")
    expect(page.locator("#compare-table tbody tr")).to_have_count(1)
    assert page.evaluate("window.harmed") is None
    assert page.locator("main img, main script").count() == 0


@check
def classifies_a_file(walk):
    """A file of records becomes a table that sorts; a bad record is told of and costs no other; downloads have all."""
    lines = [json.dumps({"id": f"r-{number:03}", "description": text}) for number, text in enumerate([SQLI, "Use after free in the parser"] * 20)]
    records = walk.file("records.jsonl", "\n".join([*lines[:10], "not JSON", *lines[10:]]) + "\n")
    page = walk.fresh()
    page.click("#tab-batch")
    page.set_input_files("#batch-file", records)
    page.click("text=Classify the file")
    expect(page.locator("#batch-status")).to_contain_text("40 records classified; 1 record could not be read")
    expect(page.locator("#batch-table tbody tr")).to_have_count(40)
    weakness = page.locator("#batch-table th button", has_text="Weakness")
    weakness.click()
    expect(page.locator("#batch-table tbody tr").first).to_contain_text("CWE-89")
    page.locator("#batch-table th button", has_text="Weakness").click()
    expect(page.locator("#batch-table tbody tr").first).to_contain_text("CWE-416")
    for name, text in (("Download JSON Lines", '"schema_version":1'), ("Download CSV", '"r-001"')):
        with page.expect_download() as download:
            page.click(f"text={name} >> visible=true")
        assert text in pathlib.Path(download.value.path()).read_text(encoding="utf-8"), name


@check
def takes_a_dropped_file(walk):
    """A text that is dropped on the page is classified; records that are dropped become a table."""
    page = walk.fresh()
    drop = """([name, content]) => {
        const data = new DataTransfer();
        data.items.add(new File([content], name));
        document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, ["advisory.txt", SQLI])
    expect(page.locator("#cwe li").first).to_contain_text("CWE-89")
    page.evaluate(drop, ["records.csv", f"id,description\nrow-1,{SQLI}\nrow-2,Use after free\n"])
    expect(page.locator("#batch-table tbody tr")).to_have_count(2)


@check
def gives_every_format(walk):
    """Each button downloads a file that begins as its format does."""
    page = walk.classified(SQLI)
    starts = {"jsonl": b'{"schema_version":1', "csv": b"", "parquet": b"PAR1", "markdown": b"## "}
    starts |= {name: b"{" for name in ("navigator", "stix", "misp", "sarif", "ocsf")}
    for button in page.locator("[data-format]").all():
        with page.expect_download() as download:
            button.click()
        content = pathlib.Path(download.value.path()).read_bytes()
        start = starts.get(button.get_attribute("data-format"), b"")
        assert content and content.startswith(start), button.get_attribute("data-format")


@check
def compares_mapped_with_suggested(walk):
    """A mapped weakness stands beside those suggested, with a verdict; verdicts choose rows."""
    page = walk.fresh()
    page.click("#tab-compare")
    page.fill("#compare-text", SQLI)
    page.fill("#compare-cwe", "20, CWE-79")
    page.click("#compare-form >> text=Compare")
    row = page.locator("#compare-table tbody tr").first
    expect(row).to_contain_text("CWE-79")
    expect(row).to_contain_text("CWE-89")
    records = [{"id": "a", "description": SQLI, "cwe": "CWE-89"}, {"id": "b", "description": SQLI, "cwe": "CWE-787"}]
    page.set_input_files("#compare-file", walk.file("mapped.jsonl", "".join(json.dumps(record) + "\n" for record in records)))
    expect(page.locator("#compare-table tbody tr")).to_have_count(2)
    page.locator("#compare-verdicts button", has_text="differs").click()
    expect(page.locator("#compare-table tbody tr")).to_have_count(1)
    expect(page.locator("#compare-table tbody tr").first).to_contain_text("CWE-787")


@check
def carries_its_state_in_the_link(walk):
    """A link with a fragment answers by itself, and the text of the fragment is not sent in an address."""
    asked = []
    page = walk.page
    page.on("request", lambda request: asked.append(request.url))
    page.goto("about:blank")
    page.goto(f"{walk.address}#text={SQLI.replace(' ', '+')}&least=40")
    expect(page.locator("#cwe li").first).to_contain_text("CWE-89")
    expect(page.locator("#threshold-value")).to_have_text("40 %")
    assert not any("SQL" in address.split("#")[0] for address in asked), asked


@check
def shows_the_text_of_a_cve(walk):
    """The id of a CVE alone is exchanged for its text, of the data set that the server has."""
    page = walk.classified("cve-2021-44228")
    expect(page.locator("#text")).to_have_value("Lookups by JNDI in log messages let remote attackers run code")
    expect(page.locator("#status")).to_contain_text("CVE-2021-44228")


@check
def needs_no_mouse(walk):
    """By keyboard alone: the skip link, the tabs by arrows, a text by Ctrl+Enter, a fold by Enter; focus is always seen."""
    page = walk.fresh()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "tab-one"
    for expected in ("tab-batch", "tab-compare", "tab-one"):
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.id") == expected
    while page.evaluate("document.activeElement.id") != "text":
        page.keyboard.press("Tab")
    page.keyboard.type(SQLI)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#cwe li").first).to_contain_text("CWE-89")
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.parentElement?.id || ''")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", focused
        if focused == "derived":
            page.keyboard.press("Enter")
            break
    expect(page.locator("#capec li").first).to_be_visible()


@check
def has_no_barriers(walk):
    """axe-core finds no violation on an answer with everything open, on the tables, in light and dark, wide and narrow."""
    axe = Axe()
    for scheme in ("light", "dark"):
        for width in (1280, 390):
            walk.page.emulate_media(color_scheme=scheme)
            walk.page.set_viewport_size({"width": width, "height": 900})
            page = walk.classified(SQLI)
            for summary in ("#matrix-details > summary", "#derived > summary"):
                page.click(summary)
            page.locator("#curated summary").first.click()
            expect(page.locator(".cell.hot").first).to_be_visible()
            found = axe.run(page)
            assert not found.response["violations"], f"{scheme}, {width}: {found.generate_report()}"
            page.click("#tab-batch")
            page.set_input_files("#batch-file", walk.file("two.csv", f"id,description\na,{SQLI}\nb,Use after free\n"))
            page.click("text=Classify the file")
            expect(page.locator("#batch-table tbody tr")).to_have_count(2)
            found = axe.run(page)
            assert not found.response["violations"], f"{scheme}, {width}: {found.generate_report()}"
            page.click("#tab-compare")
            page.set_input_files("#compare-file", walk.file("mapped.csv", f"id,description,cwe\na,{SQLI},CWE-89\nb,{SQLI},CWE-20\n"))
            expect(page.locator("#compare-table tbody tr")).to_have_count(2)
            found = axe.run(page)
            assert not found.response["violations"], f"{scheme}, {width}: {found.generate_report()}"
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{wide} pixels wide at {width}"
    walk.page.emulate_media(color_scheme="light")
    walk.page.set_viewport_size({"width": 1280, "height": 900})


def screenshots(walk, folder):
    """Pictures of an answer in light and dark, of a comparison, and on a phone."""
    folder.mkdir(parents=True, exist_ok=True)

    def picture(name, scheme, width, page_of):
        walk.page.emulate_media(color_scheme=scheme)
        walk.page.set_viewport_size({"width": width, "height": 900})
        page_of().screenshot(path=folder / f"{name}.png", full_page=True)

    def compared():
        page = walk.fresh()
        page.click("#tab-compare")
        rows = [("a", SQLI, "CWE-89"), ("b", SQLI, "CWE-20"), ("c", "Use after free in the parser of fonts", "CWE-79"), ("d", "A crafted request reads files outside the folder by ../", "CWE-200")]
        table = "id,description,cwe\n" + "".join(f'{key},"{text}",{cwe}\n' for key, text, cwe in rows)
        page.set_input_files("#compare-file", walk.file("mapped.csv", table))
        expect(page.locator("#compare-table tbody tr")).to_have_count(len(rows))
        return page

    picture("page", "light", 1100, lambda: walk.classified(SQLI))
    picture("page-dark", "dark", 1100, lambda: walk.classified(SQLI))
    picture("page-compare", "light", 1100, compared)
    picture("page-phone-dark", "dark", 390, lambda: walk.classified(CAKE))


def data_set(binary, folder):
    """A data set of one CVE."""
    table, built = pathlib.Path(folder, "table.csv"), pathlib.Path(folder, "data.parquet")
    table.write_text("cve_id,published,description,cwe\nCVE-2021-44228,2021-12-10,Lookups by JNDI in log messages let remote attackers run code,CWE-917\n", encoding="utf-8")
    subprocess.run([binary, "data", "build", str(table), "--out", str(built)], check=True, capture_output=True)
    return str(built)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vulnlens")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Serving(arguments.vulnlens, "fast", arguments=["--data", data_set(arguments.vulnlens, folder)]) as server,
        sync_playwright() as playwright,
    ):
        # Chromium's own sandbox does not start as root; the page is our own.
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
        walks = lambda: Walk(browser.new_context(accept_downloads=True).new_page(), server.address, pathlib.Path(folder))
        failed = []
        for function in CHECKS:
            print(f"{function.__name__}: {function.__doc__.splitlines()[0]}", flush=True)
            try:
                function(walks())
            except (AssertionError, TimeoutError) as error:
                failed.append(f"{function.__name__}: {error}")
        if arguments.screenshots:
            screenshots(walks(), arguments.screenshots)
        browser.close()
    if failed:
        raise SystemExit("\n".join(["these checks do not hold:", *failed]))
    print(f"{len(CHECKS)} checks hold")


if __name__ == "__main__":
    main()
