"""The sample records by name: what every page, table and document has to cope with."""

from typing import Final

from bench.records.enums import WeightMode
from bench.records.record import Record
from tests.samples import cards, odd_predictions
from tests.samples import predictions as derived
from tests.samples import records as sample

RECORDS: Final[dict[str, Record]] = {
    "smoke": sample.smoke(),
    "standard": sample.standard(),
    "random weights": sample.standard(WeightMode.RANDOM),
    "48 measured": sample.all_measured_48(),
    "unsupported": sample.all_unsupported(),
    "nothing fits": sample.nothing_fits(),
    "interrupted": sample.interrupted(),
    "hostile": sample.hostile(),
    "empty": sample.record([]),
    "card": cards.rtx_4070(),
    "emulated": cards.emulated(),
    "hostile card": cards.hostile(),
    "derived": derived.derived_record(),
    "derived CPU": derived.derived_record(device=sample.CPU, clips=(10.0,)),
    "hostile derived": odd_predictions.hostile(),
}
