/** The page's one style sheet, as text. It must not know anything but the page. */

/** Eight shades of the accent behind a token; dark needs less of it for the text to stay legible. */
const shades = Array.from({ length: 8 }, (_, i) => {
  const strength = ((i + 1) / 8) ** 0.9;
  return `.a${i + 1} { background: color-mix(in srgb, var(--highlight) calc(var(--most) * ${strength.toFixed(3)}), transparent); }`;
}).join('\n');

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fdfcf9; --raised: #f6f4ee; --ink: #1f1e1b; --quiet: #6d6a62; --line: #e4e0d6;
  --accent: #a8461c; --highlight: #e08a4a; --most: 78%; --null-1: #6f7f8f; --null-2: #4f6b58;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", "Source Serif 4", Charter, Georgia, "Noto Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171614; --raised: #201f1c; --ink: #e9e6df; --quiet: #9c978c; --line: #35332e;
    --accent: #e59a63; --highlight: #d9803f; --most: 58%; --null-1: #94a6b8; --null-2: #8db39a;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 var(--serif); font-variant-numeric: lining-nums; -webkit-text-size-adjust: 100%; }
main, header, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 4rem; }
h1 { font-size: 2.4rem; line-height: 1.15; font-weight: 500; letter-spacing: -.01em; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.45rem; font-weight: 500; margin: 3.5rem 0 .8rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; font-weight: 600; margin: 0 0 .3rem; }
p { margin: 0 0 1rem; max-width: 44rem; }
a { color: inherit; text-decoration-color: var(--accent); text-underline-offset: .2em; }
code { font: .86em var(--mono); }
small, .quiet, .kind { color: var(--quiet); }
small { font: 13px/1.45 var(--sans); display: block; overflow-wrap: anywhere; }
.subtitle { font-size: 1.15rem; color: var(--quiet); margin-bottom: 1rem; }
.subtitle code { color: var(--ink); }
.status { color: var(--accent); font-weight: 600; }
nav { font: 14px/1.5 var(--sans); display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; color: var(--quiet); }
nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
footer { color: var(--quiet); font-size: 14px; padding-top: 3rem; padding-bottom: 4rem; }
kbd { font: 12px var(--mono); border: 1px solid var(--line); border-radius: 3px; padding: 0 .35em; background: var(--raised); }

table { border-collapse: collapse; font: 14px/1.45 var(--sans); font-variant-numeric: tabular-nums lining-nums; }
th { font-weight: 500; text-align: left; }
thead th { color: var(--quiet); font-size: 12.5px; font-weight: 400; vertical-align: bottom; }
.wide { overflow-x: auto; }

.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1.6rem 2.5rem; margin: 1.2rem 0 2rem; }
.facts dt { font: 12.5px/1.6 var(--sans); color: var(--quiet); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.facts small { margin-top: .15rem; } .facts .tall { grid-row: span 2; }
.warning { display: block; color: var(--accent); font: 600 13px/1.5 var(--sans); }
.splits { margin: .5rem 0 .3rem; font-size: 13px; } .splits td, .splits thead th { text-align: right; padding: 0 0 0 1.2rem; } .splits tbody th { color: var(--quiet); font-weight: 400; }
.phases { width: 100%; white-space: nowrap; } .phases th, .phases td { padding: .3rem 0; border-bottom: 1px solid var(--line); }
.phases td, .phases thead th:not(:first-child) { text-align: right; padding-left: 1rem; } .phases tfoot :is(th, td) { border: 0; color: var(--quiet); }
.config { margin-top: 1.2rem; font: 14px var(--sans); } .config summary { cursor: pointer; color: var(--quiet); }
.config pre { font: 12.5px/1.5 var(--mono); background: var(--raised); padding: 1rem 1.2rem; overflow-x: auto; border-radius: 4px; }

.measures { width: 100%; min-width: 48rem; } .measures > * > tr > * { padding: .75rem 0 .75rem 1.4rem; vertical-align: top; border-bottom: 1px solid var(--line); }
.measures > * > tr > :first-child { padding-left: 0; } .measures thead tr > th { padding-bottom: .4rem; }
.measures tbody th { font: 16px/1.4 var(--serif); width: 38%; } .measures tbody th p { font: 13px/1.45 var(--sans); color: var(--quiet); margin: .15rem 0 0; max-width: 25rem; }
.measures .number { text-align: right; white-space: nowrap; } .measures thead .number { white-space: normal; max-width: 9rem; }
.measures td.number { font-size: 16px; line-height: 1.4; } .measures td.own { font-weight: 600; } .measures .own small { font-weight: 400; }
.measures td small { font-size: 12.5px; } .kind { display: block; font-size: 11.5px; }
.strip { width: 190px; } .strip p { font: 12.5px/1.4 var(--sans); color: var(--quiet); margin: .3rem 0 0; } .strip svg { display: block; }
aside { margin-top: 2rem; padding: 1.1rem 1.4rem .3rem; background: var(--raised); border-radius: 4px; font-size: 16px; }
.nulls { margin: 0 0 1rem; max-width: 44rem; } .nulls dt { font-weight: 600; } .nulls dd { margin: 0 0 .5rem; }

.plot { font-size: 11px; display: block; max-width: 100%; height: auto; font-family: var(--sans); color: var(--quiet); --plot-background: var(--paper); overflow: visible; }
.plot text { white-space: pre; } .plot [aria-label$="-grid"] { stroke: var(--line); stroke-opacity: 1; } .plot [aria-label$="tick"] { stroke: var(--line); }
figure { margin: 0; } figcaption { font: 14px/1.4 var(--sans); display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin-bottom: .2rem; }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.8rem 2.5rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0 1.3rem; list-style: none; margin: 0; padding: 0; font: 13px/1.5 var(--sans); color: var(--quiet); }
.legend svg { margin-right: .45em; vertical-align: middle; }

.counts { display: flex; flex-wrap: wrap; gap: .6rem 3rem; margin: 0 0 1.2rem; } .counts dt { font: 12.5px/1.6 var(--sans); color: var(--quiet); } .counts dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums lining-nums; } .counts small { display: inline; }
.controls[hidden] { display: none; }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem 1rem; font: 14px var(--sans); color: var(--quiet); }
.controls :is(input, select) { font: inherit; color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: .35rem .6rem; } .controls input { width: 17rem; max-width: 100%; }
.controls output { font-variant-numeric: tabular-nums; }
.hint { font: 13px/1.6 var(--sans); color: var(--quiet); display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin: .7rem 0 .6rem; } .hint label { cursor: pointer; } .hint input { accent-color: var(--accent); vertical-align: -2px; }
.latent summary, .columns { display: grid; grid-template-columns: 3.2rem 48px 4.2rem minmax(0, 1fr) minmax(0, 14rem); gap: .9rem; align-items: center; padding: .4rem .4rem; font: 14px/1.5 var(--sans); }
.columns { max-width: none; margin: 1rem 0 0; padding-block: .2rem; font-size: 12.5px; color: var(--quiet); } .columns span:first-child, .frequency { text-align: right; } .frequency { grid-column: span 2; }
.latents { border-top: 1px solid var(--line); }
.latent { border-bottom: 1px solid var(--line); content-visibility: auto; contain-intrinsic-size: auto 2.3rem; scroll-margin-top: .5rem; }
.latent summary { cursor: pointer; list-style: none; }
.latent summary::-webkit-details-marker { display: none; } .latent summary:hover, .latent[open] > summary { background: var(--raised); }
.id, .density { font-variant-numeric: tabular-nums; text-align: right; } .density { color: var(--quiet); font-size: 13px; }
.bar { display: block; } .bar rect { fill: var(--accent); opacity: .75; } .bar .rail { fill: var(--line); opacity: 1; }
.tokens { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; } .tokens .token { margin-right: .75em; } .promoted { color: var(--quiet); }
.token { white-space: pre; }
.card { display: grid; grid-template-columns: 14.5rem minmax(0, 1fr); gap: 2rem; padding: 1rem .4rem 1.6rem; font: 13.5px/1.5 var(--sans); }
.side dl { display: grid; grid-template-columns: 1fr auto; gap: .1rem .8rem; margin: 0 0 1rem; font-variant-numeric: tabular-nums; } .side dt { color: var(--quiet); } .side dd { margin: 0; text-align: right; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1.2rem; align-items: start; } .pair table { width: 100%; table-layout: fixed; font-size: 13px; } .pair caption { text-align: left; color: var(--quiet); } .pair td { padding: .05rem 0; } .pair td:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; width: 62%; } .pair td:last-child { text-align: right; color: var(--quiet); }
.examples section { display: grid; grid-template-columns: 5rem minmax(0, 1fr); padding-bottom: .35rem; }
.examples h4 { font: 13px/1.75 var(--sans); color: var(--quiet); margin: 0; }
.examples p { display: grid; grid-template-columns: 2.6rem minmax(0, 5fr) minmax(0, 6fr); column-gap: .8rem; margin: 0; max-width: none; line-height: 1.7; }
.value { color: var(--quiet); text-align: right; font-variant-numeric: tabular-nums; font-size: 12.5px; direction: ltr; }
.left, .right { display: flex; overflow: hidden; white-space: pre; } .left { justify-content: flex-end; margin-inline-end: -.8rem; }
.left > span { flex: none; } .right { display: block; }
.left { mask-image: linear-gradient(to right, transparent, #000 2.2em); } .right { mask-image: linear-gradient(to left, transparent, #000 2.2em); }
[dir=rtl] .left { mask-image: linear-gradient(to left, transparent, #000 2.2em); } [dir=rtl] .right { mask-image: linear-gradient(to right, transparent, #000 2.2em); }
.examples :is(b, i) { font-style: normal; border-radius: 2px; padding: .08em 0; } .examples b { font-weight: 600; }
${shades}
main:has(#whole:checked) .examples p { display: block; white-space: pre-wrap; overflow-wrap: anywhere; padding-inline-start: 3.4rem; margin-bottom: .35rem; line-height: 1.55; }
main:has(#whole:checked) .examples :is(.left, .left > span, .right) { display: inline; white-space: pre-wrap; margin: 0; mask-image: none; }
main:has(#whole:checked) .value { float: inline-start; margin-inline-start: -3.4rem; width: 2.6rem; }

@media (max-width: 46rem) {
  body { font-size: 16px; } header { padding-top: 2rem; } h1 { font-size: 1.8rem; }
  .latent summary { grid-template-columns: 3rem 4.2rem minmax(0, 1fr); } .columns, .latent summary :is(.bar, .promoted) { display: none; } .examples section { grid-template-columns: minmax(0, 1fr); }
  .card { grid-template-columns: minmax(0, 1fr); }
}
@media print { .controls, .hint, nav { display: none; } body { font-size: 11pt; } }
`;
