"""What is sold: categories with their prices, words for titles, brands, carriers. Brands are invented."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Category:
    """A category of goods.

    ``median``: typical price in minor units; ``sigma``: standard deviation of its natural logarithm. ``returns``: share
    of orders sent back although nothing is wrong. ``share``: weight among merchants. ``permit``: authorisation that
    selling here takes, if any. ``grams``: typical weight of one piece.
    """

    name: str
    median: int
    sigma: float
    share: float
    returns: float
    nouns: tuple[str, ...]
    brands: tuple[str, ...]
    protected: tuple[str, ...] = ()
    permit: str | None = None
    grams: int = 500


# Returns: apparel and shoes are sent back most, consumables least. With all reasons, 24.5 % of online sales came back
# in the US in 2024; here are those for no fault alone, and lower, as marketplaces of small articles see it.
CATEGORIES: Final = (
    Category("fashion/womens-clothing", 2900, 0.45, 16, 0.12,
             ("Midi Dress", "Linen Blouse", "Wide Leg Trousers", "Knit Cardigan", "Denim Jacket", "Pleated Skirt"),
             ("Marlow Lane", "Tessa & Co", "Fernweh", "Plain Jane"), ("Solenne",), grams=350),
    Category("fashion/mens-clothing", 3100, 0.45, 9, 0.09,
             ("Oxford Shirt", "Chino Trousers", "Zip Hoodie", "Crew Neck Sweater", "Rain Jacket", "Polo Shirt"),
             ("Marlow Lane", "Hartwood", "Northgate", "Plain Joe"), grams=420),
    Category("fashion/shoes", 6200, 0.5, 7, 0.13,
             ("Running Shoes", "Canvas Sneakers", "Chelsea Boots", "Trail Shoes", "Slip-On Loafers"),
             ("Pacer", "Treadline", "Corkwell"), ("Kestrel Lab",), grams=900),
    Category("fashion/bags", 5200, 0.55, 5, 0.06,
             ("Crossbody Bag", "Leather Tote", "Weekend Bag", "Mini Backpack", "Card Wallet"),
             ("Corkwell", "Fernweh", "Oak & Thread"), ("Aurelio Conti", "Maison Verlaine"), grams=650),
    Category("jewelry/watches", 8900, 0.6, 2, 0.05,
             ("Automatic Watch", "Chronograph", "Dress Watch", "Diver Watch"),
             ("Tideline", "Meridian Time"), ("Haldenwerk",), permit="category:jewelry/watches", grams=250),
    Category("beauty/skincare", 2100, 0.45, 11, 0.02,
             ("Vitamin C Serum", "Night Cream", "Clay Mask", "Cleansing Balm", "Sun Cream SPF 50", "Eye Gel"),
             ("Dew Theory", "Kind Skin", "Botanica Nord"), grams=180),
    Category("beauty/fragrance", 4600, 0.5, 4, 0.03,
             ("Eau de Parfum 50 ml", "Eau de Toilette 100 ml", "Body Mist", "Perfume Oil"),
             ("Botanica Nord", "Atelier Six"), ("Maison Verlaine",), grams=300),
    Category("electronics/audio", 4900, 0.6, 6, 0.05,
             ("Wireless Earbuds", "Over-Ear Headphones", "Bluetooth Speaker", "Soundbar", "Studio Microphone"),
             ("Tonewell", "Brightwave", "Hallmark Audio"), ("Orbita Sound",), grams=600),
    Category("electronics/phone-accessories", 1500, 0.45, 10, 0.04,
             ("Phone Case", "Screen Protector 3-Pack", "Fast Charger 65 W", "USB-C Cable 2 m", "Car Phone Mount"),
             ("Brightwave", "Snapfit", "Volta"), ("Norvik",), grams=150),
    Category("electronics/wearables", 7900, 0.55, 3, 0.06,
             ("Fitness Band", "Smart Watch", "Heart Rate Strap", "Sleep Tracker Ring"),
             ("Pulsewell", "Volta"), ("Norvik",), grams=160),
    Category("home/kitchen", 2600, 0.55, 10, 0.03,
             ("Cast Iron Skillet", "Knife Set", "Glass Food Containers", "Milk Frother", "Cutting Board", "Air Fryer"),
             ("Hearthside", "Kettle & Crumb", "Nordkitchen"), grams=1600),
    Category("home/decor", 2300, 0.6, 7, 0.04,
             ("Linen Curtains", "Table Lamp", "Wool Throw", "Wall Print Set", "Scented Candle", "Ceramic Vase"),
             ("Hearthside", "Oak & Thread", "Stillroom"), grams=1100),
    Category("toys/games", 2200, 0.55, 5, 0.03,
             ("Building Blocks 500 pcs", "Wooden Train", "Card Game", "Plush Bear", "Scale Replica Car"),
             ("Tinker & Tot", "Roundabout"), ("Zephyra",), grams=700),
    Category("sports/fitness", 3200, 0.6, 5, 0.04,
             ("Yoga Mat", "Adjustable Dumbbell", "Resistance Bands", "Foam Roller", "Water Bottle 1 l"),
             ("Pulsewell", "Northgate", "Treadline"), ("Kestrel Lab",), grams=1800),
    Category("health/supplements", 2400, 0.35, 3, 0.01,
             ("Magnesium 120 Capsules", "Omega-3 90 Softgels", "Vitamin D Drops", "Whey Protein 1 kg"),
             ("Kind Kitchen", "Pulsewell"), permit="category:health/supplements", grams=320),
    Category("pet/supplies", 1900, 0.45, 5, 0.02,
             ("Cat Tree", "Dog Bed", "Chew Toy Set", "Grooming Brush", "Slow Feeder Bowl"),
             ("Waggle", "Roundabout"), grams=1500),
)  # fmt: skip

#: Genuine goods of a protected brand cost this many times the category's median.
BRAND_MULTIPLE: Final = {
    "Aurelio Conti": 9.0,
    "Maison Verlaine": 5.0,
    "Haldenwerk": 8.0,
    "Solenne": 4.0,
    "Kestrel Lab": 2.2,
    "Norvik": 3.0,
    "Orbita Sound": 4.0,
    "Zephyra": 2.5,
}
PROTECTED_BRANDS: Final = tuple(BRAND_MULTIPLE)
#: Where counterfeits are sold: categories with a protected brand.
BRANDED_CATEGORIES: Final = tuple(category for category in CATEGORIES if category.protected)
#: What a seller who will not ship offers: wanted, dear and quickly bought.
HOT_CATEGORIES: Final = tuple(c for c in CATEGORIES if c.name.startswith("electronics/"))

QUALITIES: Final = (
    "Classic", "Premium", "Everyday", "Lightweight", "Compact", "Soft", "Modern", "Handmade", "Organic", "Durable",
    "Slim", "Vintage Style", "Travel", "Family Size", "Professional", "Minimalist", "Cozy", "Quick Dry", "Foldable",
    "Original",
)  # fmt: skip
COLOURS: Final = (
    "Black", "White", "Navy", "Sand", "Olive", "Rose", "Grey", "Terracotta", "Forest Green", "Sky Blue", "Cream",
)  # fmt: skip
SIZES: Final = ("XS", "S", "M", "L", "XL", "XXL")
#: What shops name goods of their own after.
SERIES: Final = (
    "Alder", "Birch", "Cove", "Dune", "Ember", "Fjord", "Grove", "Haven", "Isle", "Juniper", "Lark", "Meadow", "Nook",
    "Pine", "Quill", "Ridge", "Sage", "Tide", "Umber", "Vale", "Willow", "Yarrow", "Harbour", "Mistral", "Solstice",
    "Canyon", "Prairie", "Lagoon", "Summit", "Thicket",
)  # fmt: skip
PRAISE: Final = (
    "Made to last and easy to look after.",
    "Carefully packed and ready to ship.",
    "A favourite with our regular customers.",
    "Designed for everyday use.",
    "Comes with a 30 day return policy.",
    "Tested by our own team before it goes out.",
    "Makes a good present.",
    "See the pictures for measurements.",
    "Small irregularities are part of the material.",
    "Washes well at low temperatures.",
    "Our best seller of last year.",
    "Comes in a plain box without plastic.",
    "Spare parts can be ordered for five years.",
    "Instructions in four languages are enclosed.",
)

#: How replicas are advertised.
REPLICA_PHRASES: Final = (
    "1:1 replica", "mirror quality", "AAA quality", "super copy", "top quality clone", "replica", "dupe", "UA batch",
    "factory original, no box", "inspired by",
)  # fmt: skip
#: Ways to write a brand so that a search for it fails.
DISGUISES: Final = {"a": "@", "e": "3", "i": "1", "o": "0", "l": "1"}

GOOD_TEXTS: Final = (
    "Exactly as described, thank you.", "Fast delivery, well packed.", "Lovely quality.", "Would buy again.",
    "My daughter loves it.", "Good value for the price.", "Fits well.", "Happy with it.", "Nice colour.",
)  # fmt: skip
MIXED_TEXTS: Final = ("It is okay.", "Smaller than I thought.", "Took a while, but it is fine.", "Average quality.")
BAD_TEXTS: Final = (
    "Came much too late.", "Broke after two days.", "Not what was shown.", "Poor quality, disappointed.",
    "The seller does not answer.", "Wrong size and no help.",
)  # fmt: skip
FAKE_GOODS_TEXTS: Final = (
    "This is a fake, the logo is wrong.", "Not authentic, different packaging and it smells.",
    "Clearly a copy, do not buy.", "Stitching comes apart, not the real brand.",
)  # fmt: skip
NOTHING_CAME_TEXTS: Final = (
    "Nothing ever arrived.", "Never received it and no answer from the shop.", "Scam, no parcel.",
    "Still waiting after weeks.",
)  # fmt: skip

#: Carriers and their share of merchants.
CARRIERS: Final = (("Swiftpost", 34), ("National Mail", 28), ("Parcelink", 18), ("Blue Van", 12), ("Overland", 8))
#: Countries of merchants with their share, and the regions that buyers live in.
COUNTRIES: Final = (("US", 62), ("CN", 16), ("GB", 7), ("CA", 6), ("DE", 4), ("MX", 3), ("VN", 2))
REGIONS: Final = (
    "US-CA", "US-TX", "US-FL", "US-NY", "US-PA", "US-IL", "US-OH", "US-GA", "US-NC", "US-MI", "US-NJ", "US-VA", "US-WA",
    "US-AZ", "US-MA", "US-TN", "US-IN", "US-MD", "US-MO", "US-WI", "US-CO", "US-MN",
)  # fmt: skip
