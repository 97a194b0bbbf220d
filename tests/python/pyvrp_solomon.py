"""Solomon's problems by PyVRP, for the bench of the dispatcher's search to have a neighbour.

Distances and times are in tenths, cut, as the bench and the exact methods have them. The limit is the processor time
of the one thread that searches, so that a busy machine counts against nobody.

    python3 pyvrp_solomon.py SECONDS FILE...      a row `instance,cost` for each file, in the order given
"""

import math
import sys
import time
from pathlib import Path

import pyvrp

SEED = 1


class ProcessorTime:
    """Stops once the thread has searched for so many seconds."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.begun = time.thread_time()

    def __call__(self, best_cost):
        return time.thread_time() - self.begun > self.seconds


def tenths(text):
    return round(float(text) * 10)


def read(file):
    """Every line of nothing but numbers: the fleet's first, then the depot's, then one for each customer."""
    lines = (line.split() for line in file.read_text().splitlines())
    rows = [line for line in lines if line and all(word.replace(".", "", 1).isdigit() for word in line)]
    (vehicles, capacity), *sites = rows
    model = pyvrp.Model()
    places = [model.add_location(float(x), float(y)) for _, x, y, *_ in sites]
    _, _, _, _, ready, due, _ = sites[0]
    depot = model.add_depot(places[0], tw_early=tenths(ready), tw_late=tenths(due))
    model.add_vehicle_type(int(vehicles), int(capacity), depot, depot, tw_early=tenths(ready), tw_late=tenths(due))
    for place, (_, _, _, demand, ready, due, service) in zip(places[1:], sites[1:]):
        window = {"tw_early": tenths(ready), "tw_late": tenths(due)}
        model.add_client(place, delivery=round(float(demand)), service_duration=tenths(service), **window)
    for here in places:
        for there in places:
            distance = int(math.hypot(here.x - there.x, here.y - there.y) * 10 + 1e-9)
            model.add_edge(here, there, distance=distance, duration=distance)
    return model.data()


def main():
    seconds = float(sys.argv[1])
    for file in map(Path, sys.argv[2:]):
        data = read(file)
        result = pyvrp.solve(data, stop=ProcessorTime(seconds), seed=SEED, collect_stats=False, display=False)
        if not result.best.is_feasible():
            sys.exit(f"{file.stem}: nothing feasible in {seconds} s")
        print(f"{file.stem},{result.best.distance() / 10:.1f}", flush=True)


main()
