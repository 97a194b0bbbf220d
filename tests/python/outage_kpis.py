"""On-time arrivals and average minutes of the recorded outages, counted from the CSV file alone.

An account of its own, for `switchboard kpi` to be held against: it shares no code with the engine. Arrivals are read as
docs/mapping.md says: as recorded where that lies inside the outage, else 45 minutes after its beginning, or half of the
outage if that is sooner. Every row is a fault whose kind of area nobody has said, which is judged as urban: 45 minutes.

    python3 outage_kpis.py FILE.csv[.gz] FROM TO      rows that begin within the days, as YYYY-MM-DD, in UTC
"""

import csv
import gzip
import json
import sys
from datetime import datetime, timedelta

LIMIT = timedelta(minutes=45)


def instant(text):
    return datetime.fromisoformat(text.strip()) if text.strip() else None


def arrival(begun, seen, ended):
    if seen is not None and begun <= seen <= ended:
        return seen
    return begun + min(LIMIT, (ended - begun) / 2)


def account(path, first, last):
    rows, on_time, known = 0, 0, set()
    arrived_seconds, restored_seconds = timedelta(), timedelta()
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            begun, ended = instant(row["dateOff"]), instant(row["dateOn"])
            if not first <= row["dateOff"][:10] < last or begun is None or ended is None or ended < begun:
                continue
            key = (row["id"], row["dateOn"])
            if key in known:
                continue
            known.add(key)
            there = arrival(begun, instant(row["crewEta"]), ended)
            rows += 1
            on_time += there - begun <= LIMIT
            arrived_seconds += there - begun
            restored_seconds += ended - there
    minutes = timedelta(minutes=1)
    return {
        "tickets": rows,
        "on_time": on_time,
        "on_time_percent": 100 * on_time / rows,
        "mean_arrival_minutes": arrived_seconds / rows / minutes,
        "mean_restoration_minutes": restored_seconds / rows / minutes,
    }


if __name__ == "__main__":
    print(json.dumps(account(*sys.argv[1:4])))
