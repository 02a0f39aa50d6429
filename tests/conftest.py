"""Shape and type checking of every annotated function is on while tests run."""

from pathlib import Path

import pytest
from jaxtyping import install_import_hook

install_import_hook("terrashot", "typechecking.checked")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real sample data; a test that needs it skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real sample data (../shared/data) is not here")
    return SHARED
