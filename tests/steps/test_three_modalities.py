"""One study mixes optical, radar and coherence of pairs, each from its own kind of server on loopback."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rasterio")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))  # where they lie when one of them is run
from faults.earthdata import TOKEN, Earthdata, entry  # noqa: E402
from open_data_rehearsal import make, write_study  # noqa: E402
from rehearsal_ground import EDGE_LON_DEG, MIDDLE_LAT_DEG, Plan  # noqa: E402
from rehearsal_server import RehearsalServer  # noqa: E402

from coherence_fields import expected, frame  # noqa: E402
from terrashot.domain.grid import chip_from_id  # noqa: E402
from terrashot.steps.progress import finish  # noqa: E402
from terrashot.steps.run import Wishes, run_study  # noqa: E402
from terrashot.steps.status import study_status  # noqa: E402
from terrashot.store.chips import open_chip_store  # noqa: E402
from terrashot.store.study import find_study  # noqa: E402
from terrashot.store.tables import read_presence  # noqa: E402

PLAN = Plan(chips=6)
AT = (EDGE_LON_DEG, MIDDLE_LAT_DEG)
NAMES = {
    "S1-GUNW-A-R-088-tops-20200217_20200205-173210-44700N_44500N-PP-7a85-v2_0_4": (5.9, 44.5, 6.1, 44.7),
    "S1-GUNW-D-R-139-tops-20200310_20200215-055010-00006E_00044N-PP-6f1c-v3_0_1": (5.9, 44.5, 6.1, 44.7),
}
MIXED = """\
[source.coherence]
search_url = "{url}"
[grid]"""


def mixed_study(rehearsal, earthdata, folder):
    """The rehearsal's study with pairs in place of seasons."""
    path = write_study(PLAN, rehearsal, folder)
    before, _, rest = path.read_text().partition("[source.coherence]")
    text = before + MIXED.format(url=earthdata.search_url) + rest.partition("[grid]")[2]
    hosts = ", ".join(f'"{host}"' for host in sorted({rehearsal.host, *earthdata.hosts}))
    path.write_text(text.replace(f'allowed_hosts = ["{rehearsal.host}"]', f"allowed_hosts = [{hosts}]"))
    return find_study(path.parent)


@pytest.mark.slow
@pytest.mark.parametrize("coherence", ["pairs", "seasons"])
def test_one_study_has_all_three_modalities_of_every_chip(tmp_path, monkeypatch, coherence):
    make(PLAN, tmp_path)
    products = {
        name: frame(tmp_path / f"{name}.nc", AT, west, south, east, north).read_bytes()
        for name, (west, south, east, north) in NAMES.items()
    }
    with Earthdata(products) as earthdata, RehearsalServer(tmp_path / "served") as rehearsal:
        for name, content in products.items():
            md5 = hashlib.md5(content).hexdigest()
            earthdata.entries.append(entry(name, earthdata.url_of(name), NAMES[name], len(content), md5))
        monkeypatch.setenv("EARTHDATA_TOKEN", TOKEN)
        monkeypatch.setenv("EARTHDATA_HOSTS", f"{earthdata.host('login')} {earthdata.host('files')}")
        study = find_study(write_study(PLAN, rehearsal, tmp_path).parent)
        if coherence == "pairs":
            study = mixed_study(rehearsal, earthdata, tmp_path)
        finish(run_study(study, Wishes(only=("chips", "ingest"))))
        answer = study_status(study)
    presence, store = read_presence(study.presence), open_chip_store(study.folder)
    is_there = presence.status == "ok"
    for chip_id in store.chip_ids:
        own = is_there & (presence.chip_id == chip_id)
        assert set(presence.modality[own]) == {"s2rgbm", "s1grdm", "gunw"}
        channels = list(presence.channel[own & (presence.modality == "gunw")])
        if coherence == "seasons":
            assert channels == ["2019-12_winter_vv_coh12", "2020-06_summer_vv_coh12"]
            continue
        assert channels == ["20200217_20200205_A088", "20200310_20200215_D139"]
        planes = store.read("gunw", [(chip_id, at.slot) for at in store.channels(chip_id, "gunw")])
        wanted = expected(chip_from_id(chip_id), planes.shape[-1], AT)
        # Upsampled from 4 cells to 32 pixels: the outer half of the outer cells holds its cell's value.
        inner = np.s_[:, 4:-4, 4:-4]
        assert np.abs(planes[inner] - wanted[4:-4, 4:-4]).max() < 0.006
    assert bool(answer.facts["pairs"]) == (coherence == "pairs")
    if coherence == "pairs":
        assert answer.facts["pairs"]["edge"]["by_days"] == {"12": len(store.chip_ids), "24": len(store.chip_ids)}
