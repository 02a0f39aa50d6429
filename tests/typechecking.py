"""The checker of annotations while tests run: beartype with whole numbers standing for numbers, as PEP 484 says."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
