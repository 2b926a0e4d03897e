"""A small folder of made-up data sets, laid out like the real ones."""

import csv
import gzip
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np

_START = datetime(2017, 1, 1)  # noqa: DTZ001 - Olist's times have no zone
_STATES = ("SP", "RJ", "MG")
#: Honest titles with much in them that only looks like a disguise.
TITLES: Final = tuple(
    f"{make} {thing} {size}"
    for make in ("acme", "b0lt 3000", "c.o.r.e", "d-light", "f1 x", "m3rlin")
    for thing in ("fridge freezer", "iphone 15 case", "1:1 scale model", "t-shirt 3xl", "hand blender", "usb c hub")
    for size in ("55 cm", "5 x 10", "s/m/l", "4k uhd a++", "b 2 b", "10.4 kg!")
)


def write_data(folder: Path) -> Path:
    """Olist with 500 orders (not gzipped), two anomaly sets, a fraud set (gzipped) with a pattern
    in January, and honest titles.
    """
    _write_olist(folder / "olist")
    (folder / "adbench").mkdir()
    for name in ("32_shuttle", "23_mammography"):
        random = np.random.default_rng(len(name))
        labels = random.random(1_500) < 0.05
        rows = random.normal(0, 1, (1_500, 4)) + 6 * labels[:, None]
        np.savez(folder / "adbench" / f"{name}.npz", X=rows, y=labels.astype(int))
    _write_fraud(folder / "fraud_ecommerce")
    (folder / "pricerunner").mkdir()
    offers: list[dict[str, Any]] = [
        {
            "title": title,
            "merchant_id": merchant,
            "cluster_id": title,
            "cluster_label": title,
            "category_label": "kitchen" if "fridge" in title or "blender" in title else "other",
        }
        for merchant in range(3)
        for title in TITLES
    ]
    _write(folder / "pricerunner" / "pricerunner_aggregate.csv", offers)
    return folder


def _write_olist(folder: Path) -> None:
    random = Random(1)
    folder.mkdir()
    orders: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    reviews: list[dict[str, Any]] = []
    for number in range(500):
        seller = random.randrange(8)
        created = _START + timedelta(hours=12 * number + random.random())
        estimate = created + timedelta(days=10)
        days = random.uniform(3, 9) + 4 * (seller < 2)
        delivered = created + timedelta(days=days)
        orders.append(
            {
                "order_id": f"o{number}",
                "customer_id": f"c{number % 90}",
                "order_status": "delivered",
                "order_purchase_timestamp": _text(created),
                "order_approved_at": _text(created),
                "order_delivered_carrier_date": _text(created + timedelta(days=days / 3)),
                "order_delivered_customer_date": _text(delivered),
                "order_estimated_delivery_date": _text(estimate),
            }
        )
        items.append(
            {
                "order_id": f"o{number}",
                "order_item_id": "1",
                "product_id": f"p{seller}{number % 3}",
                "seller_id": f"s{seller}",
                "shipping_limit_date": _text(created + timedelta(days=3)),
                "price": f"{random.uniform(5, 90):.2f}",
                "freight_value": "4.10",
            }
        )
        if number % 2:
            reviews.append(
                {
                    "review_id": f"r{number}",
                    "order_id": f"o{number}",
                    "review_score": str(random.choice((1, 2) if delivered > estimate else (2, 4, 5, 5))),
                    "review_comment_message": "",
                    "review_creation_date": _text(delivered + timedelta(days=1)),
                }
            )
    _write(folder / "olist_orders_dataset.csv", orders)
    _write(folder / "olist_order_items_dataset.csv", items)
    _write(folder / "olist_order_reviews_dataset.csv", reviews)
    _write(
        folder / "olist_customers_dataset.csv",
        [{"customer_id": f"c{n}", "customer_unique_id": f"u{n}", "customer_state": _STATES[n % 3]} for n in range(90)],
    )
    _write(folder / "olist_sellers_dataset.csv", [{"seller_id": f"s{n}", "seller_state": "SP"} for n in range(8)])
    _write(
        folder / "olist_products_dataset.csv",
        [{"product_id": f"p{s}{n}", "product_category_name": f"k{n}"} for s in range(8) for n in range(3)],
    )


def _write_fraud(folder: Path) -> None:
    random = Random(2)
    folder.mkdir()
    rows = []
    for number in range(600):
        signup = datetime(2015, 1, 1) + timedelta(hours=4 * number)  # noqa: DTZ001 - nor have these
        fraud = random.random() < 0.1
        wait = timedelta(seconds=1) if fraud and signup.month == 1 else timedelta(days=random.uniform(0, 30))
        bought = signup + wait
        rows.append(
            {
                "user_id": number,
                "signup_time": f"{signup:%m/%d/%Y %H:%M}",
                "purchase_time": f"{bought:%m/%d/%Y %H:%M}",
                "purchase_value": random.randint(10, 80),
                "device_id": f"d{random.randrange(500)}",
                "source": random.choice(("SEO", "Ads", "Direct")),
                "browser": "Chrome",
                "sex": random.choice("MF"),
                "age": random.randint(18, 70),
                "ip_address": f"{random.randrange(10**9)}.5",
                "class": int(fraud),
            }
        )
    _write(folder / "Fraud_Data.csv.gz", rows)


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    with gzip.open(file, "wt", newline="") if file.suffix == ".gz" else file.open("w", newline="") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"
