"""The look that the report and the review page share, and the script of their timeline."""

import json
from importlib.resources import files

# Told apart by people with any colour vision, in this order; identities take them in turn by track id.
TRACK_COLOURS = (
    "#2f6db3",
    "#e08a1e",
    "#2a9d78",
    "#b8518f",
    "#56b4e9",
    "#8c6a3f",
    "#7c63c4",
    "#c4b128",
    "#4f7f3a",
    "#e0796b",
)

STYLE = """
:root { --ink: #1c2430; --soft: #5d6978; --line: #dfe4ea; --page: #f5f7f9; --card: #fff; --bar: #2f6db3;
  --bar-soft: #dbe6f2; --miss: #d23f3f; --good: #1d7a4f; --series-0: #2f6db3; --series-1: #d97d10; --series-2: #2a9d78;
  --series-3: #b8518f; --series-4: #7c63c4; --series-5: #8c6a3f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa6b5; --line: #333c48; --page: #14181e;
  --card: #1d232b; --bar: #5b9be0; --bar-soft: #2a3a4d; --miss: #ff6b6b; --good: #5fd39c; --series-0: #6aa5e6;
  --series-1: #f0a24a; --series-2: #4cc9a0; --series-3: #e07fbc; --series-4: #a993ec; --series-5: #c7a06c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 26px; margin: 0; } h2 { font-size: 18px; margin: 34px 0 10px; }
h3 { font-size: 15px; margin: 0 0 8px; }
p { margin: 4px 0 10px; } .soft { color: var(--soft); font-size: 13px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 10px; margin-top: 16px; }
.tiles .card { padding: 10px 14px; } .tiles b { display: block; font-size: 26px; line-height: 1.2; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 9px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; font-size: 13px; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--card); }
tr.total td { font-weight: 700; border-top: 2px solid var(--line); border-bottom: 0; }
td.best { color: var(--good); font-weight: 700; }
.halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(330px, 100%), 1fr)); gap: 0 20px; }
.halves > div { min-width: 0; display: flex; flex-direction: column; } .halves .card { flex: 1; }
.narrow { width: fit-content; max-width: 100%; margin-top: 10px; } td.strip { min-width: 260px; width: 40%; }
td.strip svg { display: block; } .names.head { padding: 2px 6px; text-align: right; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 14px;
  align-content: start; }
.charts svg { width: 100%; height: auto; display: block; max-width: 460px; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; } .grid { stroke: var(--line); fill: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; margin: 0 0 8px; }
.legend i { display: inline-block; width: 14px; height: 10px; border-radius: 2px; margin-right: 5px;
  vertical-align: 0; }
.bars { display: grid; grid-template-columns: minmax(90px, max-content) 1fr; gap: 10px 12px; align-items: center;
  font-size: 13px; }
.bar { display: grid; grid-template-columns: 1fr 42px; gap: 8px; align-items: center; height: 15px; }
.bar span { display: block; height: 9px; border-radius: 3px; } .bar em { font-style: normal; color: var(--soft); }
details { margin-top: 10px; } summary { cursor: pointer; font-weight: 600; } summary .soft { font-weight: 400; }
.timeline { margin-top: 10px; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.timeline .head { padding-left: 64px; }
.errors { display: block; width: 100%; height: 34px; } .errors .fn { fill: var(--miss); }
.errors .fp { fill: var(--soft); }
.there { stroke: var(--miss); stroke-width: 1.6; fill: none; } .halo { stroke: var(--card); }
.switch { stroke: var(--ink); }
.halo, .switch { fill: none; vector-effect: non-scaling-stroke; stroke-width: 4.5; } .switch { stroke-width: 2; }
.stripe { stroke: var(--line); opacity: .5; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(176px, 1fr)); gap: 10px; margin-top: 10px; }
.cards figure { margin: 0; } .cards .pair { display: flex; gap: 6px; align-items: flex-end; }
.cards .pair div { flex: 1; min-width: 0; }
.cards img { width: 100%; height: 128px; object-fit: contain; display: block;
  background: var(--page); border-radius: 4px; }
.cards figcaption, .cards small { font-size: 12px; color: var(--soft); }
.columns { columns: 260px; font-size: 13px; font-variant-numeric: tabular-nums; }
.columns p { margin: 0 0 3px; break-inside: avoid; }
.tl { position: relative; overflow-y: auto; touch-action: pan-y; user-select: none; }
.tl canvas { position: sticky; top: 0; display: block; } .tl-space { pointer-events: none; }
#tip { position: fixed; pointer-events: none; background: var(--ink); color: var(--page); font-size: 12px;
  padding: 3px 8px;
  border-radius: 5px; display: none; z-index: 9; max-width: 260px; }
@media (max-width: 600px) { main { padding: 16px 12px 40px; } .card { padding: 10px 12px; } h1 { font-size: 22px; }
  th, td { padding: 4px 6px; font-size: 13px; } .timeline .head { padding-left: 44px; }
  .lives tr { display: grid; grid-template-columns: 1fr repeat(var(--columns), auto);
    border-bottom: 1px solid var(--line); }
  .lives td, .lives th { border: 0; } .lives th:last-child { display: none; }
  .lives td.strip { grid-column: 1 / -1; width: auto; min-width: 0; } }
"""

REPORT_SCRIPT = """
const COLOURS = JSON.parse(document.getElementById("colours").textContent);
const parts = (list, size) => Array.from({length: list.length / size}, (_, i) => list.slice(i * size, (i + 1) * size));
const timelines = JSON.parse(document.getElementById("timelines").textContent);
for (const element of document.querySelectorAll("[data-timeline]")) {
  const {first, length, trackers, rows} = timelines[element.dataset.timeline];
  const timeline = new Timeline(element, {first, length, lanes: trackers.length,
    rows: rows.map(([identity, matched, there, marks]) => ({name: String(identity), matched,
      spans: matched.flatMap((list, lane) => parts(list, 3).map(([track, from, to]) =>
        [from, to, COLOURS[track % COLOURS.length], lane])),
      there: there.flatMap((list, lane) => parts(list, 2).map(([from, to]) => [from, to, lane])),
      marks: marks.flatMap((list, lane) => list.map((frame) => [frame, lane]))})),
    describe: (row, frame, lane) => {
      const found = parts(row.matched[lane], 3).find(([, from, to]) => from <= frame && frame <= to);
      return (trackers.length > 1 ? trackers[lane] + ": " : "") +
        `identity ${row.name}, frame ${frame}, ${found ? "track " + found[0] : "no track"}`;
    }});
  element.style.height = Math.min(520, 24 + timeline.rowHeight * rows.length) + "px";
}
"""


def timeline_script() -> str:
    """Return the script that draws timelines: it defines `Timeline`, and is no module, so that one file can hold it."""
    return files("tracker.report").joinpath("timeline.js").read_text(encoding="utf-8")


def script_json(data: object) -> str:
    r"""Return JSON that cannot end the script element it stands in.

    >>> script_json({"name": "</script>"})
    '{"name":"\\u003c/script>"}'
    """
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
