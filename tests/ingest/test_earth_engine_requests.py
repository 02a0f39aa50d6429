"""What exactly Earth Engine is asked: the expressions on the wire, the grid, and how a window is cut to its limits."""

import importlib.util
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_earth_engine import FUNCTIONS, FakeEarthEngine
from terrashot.domain.grid import Grid
from terrashot.errors import InputError
from terrashot.ingest.each_once import Delivery, Pass
from terrashot.ingest.earthengine.expression import call, expression_of, load_image, select
from terrashot.ingest.earthengine.labels import EarthEngineLabels, MapLabel
from terrashot.ingest.earthengine.maps import MAPS
from terrashot.ingest.earthengine.optical import list_optical, optical_layer
from terrashot.ingest.earthengine.radar import list_radar, radar_layers
from terrashot.ingest.earthengine.window import LONGEST_SIDE_PX, REQUEST_BYTES, Band, pixels_body, requests_for
from terrashot.ingest.months import window_utc
from terrashot.raster.onto_chip import chip_place
from terrashot.raster.place import RasterPlace

CHIP = Grid(32632, 4480).chip_at(500_000, 5_000_000)
JANUARY = window_utc("2020-01")
S2, S1 = "COPERNICUS/S2_SR_HARMONIZED", "COPERNICUS/S1_GRD_FLOAT"
FRAME = "S1A_IW_GRDH_1SSV_20200103T050000_20200103T050025_031234_03A1B2_ABCD"


def calls(name, **arguments):
    return {"functionInvocationValue": {"functionName": name, "arguments": arguments}}


def constant(value):
    return {"constantValue": value}


def number(value):
    return calls("Image.constant", value=constant(value))


def passed(*names):
    deliveries = tuple(Delivery(name, "sentinel-2a", JANUARY[0], True, name[-5:]) for name in names)
    return Pass(deliveries)


def unfolded(expression):
    """The expression without references: what is written once and used twice stands in both places."""

    def whole(node):
        if isinstance(node, dict) and set(node) == {"valueReference"}:
            return whole(expression["values"][node["valueReference"]])
        if isinstance(node, dict):
            return {key: whole(value) for key, value in node.items()}
        return [whole(item) for item in node] if isinstance(node, list) else node

    return whole(expression["values"][expression["result"]])


def test_the_question_for_pixels_names_the_chips_own_lattice():
    body = pixels_body({"result": "0"}, [Band("red", "float32"), Band("clear0", "uint32")], chip_place(CHIP, 448))
    assert body == {
        "expression": {"result": "0"},
        "fileFormat": "NPY",
        "bandIds": ["red", "clear0"],
        "grid": {
            "crsCode": "EPSG:32632",
            "dimensions": {"width": 448, "height": 448},
            "affineTransform": {
                "scaleX": 10.0, "shearX": 0.0, "translateX": 497280.0, "shearY": 0.0, "scaleY": -10.0, "translateY": 5000320.0,
            },
        },
    }  # fmt: skip


def test_the_question_of_what_lies_over_a_chip():
    class Nothing(FakeEarthEngine):
        def value(self, expression):
            self.asked.append(("value", expression))
            return {"list": []}

    engine = Nothing({})
    list_radar(engine, CHIP, *JANUARY)
    images = calls("ImageCollection.load", id=constant(S1))
    square = calls(
        "GeometryConstructors.Rectangle",
        coordinates=constant([497280.0, 4995840.0, 501760.0, 5000320.0]),
        crs=calls("Projection", crs=constant("EPSG:32632")),
        geodesic=constant(False),
    )
    span = calls("DateRange", start=constant("2020-01-01T00:00:00"), end=constant("2020-02-01T00:00:00"))
    for condition in (
        calls("Filter.intersects", leftField=constant(".all"), rightValue=calls("Feature", geometry=square)),
        calls("Filter.dateRangeContains", leftValue=span, rightField=constant("system:time_start")),
        calls("Filter.equals", leftField=constant("instrumentMode"), rightValue=constant("IW")),
        calls("Filter.equals", leftField=constant("resolution_meters"), rightValue=constant(10)),
    ):
        images = calls("Collection.filter", collection=images, filter=condition)
    ((kind, asked),) = engine.asked
    assert kind == "value" and unfolded(asked) == calls(
        "Collection.reduceColumns",
        collection=images,
        reducer=calls("Reducer.toList", tupleSize=constant(3), numOptional=constant(2)),
        selectors=constant(["system:index", "system:time_start", "orbitProperties_pass"]),
    )


def test_a_month_of_radar_spelled_out():
    layer, _ = radar_layers([Pass((Delivery(FRAME, "sentinel-1a", JANUARY[0], True),))])
    stored = calls(
        "Image.select", input=calls("Image.load", id=constant(f"{S1}/{FRAME}")), bandSelectors=constant(["VV"])
    )
    power = calls("Image.updateMask", image=stored, mask=calls("Image.gt", image1=stored, image2=number(0)))
    mean = calls(
        "reduce.mean", collection=calls("ImageCollection.fromImages", images={"arrayValue": {"values": [power]}})
    )

    def whole(image):
        return calls("Image.unmask", input=image, value=number(0), sameFootprint=constant(False))

    seen = calls("Image.mask", image=calls("Image.select", input=power, bandSelectors=constant(["VV"])))
    there = calls("Image.toDouble", value=calls("Image.gt", image1=seen, image2=number(0)))
    bit = calls("Image.multiply", image1=whole(there), image2=number(1.0))
    bits = calls("reduce.sum", collection=calls("ImageCollection.fromImages", images={"arrayValue": {"values": [bit]}}))
    values = calls("Image.rename", input=whole(calls("Image.toFloat", value=mean)), names=constant(["radar_vv_VV"]))
    counts = calls("Image.rename", input=calls("Image.toUint32", value=bits), names=constant(["radar_vv_clear0"]))
    asked = expression_of(layer.image_of("mean"))
    assert unfolded(asked) == calls("Image.addBands", dstImg=values, srcImg=counts)
    assert json.dumps(asked).count(f"{S1}/{FRAME}") == 1  # what is used four times is written once


def test_a_pass_of_two_tiles_is_one_image_the_first_on_top_behind_its_mask():
    layer = optical_layer(("red",), [passed("a_T32TNR", "b_T32TPR")], "scl")
    (clear,) = layer.clear

    def granule(name):
        image = calls("Image.load", id=constant(f"{S2}/{name}"))
        red = calls("Image.select", input=image, bandSelectors=constant(["B4"]))
        least = calls("Image.reduce", image=calls("Image.mask", image=red), reducer=calls("Reducer.min"))
        ground = calls(
            "Image.remap", image=image, bandName=constant("SCL"), defaultValue=constant(0),
            **{"from": constant([2, 4, 5, 6, 7, 11]), "to": constant([1, 1, 1, 1, 1, 1])},
        )  # fmt: skip
        return calls("Image.updateMask", image=calls("Image.updateMask", image=red, mask=least), mask=ground)

    images = {"arrayValue": {"values": [granule("b_T32TPR"), granule("a_T32TNR")]}}
    assert unfolded(expression_of(clear)) == calls(
        "ImageCollection.mosaic", collection=calls("ImageCollection.fromImages", images=images)
    )


def test_a_label_spelled_out():
    engine = FakeEarthEngine({})
    with pytest.raises(IndexError):  # there is no such map here
        EarthEngineLabels(engine, (MapLabel("cropland", "worldcover-v100", 2020, (40,)),)).read(CHIP.id)
    own = calls("Collection.first", collection=calls("ImageCollection.load", id=constant("ESA/WorldCover/v100")))
    own = calls("Image.select", input=own, bandSelectors=constant(["Map"]))
    share = calls("Image.remap", image=own, defaultValue=constant(0), **{"from": constant([40]), "to": constant([1])})
    measured = calls(
        "Image.and",
        image1=calls("Image.gte", image1=own, image2=number(10)),
        image2=calls("Image.lte", image1=own, image2=number(100)),
    )
    everywhere = calls("Image.unmask", input=measured, value=number(0), sameFootprint=constant(False))
    image = calls(
        "Image.addBands",
        dstImg=calls(
            "Image.rename", input=calls("Image.updateMask", image=share, mask=measured), names=constant(["value"])
        ),
        srcImg=calls("Image.rename", input=everywhere, names=constant(["valid"])),
    )
    square = calls(
        "GeometryConstructors.Rectangle",
        coordinates=constant(list(CHIP.bounds_m)),
        crs=calls("Projection", crs=constant("EPSG:32632")),
        geodesic=constant(False),
    )
    assert unfolded(engine.asked[0][1]) == calls(
        "Image.reduceRegion", image=image, reducer=calls("Reducer.mean"), geometry=square,
        crs=calls("Image.projection", image=own), maxPixels=constant(100_000_000),
    )  # fmt: skip


def test_what_is_used_twice_is_written_once_and_means_the_same():
    image = select(load_image("a"), "x")
    both = call("Image.and", image1=image, image2=image)
    asked = expression_of(both)
    assert asked == {
        "result": "0",
        "values": {
            "0": calls("Image.and", image1={"valueReference": "1"}, image2={"valueReference": "1"}),
            "1": unfolded(expression_of(image)),
        },
    }


@given(
    width_px=st.integers(1, 5000), height_px=st.integers(1, 5000), n_float=st.integers(1, 40), n_bits=st.integers(0, 40)
)
@settings(max_examples=60)
def test_requests_keep_to_the_limits_and_leave_nothing_out(width_px, height_px, n_float, n_bits):
    bands = [Band(f"f{number}", "float32") for number in range(n_float)] + [
        Band(f"u{number}", "uint32") for number in range(n_bits)
    ]
    found = requests_for(bands, RasterPlace("EPSG:32632", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), width_px, height_px))
    assert all(request.n_bytes(width_px) <= REQUEST_BYTES for request in found)
    covered = np.zeros(height_px, int)
    for request in found:
        covered[request.rows] += len(request.bands)
    assert (covered == len(bands)).all()
    asked = [(request.rows.start, band.name) for request in found for band in request.bands]
    assert len(set(asked)) == len(asked)


def test_a_chip_of_the_paper_is_one_request_a_month_and_a_side_too_long_is_refused():
    month = [Band(name, "float32") for name in "rgb"] + [Band(name, "uint32") for name in "cs"]
    (whole,) = requests_for(month, chip_place(CHIP, 448))
    assert whole.n_bytes(448) == 448 * 448 * 5 * 5
    with pytest.raises(InputError, match="32768"):
        requests_for(month, RasterPlace("EPSG:32632", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), LONGEST_SIDE_PX + 1, 1))


needs_library = pytest.mark.skipif(
    importlib.util.find_spec("ee") is None, reason="earthengine-api is not installed (extra earthengine)"
)


@pytest.fixture(scope="module")
def library():
    """Google's own library, told of its functions by the list that it brings along; no network."""
    import ee
    from ee import apitestcase

    patched = pytest.MonkeyPatch()
    patched.setattr(ee.data, "_install_cloud_api_resource", lambda: None)
    patched.setattr(ee.data, "getAlgorithms", apitestcase.GetAlgorithms)
    patched.setattr(ee.deprecation, "_FetchDataCatalogStac", dict)
    ee.Initialize(None, "", project="my-project")
    yield ee
    ee.Reset()
    patched.undo()


@needs_library
def test_every_function_that_we_call_is_one_of_theirs_with_these_arguments(library):
    known = library.ApiFunction.allSignatures()
    for name, asked in all_questions():
        for function, arguments in every_call(unfolded(asked)):
            takes = {argument["name"]: argument for argument in known[function]["args"]}
            assert set(arguments) <= set(takes), (name, function)
            assert {key for key, value in takes.items() if not value.get("optional")} <= set(arguments), (
                name,
                function,
            )


@needs_library
def test_a_month_is_written_as_their_library_writes_it(library):
    ee = library
    image = ee.Image(f"{S1}/{FRAME}").select(["VV"])
    power = image.updateMask(image.gt(0))
    values = ee.ImageCollection.fromImages([power]).mean().toFloat().unmask(0, False).rename(["radar_vv_VV"])
    bit = power.select(["VV"]).mask().gt(0).toDouble().unmask(0, False).multiply(1.0)
    bits = ee.ImageCollection.fromImages([bit]).sum().toUint32().rename(["radar_vv_clear0"])
    theirs = ee.serializer.encode(values.addBands(bits), is_compound=False)
    layer, _ = radar_layers([Pass((Delivery(FRAME, "sentinel-1a", JANUARY[0], True),))])
    assert unfolded(expression_of(layer.image_of("mean"))) == theirs


@needs_library
def test_what_lies_over_a_chip_is_asked_as_their_library_asks_it(library):
    ee = library

    class Nothing(FakeEarthEngine):
        def value(self, expression):
            self.asked.append(("value", expression))
            return {"list": []}

    engine = Nothing({})
    list_optical(engine, CHIP, *JANUARY, 80.0)
    square = ee.Geometry.Rectangle(list(CHIP.bounds_m), "EPSG:32632", False)
    images = ee.ImageCollection(S2).filterBounds(square).filterDate("2020-01-01T00:00:00", "2020-02-01T00:00:00")
    images = images.filter(ee.Filter.lte("CLOUDY_PIXEL_PERCENTAGE", 80))
    names = ["system:index", "system:time_start", "PRODUCT_ID", "DATASTRIP_ID", "GENERATION_TIME", "MGRS_TILE"]
    theirs = ee.serializer.encode(images.reduceColumns(ee.Reducer.toList(6, 5), names), is_compound=False)
    assert unfolded(engine.asked[0][1]) == theirs


def all_questions():
    """One of each kind that we ask."""
    months = [passed("a_T32TNR", "b_T32TPR"), passed("c_T32TNR")]
    for mask in ("scl", "qa60", "cloud_score"):
        for statistic in ("mean", "median"):
            layer = optical_layer(("red", "nir"), months, mask, frozenset({"a_T32TNR"}))
            yield f"{mask} {statistic}", expression_of(layer.image_of(statistic))
    for name in MAPS:
        engine = FakeEarthEngine({})
        classes = (40,) if name.startswith("worldcover") else ()
        with pytest.raises((IndexError, KeyError)):
            EarthEngineLabels(engine, (MapLabel("t", name, 2020, classes),)).read(CHIP.id)
        yield name, engine.asked[0][1]
    engine = FakeEarthEngine({})
    list_optical(engine, CHIP, *JANUARY, 80.0)
    yield "listed", engine.asked[0][1]


def every_call(node):
    if isinstance(node, dict):
        if "functionName" in node:
            yield node["functionName"], node["arguments"]
        for value in node.values():
            yield from every_call(value)
    if isinstance(node, list):
        for value in node:
            yield from every_call(value)


def test_the_fake_knows_every_function_that_is_called():
    called = {function for _, asked in all_questions() for function, _ in every_call(unfolded(asked))}
    assert called <= {*FUNCTIONS, "Image.reduceRegion"}
