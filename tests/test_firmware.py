"""The files that other builds read: they name what there is."""

import json
import re
import xml.etree.ElementTree as ET

from pages import ROOT


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
