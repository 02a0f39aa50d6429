"""Names of tiles of whole degrees, as makers of maps call them."""


def corner_name(lon_deg: int, lat_deg: int) -> str:
    """The name of a tile's corner: `N00E006`, `S03W069`."""
    return f"{'NS'[lat_deg < 0]}{abs(lat_deg):02d}{'EW'[lon_deg < 0]}{abs(lon_deg):03d}"
