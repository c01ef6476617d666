"""Outcomes become points: every line takes an ordinal, whatever became of it (design section 4)."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.model.identity import point_time
from ingestor.model.points import SeriesTable
from ingestor.pipeline.admission import Admission
from ingestor.pipeline.points import lines_of_events, to_points
from parsers.contract import BLANK, IGNORED, EventRow, Events, Outcome, Reason, Rejection, Tags, events_of

REJECTED = Rejection(Reason.INVALID_JSON, "")
NOON = 1_761_998_400_000


def event(client: str = "web", fraction: str | None = None) -> EventRow:
    tags = Tags("token.refreshed", client, "token", "", "refresh_token", "success", "")
    return (NOON, fraction, tags, "u-1", None, None, None, 3600, "id", None)


ONE: Events = [event(), event("app", ""), event("web", "123456")]


@given(
    outcomes=st.lists(st.sampled_from([*ONE, [*ONE], [ONE[0]] * 2, [ONE[1]] * 5, IGNORED, BLANK, REJECTED])),
    h=st.integers(0, 2**64 - 1),
    ordinal=st.integers(0, 2**32),
)
def test_every_line_takes_an_ordinal_whatever_became_of_it(outcomes: list[Outcome], h: int, ordinal: int) -> None:
    placed = to_points(outcomes, h=h, ordinal=ordinal, admission=Admission("audit", "host", SeriesTable()))
    expected = [
        (index, point_time(row[0], row[1], h, ordinal + index, number))
        for index, outcome in enumerate(outcomes)
        for number, row in enumerate(events_of(outcome))
    ]
    assert list(zip(lines_of_events(outcomes, placed), (point[0] for point in placed.points), strict=True)) == expected
    assert placed.several == {index: len(o) for index, o in enumerate(outcomes) if isinstance(o, list)}
    assert placed.counted == sum(len(events_of(o)) or o is not BLANK for o in outcomes)
    assert placed.rejections == [(index, REJECTED) for index, outcome in enumerate(outcomes) if outcome is REJECTED]
    assert (placed.ignored, placed.blank) == (outcomes.count(IGNORED), outcomes.count(BLANK))


def test_the_series_carries_source_and_host_and_the_point_the_fields_in_the_store_s_order() -> None:
    table = SeriesTable()
    (point,) = to_points([event()], h=7, ordinal=3, admission=Admission("audit", "host-1", table)).points
    series = table.by_number[point[1]]
    assert (series.source, series.host, series.client_id, series.outcome) == ("audit", "host-1", "web", "success")
    assert point[2:] == ("u-1", None, None, None, None, 3600, None, "id", None)
