//! The style sheet of a report, and the colours that its pictures share with it.
//!
//! plotters writes colours into the SVG's attributes. The sheet finds them there (`[stroke="#1F6FD1"]`) and sets the
//! colour of the reader's scheme, so that one picture serves light, dark and paper. Outside of a report the pictures
//! have the light colours. A unit test keeps sheet and constants in step.

use plotters::style::RGBColor;

/// Curves of the training samples.
pub(super) const TRAIN: RGBColor = RGBColor(0x1F, 0x6F, 0xD1);
/// Curves of the validation samples.
pub(super) const VALID: RGBColor = RGBColor(0xD9, 0x5F, 0x0E);
/// Axes' labels.
pub(super) const LABEL: RGBColor = RGBColor(0x5B, 0x63, 0x6E);
/// Lines of the grid.
pub(super) const GRID: RGBColor = RGBColor(0xE3, 0xE6, 0xEA);
/// Text of the drawing of a network, the ground of its boxes, and that of its frames.
pub(super) const INK: RGBColor = RGBColor(0x1A, 0x1F, 0x26);
pub(super) const CARD: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
pub(super) const PAGE: RGBColor = RGBColor(0xF6, 0xF7, 0xF9);
/// Axes, and the line at the best epoch.
pub(super) const AXIS: RGBColor = RGBColor(0x9A, 0xA2, 0xAD);

/// Several runs, the best first. The second half are drawn dashed: twelve colours alone are hard to tell apart.
pub(super) const RUNS: [RGBColor; 12] = [
    RGBColor(0x0B, 0x62, 0xC4),
    RGBColor(0xD9, 0x58, 0x0B),
    RGBColor(0x1F, 0x8A, 0x3B),
    RGBColor(0x7A, 0x3F, 0xC0),
    RGBColor(0xC2, 0x18, 0x5B),
    RGBColor(0x8A, 0x6A, 0x00),
    RGBColor(0x0E, 0x8C, 0x8C),
    RGBColor(0xE0, 0x52, 0x9C),
    RGBColor(0x8A, 0x5A, 0x2B),
    RGBColor(0x35, 0x9F, 0xDB),
    RGBColor(0x6F, 0x9E, 0x00),
    RGBColor(0x46, 0x50, 0x5C),
];
/// Runs that are not among the best dozen.
pub(super) const REST: RGBColor = RGBColor(0xC4, 0xC9, 0xD0);

/// The style sheet.
pub const SHEET: &str = r##"
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1a1f26; --label: #5b636e; --line: #e3e6ea; --axis: #9aa2ad;
  --train: #1f6fd1; --valid: #d95f0e; --hit: #1f6fd1; --miss: #c9302c; --worst: #fdecea; --cell: #f3f4f6;
  --run0: #0b62c4; --run1: #d9580b; --run2: #1f8a3b; --run3: #7a3fc0; --run4: #c2185b; --run5: #8a6a00;
  --run6: #0e8c8c; --run7: #e0529c; --run8: #8a5a2b; --run9: #359fdb; --run10: #6f9e00; --run11: #46505c;
  --rest: #c4c9d0;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #111418; --card: #1a1e24; --ink: #e6e9ed; --label: #a0a8b3; --line: #2c323a; --axis: #5d6672;
    --train: #62a4f5; --valid: #f59a55; --hit: #4f97ee; --miss: #f0625d; --worst: #3a2022; --cell: #21262d;
    --run0: #62a4f5; --run1: #f59a55; --run2: #5fc97e; --run3: #b58af2; --run4: #f06595; --run5: #dcc84a;
    --run6: #4fd0d0; --run7: #ff9bd0; --run8: #c99a6b; --run9: #9fd8ff; --run10: #b5e04a; --run11: #b6c0cc;
    --rest: #444c57;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { margin: 0 0 1.25rem; font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.2rem; }
h3 { margin: 0; font-size: 1rem; }
p { margin: .25rem 0 .75rem; max-width: 46rem; }
.note { color: var(--label); font-size: .87rem; }
.cards, .charts, .columns, .tiles { display: grid; gap: 1rem; }
.cards { grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); align-items: start; }
.columns { grid-template-columns: repeat(auto-fit, minmax(min(100%, 21.5rem), 1fr)); align-items: start; }
.matrix { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; align-items: start; }
@media (min-width: 60rem) { .matrix { grid-template-columns: minmax(0, 2.6fr) minmax(0, 1fr); } }
.tiles { grid-template-columns: repeat(auto-fill, minmax(6.75rem, 1fr)); }
.card, figure {
  margin: 0; padding: .8rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
}
.card dt { color: var(--label); font-size: .87rem; }
.card dd { margin: .1rem 0 0; font-size: 1.45rem; font-weight: 600; line-height: 1.25; overflow-wrap: anywhere; }
.cards { margin: 0; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit; font-variant-numeric: tabular-nums; }
svg [stroke="#1F6FD1"] { stroke: var(--train); }
svg [fill="#1F6FD1"] { fill: var(--train); }
svg [stroke="#D95F0E"] { stroke: var(--valid); }
svg [fill="#D95F0E"] { fill: var(--valid); }
svg [stroke="#0B62C4"] { stroke: var(--run0); }
svg [fill="#0B62C4"] { fill: var(--run0); }
.stroke.run0 { border-color: var(--run0); }
svg [stroke="#D9580B"] { stroke: var(--run1); }
svg [fill="#D9580B"] { fill: var(--run1); }
.stroke.run1 { border-color: var(--run1); }
svg [stroke="#1F8A3B"] { stroke: var(--run2); }
svg [fill="#1F8A3B"] { fill: var(--run2); }
.stroke.run2 { border-color: var(--run2); }
svg [stroke="#7A3FC0"] { stroke: var(--run3); }
svg [fill="#7A3FC0"] { fill: var(--run3); }
.stroke.run3 { border-color: var(--run3); }
svg [stroke="#C2185B"] { stroke: var(--run4); }
svg [fill="#C2185B"] { fill: var(--run4); }
.stroke.run4 { border-color: var(--run4); }
svg [stroke="#8A6A00"] { stroke: var(--run5); }
svg [fill="#8A6A00"] { fill: var(--run5); }
.stroke.run5 { border-color: var(--run5); }
svg [stroke="#0E8C8C"] { stroke: var(--run6); stroke-dasharray: 28 16; }
svg [fill="#0E8C8C"] { fill: var(--run6); }
.stroke.run6 { border-color: var(--run6); border-top-style: dashed; }
svg [stroke="#E0529C"] { stroke: var(--run7); stroke-dasharray: 28 16; }
svg [fill="#E0529C"] { fill: var(--run7); }
.stroke.run7 { border-color: var(--run7); border-top-style: dashed; }
svg [stroke="#8A5A2B"] { stroke: var(--run8); stroke-dasharray: 28 16; }
svg [fill="#8A5A2B"] { fill: var(--run8); }
.stroke.run8 { border-color: var(--run8); border-top-style: dashed; }
svg [stroke="#359FDB"] { stroke: var(--run9); stroke-dasharray: 28 16; }
svg [fill="#359FDB"] { fill: var(--run9); }
.stroke.run9 { border-color: var(--run9); border-top-style: dashed; }
svg [stroke="#6F9E00"] { stroke: var(--run10); stroke-dasharray: 28 16; }
svg [fill="#6F9E00"] { fill: var(--run10); }
.stroke.run10 { border-color: var(--run10); border-top-style: dashed; }
svg [stroke="#46505C"] { stroke: var(--run11); stroke-dasharray: 28 16; }
svg [fill="#46505C"] { fill: var(--run11); }
.stroke.run11 { border-color: var(--run11); border-top-style: dashed; }
svg [stroke="#C4C9D0"] { stroke: var(--rest); }
svg [fill="#C4C9D0"] { fill: var(--rest); }
svg [fill="#5B636E"] { fill: var(--label); }
svg [stroke="#5B636E"] { stroke: var(--label); }
svg [fill="#1A1F26"] { fill: var(--ink); }
svg [fill="#FFFFFF"] { fill: var(--card); }
svg [fill="#F6F7F9"] { fill: var(--page); }
svg [fill="#9AA2AD"] { fill: var(--axis); }
svg [stroke="#E3E6EA"] { stroke: var(--line); }
svg [stroke="#9AA2AD"] { stroke: var(--axis); }
svg polyline { stroke-linejoin: round; stroke-linecap: round; }
.heat { margin: 0 auto; }
.heat text { fill: var(--label); }
.heat .ground { fill: var(--cell); }
.heat .hit, .key.hit { fill: var(--hit); background: var(--hit); }
.heat .miss, .key.miss { fill: var(--miss); background: var(--miss); }
.heat .ruler { stroke: var(--card); }
figcaption { display: flex; flex-wrap: wrap; gap: .1rem 1rem; align-items: baseline; margin-bottom: .4rem; }
.legend { color: var(--label); font-size: .87rem; font-variant-numeric: tabular-nums; }
.nowrap { white-space: nowrap; }
.stroke {
  display: inline-block; width: 1.6rem; margin-right: .45rem; vertical-align: middle; border-top: 3px solid var(--rest);
}
.runs { display: flex; flex-wrap: wrap; gap: .15rem 1.5rem; max-width: none; }
.runs b { color: var(--ink); font-weight: 600; }
.network svg { width: auto; max-width: 100%; margin: .6rem auto .2rem; }
.broad { grid-column: 1 / -1; min-width: 0; }
.narrow { display: none; }
@media screen and (max-width: 45rem) {
  .broad { display: none; }
  .narrow { display: block; min-width: 0; }
}
.finding { font-size: 1.15rem; max-width: 54rem; }
.key { display: inline-block; width: .7rem; height: .7rem; margin-right: .4rem; border-radius: 2px; }
.key.train { background: var(--train); }
.key.valid { background: var(--valid); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td {
  padding: .22rem .3rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: baseline;
  white-space: nowrap;
}
th { color: var(--label); font-weight: 500; }
th:first-child, .words { text-align: left; }
:not(:first-child).words { padding-left: 1.5rem; }
tbody th { white-space: normal; overflow-wrap: anywhere; min-width: 2.5rem; }
tbody th { color: var(--ink); font-weight: 600; }
tr:last-child > * { border-bottom: 0; }
tr.worst > * { background: var(--worst); }
.wide, figure { overflow-x: auto; }
.tile { margin: 0; padding: .5rem; text-align: center; font-size: .9rem; line-height: 1.35; }
.tile img, .tile .blank {
  display: block; width: 100%; height: 5.5rem; margin-bottom: .35rem; object-fit: contain;
  image-rendering: pixelated; background: var(--cell); border-radius: .3rem;
}
.tile .blank { padding-top: 1.8rem; }
.sheet { width: 100%; max-width: 34rem; image-rendering: pixelated; }
.tile b { overflow-wrap: anywhere; }
.tile .wrong { color: var(--miss); }
.tile .name { overflow-wrap: anywhere; }
.tiles.small { grid-template-columns: repeat(auto-fill, minmax(5rem, 1fr)); gap: .5rem; margin-bottom: .75rem; }
.tiles.pairs-of-images { grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); }
.pairs-of-images img { height: 7rem; }
.side-by-side { display: flex; gap: .5rem; justify-content: center; flex-wrap: wrap; }
.side-by-side > div { flex: 1 1 5rem; min-width: 0; max-width: 9rem; }
td.lines { white-space: normal; overflow-wrap: anywhere; }
section > h3 { margin: 1rem 0 .25rem; }
details { padding: .6rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
details + details, .apart { margin-top: 1rem; }
summary { cursor: pointer; font-weight: 500; }
pre {
  margin: .6rem 0 .2rem; overflow-x: auto; font: .84rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace;
}
.pairs { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1.25rem; margin: 0; }
.pairs dt { color: var(--label); }
.pairs dd { margin: 0; overflow-wrap: anywhere; }
@media print {
  html { font-size: 10px; }
  body { background: #fff; font-size: 1rem; }
  main { max-width: none; padding: 0; }
  figure, .card, tr, p { break-inside: avoid; }
  h2, p { break-after: avoid; }
  .matrix { grid-template-columns: minmax(0, 2.6fr) minmax(0, 1fr); }
  .network svg { max-height: 24cm; }
  pre { white-space: pre-wrap; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"##;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheet_recolours_every_colour_that_the_curves_use() {
        let others = [TRAIN, VALID, LABEL, GRID, AXIS, REST, INK, CARD, PAGE];
        for RGBColor(r, g, b) in others.into_iter().chain(RUNS) {
            let written = format!("=\"#{r:02X}{g:02X}{b:02X}\"]");
            assert!(SHEET.contains(&written), "{written}");
        }
    }
}
