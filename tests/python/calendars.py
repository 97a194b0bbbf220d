"""Every day of the shipped calendars of mainland China beside those of the package `chinesecalendar`.

A check for whoever edits deploy/calendars/cn; no test and no part of the product needs it. Prints how many days were
compared; ends with 1 when a day differs, when a year is missing, or when a day is said twice.

    python3 -m venv VENV && VENV/bin/pip install -r tests/python/calendars-requirements.txt
    VENV/bin/python tests/python/calendars.py
"""

import collections
import datetime
import pathlib
import sys
import tomllib

import chinese_calendar

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "calendars" / "cn"
YEARS = range(2018, 2027)
DAY = datetime.timedelta(days=1)
SATURDAY = 5


def days(first, last):
    """Every date from the first to the last."""
    while first <= last:
        yield first
        first += DAY


def exceptions(year):
    """The dates that are not what their weekday says, with whether one works then, and what is wrong with the file."""
    with (FOLDER / f"{year}.toml").open("rb") as file:
        written = tomllib.load(file)
    said = [(day, False) for off in written.get("off", []) for day in days(off["from"], off["to"])]
    said += [(work["date"], True) for work in written.get("work", [])]
    wrong = [f"{year}.toml: its year is {written['year']!r}"] if written["year"] != year else []
    wrong += [f"{year}.toml: {day} lies in another year" for day, _ in said if day.year != year]
    times = collections.Counter(day for day, _ in said)
    wrong += [f"{year}.toml: {day} is said {count} times" for day, count in times.items() if count > 1]
    return dict(said), wrong


def compared(year):
    """How many days of a year were compared, and every difference."""
    said, found = exceptions(year)
    count = 0
    for day in days(datetime.date(year, 1, 1), datetime.date(year, 12, 31)):
        ours = said.get(day, day.weekday() < SATURDAY)
        theirs = chinese_calendar.is_workday(day)
        if ours != theirs:
            found.append(f"{day}: works here {ours}, there {theirs}")
        count += 1
    return count, found


def main():
    """Compares every year and says what was found."""
    others = (path.name for path in sorted(FOLDER.iterdir()) if path.name not in {f"{year}.toml" for year in YEARS})
    total, found = 0, [f"{name}: not compared; its year is not among those of this check" for name in others]
    for year in YEARS:
        try:
            count, differences = compared(year)
        except (FileNotFoundError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
            count, differences = 0, [f"{year}.toml: {error!r}"]
        total += count
        found += differences
    for line in found:
        print(line)
    print(f"{total} days of {YEARS[0]}-{YEARS[-1]} compared with chinesecalendar, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
