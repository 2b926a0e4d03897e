import csv
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.olist import OlistHistory, read_olist
from streams.olist_tables import OlistError
from tests.streams.olist_files import SELLER_A, SELLER_B, Table, data_set, item, write_files

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "olist"


def ms(text: str) -> int:
    """A time of the files in ms, read as UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def events_of(history: OlistHistory) -> list[dict[str, Any]]:
    """The events of an import, checking what all of them share."""
    events = []
    for record in history.records:
        event = orjson.loads(record.value or b"")
        assert record.key == event["merchant_id"].encode()
        assert record.timestamp == event["occurred_at"]
        assert record.topic == ("listings" if event["type"] == "listing.created" else "orders")
        events.append(event)
    return events


def reasons(history: OlistHistory) -> dict[tuple[str, int], str]:
    """Rejected rows: (table, line) -> reason."""
    return {(reject.file.partition(".")[0], reject.line): reject.reason for reject in history.rejects}


def test_the_mapping_as_a_whole(tmp_path: Path) -> None:
    """The events of two orders are exactly these, in the order of their times, and no row is left over."""
    history = read_olist(write_files(tmp_path, data_set()))
    a, b = SELLER_A[:8], SELLER_B[:8]
    order_one = {"merchant_id": SELLER_A, "order_id": "o1"}
    part_a = {"merchant_id": SELLER_A, "order_id": f"o2-{a}"}
    part_b = {"merchant_id": SELLER_B, "order_id": f"o2-{b}"}
    second, first = ms("2017-04-30 23:59:59"), ms("2017-05-01 10:00:00")
    promise = {"currency": "BRL", "buyer_id": "u1", "ship_by": ms("2017-05-04 10:10:00")}
    listing = {"type": "listing.created", "title": "", "currency": "BRL"}
    common_two = {"type": "order.created", "occurred_at": second, "deliver_by": ms("2017-05-25"), "ship_to": "BR-RJ"}
    expected: list[dict[str, Any]] = [
        listing
        | {"event_id": f"p1-{a}.created", "occurred_at": second, "merchant_id": SELLER_A, "listing_id": f"p1-{a}"}
        | {"category": "health_beauty", "price": 1200, "ship_from": "BR-SP"},
        listing
        | {"event_id": f"p1-{b}.created", "occurred_at": second, "merchant_id": SELLER_B, "listing_id": f"p1-{b}"}
        | {"category": "health_beauty", "price": 1100, "ship_from": "BR-PR"},
        part_a
        | promise
        | common_two
        | {"event_id": f"o2-{a}.created", "total": 1425}
        | {"items": [{"listing_id": f"p1-{a}", "quantity": 1, "unit_price": 1200}]},
        part_b
        | promise
        | common_two
        | {"event_id": f"o2-{b}.created", "total": 1110}
        | {"items": [{"listing_id": f"p1-{b}", "quantity": 1, "unit_price": 1100}]},
        listing
        | {"event_id": f"p2-{a}.created", "occurred_at": first, "merchant_id": SELLER_A, "listing_id": f"p2-{a}"}
        | {"category": "unknown", "price": 790, "ship_from": "BR-SP"},
        order_one
        | promise
        | {"event_id": "o1.created", "type": "order.created", "occurred_at": first, "total": 3090}
        | {"deliver_by": ms("2017-05-20"), "ship_to": "BR-SP"}
        | {
            "items": [
                {"listing_id": f"p1-{a}", "quantity": 2, "unit_price": 1000},
                {"listing_id": f"p2-{a}", "quantity": 1, "unit_price": 790},
            ]
        },
        *(
            part
            | {"event_id": f"{part['order_id']}.cancelled", "type": "order.cancelled"}
            | {"occurred_at": ms("2017-05-02 08:00:00"), "by": "platform", "reason": "canceled"}
            for part in (part_a, part_b)
        ),
        order_one
        | {"event_id": "o1.shipped", "type": "order.shipped", "occurred_at": ms("2017-05-03 09:00:00")}
        | {"carrier": "unknown", "tracking_number": "olist-o1"},
        order_one | {"event_id": "o1.delivered", "type": "order.delivered", "occurred_at": ms("2017-05-20 12:00:00")},
        order_one
        | {"event_id": "o1.reviewed.r1", "type": "order.reviewed", "occurred_at": ms("2017-05-21")}
        | {"rating": 2, "text": "Chegou tarde,\nmas chegou"},
    ]
    assert events_of(history) == expected
    assert history.rejects == []
    assert history.events == dict(Counter(event["type"] for event in expected))


def test_what_was_paid_in_all_stands_with_each_part(tmp_path: Path) -> None:
    """Payments of an order are added up; each seller's part of it says so. Rows that cannot be used are named."""
    tables = data_set()
    payment = [("o1", "20.00"), ("o1", "10.90"), ("o2", "25.35"), ("o2", "much"), ("o9", "1")]
    tables["olist_order_payments_dataset"] = [{"order_id": order, "payment_value": value} for order, value in payment]
    history = read_olist(write_files(tmp_path, tables))
    placed = [event for event in events_of(history) if event["type"] == "order.created"]
    paid = {event["order_id"].split("-")[0]: event["checkout_total"] for event in placed}
    assert (paid, len(placed)) == ({"o1": 3090, "o2": 2535}, 3)
    assert [(reject.line, reject.reason) for reject in history.rejects] == [(5, "bad_amount"), (6, "unknown_order")]


def test_plain_and_gzipped_files_give_the_same(tmp_path: Path) -> None:
    """The files may be as they were downloaded or packed one by one; the order of rows does not matter either."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "packed").mkdir()
    reversed_rows = {name: rows[::-1] for name, rows in data_set().items()}
    plain = read_olist(write_files(tmp_path / "plain", data_set(), gzipped=False))
    packed = read_olist(write_files(tmp_path / "packed", reversed_rows))
    in_any_order = [orjson.loads(record.value or b"") for record in packed.records]
    for event in in_any_order:
        event.get("items", []).sort(key=lambda line: line["listing_id"])
    assert in_any_order == [orjson.loads(record.value or b"") for record in plain.records]


def test_an_offset_moves_all_times_alike(tmp_path: Path) -> None:
    """With the offset of Brasilia every time, promises included, is three hours later in UTC."""
    write_files(tmp_path, data_set())
    there = events_of(read_olist(tmp_path, utc_offset=timedelta(hours=-3)))
    here = events_of(read_olist(tmp_path))
    for moved, kept in zip(there, here, strict=True):
        for name in ("occurred_at", "ship_by", "deliver_by"):
            assert moved.pop(name, 0) - kept.pop(name, 0) in (0, 3 * 3_600_000)
        assert moved == kept
    assert read_olist(tmp_path, utc_offset=timedelta(hours=-3)).records[0].timestamp == ms("2017-05-01 02:59:59")


ORDERS, ITEMS, REVIEWS = "olist_orders_dataset", "olist_order_items_dataset", "olist_order_reviews_dataset"
CUSTOMERS, SELLERS, PRODUCTS = "olist_customers_dataset", "olist_sellers_dataset", "olist_products_dataset"


def put(table: str, row: int, **fields: str) -> Callable[[dict[str, Table]], None]:
    """Overwrite fields of a row."""
    return lambda tables: tables[table][row].update(fields)


def add(table: str, **fields: str) -> Callable[[dict[str, Table]], None]:
    """Repeat the first row with other fields."""
    return lambda tables: tables[table].append(tables[table][0] | fields)


def remove(table: str, row: int) -> Callable[[dict[str, Table]], None]:
    """Take a row away; another one stands for the table."""
    return lambda tables: tables[table].__delitem__(row)


O1_GONE = {(ITEMS, 2), (ITEMS, 3), (ITEMS, 4), (REVIEWS, 2)}
O2_GONE = {(ITEMS, 5), (ITEMS, 6)}


@pytest.mark.parametrize(
    ("spoil", "where", "reason", "also"),
    [
        (put(ORDERS, 0, order_purchase_timestamp="yesterday"), (ORDERS, 2), "bad_time", O1_GONE),
        (put(ORDERS, 0, order_purchase_timestamp=""), (ORDERS, 2), "missing_value", O1_GONE),
        (put(ORDERS, 0, order_delivered_customer_date="2017-02-30 10:00:00"), (ORDERS, 2), "bad_time", O1_GONE),
        (put(ORDERS, 0, order_estimated_delivery_date="2017-W20-1"), (ORDERS, 2), "bad_time", O1_GONE),
        (put(ORDERS, 0, order_purchase_timestamp="1917-05-01 10:00:00"), (ORDERS, 2), "refused", O1_GONE),
        (put(ORDERS, 0, order_status="cancelled"), (ORDERS, 2), "unknown_status", O1_GONE),
        (put(ORDERS, 0, customer_id="c9"), (ORDERS, 2), "unknown_customer", O1_GONE),
        (put(CUSTOMERS, 0, customer_unique_id=""), (ORDERS, 2), "missing_value", O1_GONE),
        (put(ORDERS, 0, order_id=""), (ORDERS, 2), "missing_value", O1_GONE),
        (add(ORDERS), (ORDERS, 4), "duplicate", set()),
        (put(ITEMS, 2, price="ten"), (ITEMS, 4), "bad_amount", set()),
        (put(ITEMS, 2, price="-1"), (ITEMS, 4), "bad_amount", set()),
        (put(ITEMS, 2, price="NaN"), (ITEMS, 4), "bad_amount", set()),
        (put(ITEMS, 2, freight_value="0.005"), (ITEMS, 4), "bad_amount", set()),
        (put(ITEMS, 2, shipping_limit_date="soon"), (ITEMS, 4), "bad_time", set()),
        (put(ITEMS, 2, seller_id=""), (ITEMS, 4), "missing_value", set()),
        (put(ITEMS, 2, order_item_id="2"), (ITEMS, 4), "duplicate", set()),
        (put(ITEMS, 2, order_id="o9"), (ITEMS, 4), "unknown_order", set()),
        (add(ORDERS, order_id="o3"), (ORDERS, 4), "no_items", set()),
        (put(REVIEWS, 0, review_score="6"), (REVIEWS, 2), "bad_score", set()),
        (put(REVIEWS, 0, review_score=""), (REVIEWS, 2), "missing_value", set()),
        (put(REVIEWS, 0, order_id="o9"), (REVIEWS, 2), "unknown_order", set()),
        (add(REVIEWS), (REVIEWS, 4), "duplicate", set()),
        (add(CUSTOMERS, customer_unique_id="u7"), (CUSTOMERS, 4), "duplicate", set()),
        (add(CUSTOMERS, customer_id="c7"), (CUSTOMERS, 4), "not_referenced", set()),
        (add(SELLERS, seller_id=""), (SELLERS, 4), "missing_value", set()),
        (add(PRODUCTS, product_id="p7"), (PRODUCTS, 4), "not_referenced", set()),
    ],
)
def test_every_unusable_row_is_named(
    tmp_path: Path,
    spoil: Callable[[dict[str, Table]], None],
    where: tuple[str, int],
    reason: str,
    also: set[tuple[str, int]],
) -> None:
    """A spoiled row is rejected under its file, line and reason; what hangs on it is named too; the rest is used."""
    tables = data_set()
    spoil(tables)
    history = read_olist(write_files(tmp_path, tables))
    found = reasons(history)
    assert found[where] == reason
    kinds = {found[row] for row in also}
    assert kinds <= {"order_rejected", "unknown_order"}
    assert len(history.records) > 0
    expected = {where} | also
    # What only the rejected order referred to is left over.
    assert {row for row in found if found[row] != "not_referenced"} | {where} == expected


def test_an_order_is_used_without_the_items_that_cannot_be_read(tmp_path: Path) -> None:
    """One bad row of items costs its own part of the total, not the order."""
    tables = data_set()
    tables[ITEMS][2]["price"] = "ten"
    events = events_of(read_olist(write_files(tmp_path, tables)))
    assert next(event["total"] for event in events if event["event_id"] == "o1.created") == 2300


def test_missing_products_and_sellers_do_no_harm(tmp_path: Path) -> None:
    """Without the rows that describe them, the category and the region are unknown and the order is used."""
    tables = data_set()
    tables[ITEMS].append(item("o1", 4, "p9", "c" * 32, "1.00", "0.00"))
    history = read_olist(write_files(tmp_path, tables))
    listing = next(event for event in events_of(history) if event["event_id"] == f"p9-{'c' * 8}.created")
    assert listing["category"] == "unknown"
    assert "ship_from" not in listing
    assert history.rejects == []


def test_sellers_that_begin_alike_keep_ids_of_their_own(tmp_path: Path) -> None:
    """Where eight characters do not tell sellers apart, ids hold all of them."""
    tables = data_set()
    alike = SELLER_A[:8] + "x" * 24
    tables[SELLERS][1]["seller_id"] = tables[ITEMS][4]["seller_id"] = alike
    events = events_of(read_olist(write_files(tmp_path, tables)))
    assert {event["order_id"] for event in events if event["type"] == "order.created"} == {
        "o1",
        f"o2-{SELLER_A}",
        f"o2-{alike}",
    }


def test_categories_stay_portuguese_without_the_translation(tmp_path: Path) -> None:
    """The translation is a convenience, not a must."""
    tables = data_set()
    del tables["product_category_name_translation"]
    events = events_of(read_olist(write_files(tmp_path, tables)))
    assert events[0]["category"] == "beleza_saude"


def test_missing_files_are_named_at_once(tmp_path: Path) -> None:
    """The message lists all files that are missing."""
    tables = data_set()
    del tables[ORDERS], tables[SELLERS]
    with pytest.raises(OlistError, match=rf"lacks {ORDERS}\.csv, {SELLERS}\.csv"):
        read_olist(write_files(tmp_path, tables))


def test_missing_columns_are_named(tmp_path: Path) -> None:
    """A file of another shape is refused with the columns that it lacks."""
    tables = data_set()
    for row in tables[ITEMS]:
        del row["price"]
    with pytest.raises(OlistError, match=rf"{ITEMS}.*lacks the columns price"):
        read_olist(write_files(tmp_path, tables))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """A file without a header is not a table."""
    write_files(tmp_path, data_set())
    (tmp_path / f"{ORDERS}.csv.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(OlistError, match="lacks the columns order_id"):
        read_olist(tmp_path)


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-20], lambda data: b"no gzip" + data, lambda data: data[:60] + b"x" + data[61:]]
)
def test_a_broken_file_is_an_error(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    """A damaged download is not half imported."""
    path = write_files(tmp_path, data_set()) / f"{ORDERS}.csv.gz"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(OlistError, match=re.escape(str(path))):
        read_olist(tmp_path)


def test_misshapen_rows_are_named_by_the_line_they_begin_on(tmp_path: Path) -> None:
    """Too few or too many fields, bytes that are not UTF-8 and endless fields spoil one row each."""
    path = write_files(tmp_path, data_set(), gzipped=False) / f"{REVIEWS}.csv"
    good = path.read_bytes()
    end = b"2017-05-21 00:00:00,2017-05-22 01:00:00\n"
    extra = (
        b"r2,o1\nr3,o1,5,,," + end.strip() + b",7\nr4,o1,5,,\xff," + end + b'r5,o1,5,,"' + b"x" * 200_000 + b'",' + end
    )
    path.write_bytes(b"\xef\xbb\xbf" + good + extra + b"\nr6,o1,4,,," + end)
    history = read_olist(tmp_path)
    assert reasons(history) == {
        (REVIEWS, 4): "wrong_column_count",
        (REVIEWS, 5): "wrong_column_count",
        (REVIEWS, 6): "not_utf8",
        (REVIEWS, 7): "unreadable_row",
    }
    assert [event["event_id"] for event in events_of(history) if "rating" in event] == [
        "o1.reviewed.r1",
        "o1.reviewed.r6",
    ]


# -- the rows that were given for development -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def development() -> OlistHistory:
    """The import of the development rows."""
    if not DATA.is_dir():
        pytest.skip(f"needs the Olist rows in {DATA}")
    return read_olist(DATA)


def rows_of(table: str) -> list[dict[str, str]]:
    """All rows of a development file."""
    with gzip.open(DATA / f"{table}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.data
def test_development_rows_are_all_accounted_for(development: OlistHistory) -> None:
    """Every row of every file was used or is in the rejects, once."""
    places = [(reject.file, reject.line) for reject in development.rejects]
    assert len(places) == len(set(places))
    rejected = Counter(reject.file.removesuffix(".csv.gz") for reject in development.rejects)
    events = events_of(development)
    orders = {event["event_id"].split(".")[0].split("-")[0] for event in events if event["type"] == "order.created"}
    units = sum(line["quantity"] for event in events for line in event.get("items", ()))
    reviews = {event["event_id"].rsplit(".", 1)[1] for event in events if event["type"] == "order.reviewed"}
    for table, used in ((ORDERS, len(orders)), (ITEMS, units), (REVIEWS, len(reviews))):
        assert development.rows[table] == len(rows_of(table)) == used + rejected[table], table


@pytest.mark.data
def test_development_events_are_in_event_time_order_with_ids_of_their_own(development: OlistHistory) -> None:
    """Times rise, ids are unique, and an order's creation stands before what follows at the same moment."""
    times = [record.timestamp or 0 for record in development.records]
    assert times == sorted(times)
    ids = [event["event_id"] for event in events_of(development)]
    assert len(ids) == len(set(ids))


@pytest.mark.data
def test_development_counts_match_the_files(development: OlistHistory) -> None:
    """Orders, money and lateness by seller are those of a plain join of the files."""
    known = {row["customer_id"] for row in rows_of(CUSTOMERS)}
    orders = {row["order_id"]: row for row in rows_of(ORDERS) if row["customer_id"] in known}
    money: defaultdict[tuple[str, str], float] = defaultdict(float)
    for row in rows_of(ITEMS):
        if row["order_id"] in orders:
            money[row["seller_id"], row["order_id"]] += float(row["price"]) + float(row["freight_value"])
    events = events_of(development)
    created = {
        (event["merchant_id"], event["order_id"].split("-")[0]): event
        for event in events
        if event["type"] == "order.created"
    }
    assert created.keys() == money.keys()
    for key, event in created.items():
        assert event["total"] == round(money[key] * 100)
        assert event["occurred_at"] == ms(orders[key[1]]["order_purchase_timestamp"])
    delivered = {
        (event["merchant_id"], event["order_id"]): event for event in events if event["type"] == "order.delivered"
    }
    late = sum(
        delivered[event["merchant_id"], event["order_id"]]["occurred_at"] > event["deliver_by"]
        for event in created.values()
        if (event["merchant_id"], event["order_id"]) in delivered
    )
    # "About 8 % of orders are late", as documented for these rows.
    assert late / len(delivered) == pytest.approx(0.078, abs=0.002)
