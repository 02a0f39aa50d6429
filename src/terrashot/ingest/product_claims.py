"""Whether a product's file is the one that its name tells of: under another's name it would give a pair the numbers of another."""

from typing import Final

from terrashot.domain.coherence_pair import ProductName
from terrashot.errors import InputError
from terrashot.raster.gunw_product import GunwProduct

NEAR_DEG: Final = 2.0
"""Names tell the place in whole degrees, or that of the swath, from which the file's own cells lie up to a degree off."""


def refuse_another(product: GunwProduct, name: ProductName) -> None:
    """Nothing.

    Raises:
        InputError: the file's scenes are of other days, or its cells lie elsewhere, than the name tells; names the file.
    """
    for told, day in zip(product.days, (name.pair.later, name.pair.earlier), strict=True):
        if told and f"{day:%Y%m%d}" not in told:
            raise InputError(
                f"{product.path}: its name tells of {day}, its scenes of {', '.join(sorted(told))}; fetch it anew"
            )
    if not _is_there(product, name):
        west, south, east, north = product.place.bounds
        raise InputError(
            f"{product.path}: its cells lie {west:.2f} to {east:.2f} east, {south:.2f} to {north:.2f} north, not where its name "
            "tells; fetch it anew"
        )


def _is_there(product: GunwProduct, name: ProductName) -> bool:
    west, south, east, north = product.place.bounds
    is_latitude = south - NEAR_DEG <= name.lat_deg[1] and name.lat_deg[0] <= north + NEAR_DEG
    if name.west_deg is None:
        return is_latitude
    return is_latitude and (name.west_deg - (west - NEAR_DEG)) % 360 <= east - west + 2 * NEAR_DEG
