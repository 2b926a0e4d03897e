"""Attacks and honest trouble, one module each behind one interface, ``base.Scenario``."""

from typing import Final

from streams.simulator.scenarios.account_change import AccountChange
from streams.simulator.scenarios.account_takeover import AccountTakeover
from streams.simulator.scenarios.appeal_spam import AppealSpam
from streams.simulator.scenarios.bad_luck import BadLuck
from streams.simulator.scenarios.bad_promoter import BadPromoter
from streams.simulator.scenarios.bad_service import NotAsDescribed, PoorFulfilment
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.brand_resellers import BrandResellers
from streams.simulator.scenarios.brushing import Brushing
from streams.simulator.scenarios.bust_out import BustOut
from streams.simulator.scenarios.carrier_strike import CarrierStrike
from streams.simulator.scenarios.category_spam import CategorySpam
from streams.simulator.scenarios.copied_listings import CopiedListings
from streams.simulator.scenarios.counterfeit import Counterfeit
from streams.simulator.scenarios.deceived_creator import DeceivedCreator
from streams.simulator.scenarios.discount_sale import DiscountSale
from streams.simulator.scenarios.duplicate_listings import DuplicateListings
from streams.simulator.scenarios.empty_box import EmptyBox
from streams.simulator.scenarios.fake_discount import FakeDiscount
from streams.simulator.scenarios.fake_tracking import FakeTracking
from streams.simulator.scenarios.fast_newcomer import FastNewcomer
from streams.simulator.scenarios.holiday_peak import HolidayPeak
from streams.simulator.scenarios.late_cancelling import LateCancelling
from streams.simulator.scenarios.linked_accounts import LinkedAccounts
from streams.simulator.scenarios.off_platform import OffPlatform
from streams.simulator.scenarios.probation_evasion import ProbationEvasion
from streams.simulator.scenarios.prohibited_goods import ProhibitedGoods
from streams.simulator.scenarios.refund_abuse import RefundAbuse
from streams.simulator.scenarios.score_farming import ScoreFarming
from streams.simulator.scenarios.seasonal_edits import SeasonalEdits
from streams.simulator.scenarios.self_dealing import SelfDealing
from streams.simulator.scenarios.shared_hub import SharedHub
from streams.simulator.scenarios.split_shop import SplitShop
from streams.simulator.scenarios.switched_listings import SwitchedListings
from streams.simulator.scenarios.triangulation import Triangulation
from streams.simulator.scenarios.viral_burst import ViralBurst

SCENARIOS: Final[dict[str, type[Scenario]]] = {
    scenario.name: scenario
    for scenario in (
        BustOut, Counterfeit, FakeTracking, Brushing, AccountTakeover, SelfDealing, EmptyBox, Triangulation,
        LinkedAccounts, ProbationEvasion, PoorFulfilment, NotAsDescribed, CopiedListings, DuplicateListings,
        CategorySpam, SwitchedListings, FakeDiscount, OffPlatform, ProhibitedGoods,
        CarrierStrike, ViralBurst, DiscountSale, BadLuck, RefundAbuse, HolidayPeak, FastNewcomer, SharedHub,
        AccountChange, BrandResellers, SeasonalEdits,
        ScoreFarming, LateCancelling, SplitShop, AppealSpam,
        BadPromoter, DeceivedCreator,
    )
}  # fmt: skip
