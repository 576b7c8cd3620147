"""The files that other builds read: all have one version, and name what there is."""

import json
import re
import xml.etree.ElementTree as ET

import pytest
from pages import ROOT

VERSION = re.search(r"^  version: '(.*)',$", (ROOT / "meson.build").read_text(), re.MULTILINE)[1]
VERSIONS = {  # file: where the version stands in it
    "CMakeLists.txt": r"^project\(fastleaky VERSION (\S+) ",
    "idf_component.yml": r"^version: (\S+)$",
    "library.json": r'^  "version": "(.*)",$',
    "firmware/library.properties": r"^version=(.*)$",
    "firmware/fastleaky.fastleaky.pdsc": r'(?:release version|Cversion)="(.*?)"',
    "docs/builds.md": r"fastleaky\.fastleaky\.(.*?)\.pack",
}


@pytest.mark.parametrize("name", VERSIONS)
def test_version(name):
    assert set(re.findall(VERSIONS[name], (ROOT / name).read_text(), re.MULTILINE)) == {VERSION}


def test_headers_that_are_named():
    properties = (ROOT / "firmware/library.properties").read_text()
    named = set(re.search(r"^includes=(.*)$", properties, re.MULTILINE)[1].split(","))
    assert named == set(json.loads((ROOT / "library.json").read_text())["headers"])
    description = ET.parse(ROOT / "firmware/fastleaky.fastleaky.pdsc")
    listed = {file.get("name") for file in description.iter("file")}
    assert listed == {"csrc/"} | {f"csrc/{name}" for name in named}
    assert all((ROOT / "csrc" / name).exists() for name in named)


def test_files_that_are_packed():
    for included in json.loads((ROOT / "library.json").read_text())["export"]["include"]:
        assert (ROOT / included).exists()
