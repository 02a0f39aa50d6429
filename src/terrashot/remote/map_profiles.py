"""Reference maps in STAC catalogues, in the form of `profiles.py`. Items say a year or a span of years, not a moment."""

from terrashot.errors import UsageError
from terrashot.remote.profiles import PC_SEARCH, PLANETARY_COMPUTER, Profile

MAP = "map"
"""The channel of every map."""


def _worldcover(version: str) -> Profile:
    return Profile(
        PLANETARY_COMPUTER, PC_SEARCH, "esa-worldcover", {MAP: "map"}, "classes", signing="planetary-computer", nodata=0.0,
        query={"esa_worldcover:product_version": {"eq": version}},
    )  # fmt: skip


MAP_PROFILES: dict[str, Profile] = {
    "planetary-computer/esa-worldcover-2020": _worldcover("1.0.0"),
    "planetary-computer/esa-worldcover-2021": _worldcover("2.0.0"),
    "planetary-computer/jrc-gsw": Profile(
        PLANETARY_COMPUTER, PC_SEARCH, "jrc-gsw", {MAP: "occurrence"}, "percent", signing="planetary-computer"
    ),
}
"""By catalogue and product. Checked against a real item of each; the addresses of the search are second-hand."""


def map_profile_of(name: str) -> Profile:
    """The profile of that name.

    Raises:
        UsageError: there is none; names those that there are.
    """
    if name not in MAP_PROFILES:
        raise UsageError(f"no map profile '{name}'; there are {', '.join(MAP_PROFILES)}")
    return MAP_PROFILES[name]
