"""The version that stands in several files, and what a release needs: tools/release.py."""

import shutil

import pytest
import release
from pages import ROOT

import fastleaky


@pytest.fixture
def tree(tmp_path):
    """What release.py writes to, as a copy."""
    for name in [*release.PLACES, "CHANGELOG.md"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("\n## ", "\n## Unreleased\n\n- news\n\n## ", 1))
    return tmp_path


def test_all_files_have_one_version_and_date():
    assert release.the_one(release.PLACES, ROOT)
    assert release.the_one(release.DATES, ROOT)


def test_the_package_has_it():
    assert fastleaky.__version__ == release.the_one(release.PLACES, ROOT)


def test_the_changelog_has_it():
    assert "### Added" in release.notes(f"v{fastleaky.__version__}", ROOT)


def test_the_next_one(tree):
    release.prepare("12.3.4", "2030-01-02", tree)
    assert release.the_one(release.PLACES, tree) == "12.3.4"
    assert release.notes("v12.3.4", tree) == "- news"
    assert "## Unreleased" not in (tree / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name", release.PLACES)
def test_a_file_was_forgotten(tree, name):
    path, where = tree / name, release.PLACES[name]
    path.write_text(release.replaced(path.read_text(), where, "9.9.9"))
    with pytest.raises(release.ReleaseError, match="do not agree"):
        release.notes("v9.9.9", tree)


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.2.3rc1"])
def test_not_a_version(tree, version):
    with pytest.raises(release.ReleaseError, match="no version"):
        release.prepare(version, "2030-01-02", tree)


def test_nothing_new(tree):
    release.prepare("1.2.3", "2030-01-02", tree)
    with pytest.raises(release.ReleaseError, match="no section"):
        release.prepare("1.2.4", "2030-01-02", tree)


def test_another_tag():
    with pytest.raises(release.ReleaseError, match="tag is v9"):
        release.notes("v9.9.9", ROOT)


def test_an_undated_changelog(tree):
    changelog = tree / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace(f"## {fastleaky.__version__} - ", "## "))
    with pytest.raises(release.ReleaseError, match="no section"):
        release.notes(f"v{fastleaky.__version__}", tree)
