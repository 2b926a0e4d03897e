"""All faults, by name."""

from tests.faults.broker_faults import RestartKafka
from tests.faults.connection_faults import CutAfter, CutAtRandom, CutBefore, CutWithin
from tests.faults.fault import Fault
from tests.faults.input_faults import ExpiredOffset, Poison
from tests.faults.process_faults import Kill, Scale, Terminate, Zombie
from tests.faults.store_faults import OlderStore, RestartStore, RestartSyncedStore, StoreAway

FAULTS: dict[str, type[Fault]] = {
    fault.name: fault
    for fault in (
        Kill,
        Terminate,
        Scale,
        Zombie,
        RestartStore,
        RestartSyncedStore,
        StoreAway,
        OlderStore,
        RestartKafka,
        CutAtRandom,
        CutBefore,
        CutAfter,
        CutWithin,
        Poison,
        ExpiredOffset,
    )
}
