"""Documentation leads somewhere: each relative link has a file, and the index names every page."""

import re

from config.stack import PROJECT

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PAGES = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]


def test_links_lead_to_files() -> None:
    broken = [
        f"{page.relative_to(PROJECT)}: {link}"
        for page in PAGES
        for link in LINK.findall(page.read_text())
        if "://" not in link and not link.startswith(("/", "mailto:")) and not (page.parent / link).exists()
    ]
    assert broken == []


def test_the_index_names_every_page() -> None:
    docs = PROJECT / "docs"
    named = {(docs / link).resolve() for link in LINK.findall((docs / "README.md").read_text())}
    pages = {
        page.resolve() for page in docs.rglob("*.md") if "adr" not in page.parts and page.name != "README.md"
    }
    assert {page.relative_to(docs.resolve()).as_posix() for page in pages - named} == set()


def test_no_page_names_a_machine() -> None:
    private = re.compile(r"/(?:work|home|root)/")
    assert [page.name for page in PAGES if private.search(page.read_text())] == []
