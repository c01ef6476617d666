"""The Grafana of the tests answers, knows our data sources, and reads a real InfluxDB in InfluxQL."""

from tests.support.grafana_servers import GrafanaServer
from tests.support.influx import write_lines
from tests.support.servers import InfluxServer


def test_grafana_reads_influxdb(grafana: GrafanaServer, influxdb: InfluxServer) -> None:
    store = influxdb.make()
    write_lines(store, "raw", b"token_events events=3i")
    source = grafana.new_data_source(store)
    assert grafana.ask("GET", f"/api/datasources/uid/{source}/health")["status"] == "OK"
    ask = {"refId": "A", "datasource": {"type": "influxdb", "uid": source}, "rawQuery": True, "resultFormat": "table"}
    ask["query"] = 'SELECT sum("events") FROM "raw"."token_events" WHERE $timeFilter'
    answer = grafana.ask("POST", "/api/ds/query", {"from": "now-1h", "to": "now+1m", "queries": [ask]})
    assert answer["results"]["A"]["frames"][0]["data"]["values"][1] == [3]


def test_roles_are_real(grafana: GrafanaServer) -> None:
    viewer = GrafanaServer(grafana.url, grafana.new_token("Viewer"))
    assert viewer.request("POST", "/api/folders", {"title": "no"}).status == 403
    viewer.stop()
