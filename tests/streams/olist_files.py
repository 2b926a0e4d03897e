"""A tiny Olist data set for tests, to be spoiled one field at a time."""

import csv
import gzip
import io
from pathlib import Path
from typing import Any, TypeAlias

Table: TypeAlias = list[dict[str, Any]]

SELLER_A = "a" * 32
SELLER_B = "b" * 32


def data_set() -> dict[str, Table]:
    """Two orders: o1 of seller A, delivered late and reviewed; o2 of sellers A and B, cancelled."""
    return {
        "olist_customers_dataset": [
            {"customer_id": "c1", "customer_unique_id": "u1", "customer_zip_code_prefix": "1", "customer_state": "SP"},
            {"customer_id": "c2", "customer_unique_id": "u1", "customer_zip_code_prefix": "1", "customer_state": "RJ"},
        ],
        "olist_order_items_dataset": [
            item("o1", 1, "p1", SELLER_A, "10.00", "1.5"),
            item("o1", 2, "p1", SELLER_A, "10.00", "1.5"),
            item("o1", 3, "p2", SELLER_A, "7.9", "0"),
            item("o2", 1, "p1", SELLER_A, "12", "2.25"),
            item("o2", 2, "p1", SELLER_B, "11", "0.1"),
        ],
        "olist_order_reviews_dataset": [
            {
                "review_id": "r1",
                "order_id": "o1",
                "review_score": "2",
                "review_comment_title": "",
                "review_comment_message": "Chegou tarde,\nmas chegou",
                "review_creation_date": "2017-05-21 00:00:00",
                "review_answer_timestamp": "2017-05-22 01:00:00",
            }
        ],
        "olist_orders_dataset": [
            {
                "order_id": "o1",
                "customer_id": "c1",
                "order_status": "delivered",
                "order_purchase_timestamp": "2017-05-01 10:00:00",
                "order_approved_at": "2017-05-01 10:10:00",
                "order_delivered_carrier_date": "2017-05-03 09:00:00",
                "order_delivered_customer_date": "2017-05-20 12:00:00",
                "order_estimated_delivery_date": "2017-05-20",
            },
            {
                "order_id": "o2",
                "customer_id": "c2",
                "order_status": "canceled",
                "order_purchase_timestamp": "2017-04-30 23:59:59",
                "order_approved_at": "2017-05-02 08:00:00",
                "order_delivered_carrier_date": "",
                "order_delivered_customer_date": "",
                "order_estimated_delivery_date": "2017-05-25 00:00:00",
            },
        ],
        "olist_products_dataset": [
            {"product_id": "p1", "product_category_name": "beleza_saude", "product_photos_qty": "1"},
            {"product_id": "p2", "product_category_name": "", "product_photos_qty": ""},
        ],
        "olist_sellers_dataset": [
            {"seller_id": SELLER_A, "seller_city": "mogi guacu", "seller_state": "SP"},
            {"seller_id": SELLER_B, "seller_city": "curitiba", "seller_state": "PR"},
        ],
        "product_category_name_translation": [
            {"product_category_name": "beleza_saude", "product_category_name_english": "health_beauty"}
        ],
    }


def item(order: str, number: int, product: str, seller: str, price: str, freight: str) -> dict[str, Any]:
    """A row of the order items."""
    return {
        "order_id": order,
        "order_item_id": str(number),
        "product_id": product,
        "seller_id": seller,
        "shipping_limit_date": "2017-05-04 10:10:00",
        "price": price,
        "freight_value": freight,
    }


def write_files(folder: Path, tables: dict[str, Table], *, gzipped: bool = True) -> Path:
    """Write the tables as files of the data set."""
    for name, rows in tables.items():
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        data = text.getvalue().encode()
        if gzipped:
            (folder / f"{name}.csv.gz").write_bytes(gzip.compress(data))
        else:
            (folder / f"{name}.csv").write_bytes(data)
    return folder
