"""Opens the files of scenes by their last name in a folder: addresses of catalogues stay as they are in tests."""

from pathlib import Path

from terrashot.raster.asset import open_asset


class Near:
    """An `OpenPlane`; picklable, as processes need it."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, plane):
        return open_asset(Path(self.folder) / plane.href.rsplit("/", 1)[1])
