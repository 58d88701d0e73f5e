"""What a signature covers: every byte of the statement, and nothing that another key can claim."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import RecordError
from bench.identity.dsse import key_id_of
from bench.identity.envelope import read_bundle, sign
from bench.store.record_files import write_record
from tests.identity.signers import as_file, bundled, json_of, signed, signed_by_nobody, signer
from tests.samples import records as sample

Make = Callable[[bytes], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a bundle."""

    def written(content: bytes) -> Path:
        path = tmp_path / "x.bundle.json"
        path.write_bytes(content)
        return path

    return written


def statement(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(content)["payload"]))
    return found


def test_a_bundle_is_what_its_key_signed(make: Make) -> None:
    bundle = read_bundle(make(bundled(sample.smoke(), handle="ada", note="A quiet room.")))
    assert bundle.is_signed
    assert bundle.record == sample.smoke()
    assert (bundle.submission.handle, bundle.submission.note) == ("ada", "A quiet room.")
    assert bundle.submission.license == "CC0-1.0"
    assert bundle.key_id == signer().public_key.keyid == key_id_of(bundle.submission.public_key)


def test_the_same_input_gives_the_same_bytes() -> None:
    first = bundled(sample.smoke(), handle="ada", note="x")
    assert first == bundled(sample.smoke(), handle="ada", note="x")
    assert first != bundled(sample.smoke(), handle="ada", note="y")
    assert first != bundled(sample.smoke(), 2, handle="ada", note="x")


def test_a_record_by_itself_is_no_bundle(tmp_path: Path) -> None:
    write_record(sample.smoke(), tmp_path / "r.json")
    with pytest.raises(RecordError, match="is a record without a signature"):
        read_bundle(tmp_path / "r.json")


@pytest.mark.parametrize(
    ("field", "value"),
    [("handle", "eve"), ("note", "Fast!"), ("public_key", signer(2).public_key.keyval["public"])],
)
def test_a_changed_statement_does_not_hold(make: Make, field: str, value: str) -> None:
    content = bundled(sample.smoke(), handle="ada", note="x")
    changed = statement(content)
    changed["predicate"][field] = value
    kept = json.loads(content)["signatures"]
    path = make(as_file(json.loads(signed(changed)) | {"signatures": kept}))
    assert read_bundle(path).signature_holds is False


def test_a_signature_by_another_key_does_not_hold(make: Make) -> None:
    path = make(signed(statement(bundled(sample.smoke(), 1)), seed=2))
    bundle = read_bundle(path)
    assert not bundle.signature_holds
    assert bundle.key_id == signer(1).public_key.keyid, "that of the key that the sender claims"


def test_a_swapped_key_id_does_not_hold(make: Make) -> None:
    changed = json.loads(bundled(sample.smoke()))
    changed["signatures"][0]["keyid"] = signer(2).public_key.keyid
    assert not read_bundle(make(as_file(changed))).signature_holds


@pytest.mark.parametrize("subject", [{"name": "0" * 12}, {"digest": {"sha256": "0" * 64}}])
def test_the_subject_is_the_record(make: Make, subject: dict[str, Any]) -> None:
    changed = statement(bundled(sample.smoke()))
    changed["subject"][0] |= subject
    bundle = read_bundle(make(signed(changed)))
    assert (bundle.signature_holds, bundle.subject_holds, bundle.is_signed) == (True, False, False)


def test_an_edited_record_that_is_signed_again_is_not_intact(make: Make) -> None:
    changed = statement(bundled(sample.smoke()))
    changed["predicate"]["record"]["machine_key"] = "0" * 32
    bundle = read_bundle(make(signed(changed)))
    assert (bundle.signature_holds, bundle.is_intact, bundle.is_signed) == (True, False, False)


@settings(max_examples=60)
@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_no_bit_of_a_signature_can_change(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    changed = json.loads(bundled(sample.smoke()))
    signature = bytearray(base64.b64decode(changed["signatures"][0]["sig"]))
    signature[place % len(signature)] ^= 1 << bit
    changed["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    path = tmp_path_factory.mktemp("bits") / "x.json"
    path.write_bytes(as_file(changed))
    assert not read_bundle(path).signature_holds


@settings(max_examples=60)
@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_no_bit_of_a_statement_can_change(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    changed = json.loads(bundled(sample.smoke()))
    payload = bytearray(base64.b64decode(changed["payload"]))
    payload[place % len(payload)] ^= 1 << bit
    changed["payload"] = base64.b64encode(payload).decode()
    path = tmp_path_factory.mktemp("bits") / "x.json"
    path.write_bytes(as_file(changed))
    try:
        assert not read_bundle(path).signature_holds
    except RecordError as error:
        assert str(error).isprintable()


def test_any_public_key_of_32_bytes_is_judged(make: Make) -> None:
    for key in ("00" * 32, "ff" * 32, "01" + "00" * 31):
        changed = statement(bundled(sample.smoke()))
        changed["predicate"]["public_key"] = key
        assert not read_bundle(make(signed(changed))).signature_holds


P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def doubled(x: int, y: int) -> tuple[int, int]:
    """Twice a point of edwards25519 (RFC 8032, section 5.1.4)."""
    twice = D * x * x * y * y % P
    return 2 * x * y * pow(1 + twice, -1, P) % P, (y * y + x * x) * pow(1 - twice, -1, P) % P


def x_of(y: int) -> int:
    """An x of a point, by the square root of RFC 8032, section 5.1.3."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    return root if root * root % P == square else root * pow(2, (P - 1) // 4, P) % P


ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_ORDER = [0, 1, P - 1, ORDER_8, P - ORDER_8]


@pytest.mark.parametrize("y", SMALL_ORDER, ids=hex)
def test_the_order_of_these_points_divides_8(y: int) -> None:
    point = x_of(y), y
    for _ in range(3):
        point = doubled(*point)
    assert point == (0, 1)


@pytest.mark.parametrize("y", [*SMALL_ORDER, P, P + 1])
@pytest.mark.parametrize("sign_of_x", [0, 1])
def test_a_key_without_a_secret_has_signed_nothing(make: Make, y: int, sign_of_x: int) -> None:
    key = (y | sign_of_x << 255).to_bytes(32, "little").hex()
    forged = signed_by_nobody(statement(bundled(sample.smoke())), key)
    assert not read_bundle(make(forged)).signature_holds


def test_a_handle_that_no_bundle_can_contain_is_not_signed() -> None:
    with pytest.raises(ValueError, match="handle"):
        sign(json_of(sample.smoke()), signer(), handle="two words")
