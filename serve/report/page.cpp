#include "serve/report/page.hpp"

#include <array>
#include <cmath>
#include <cstdio>

#include "serve/report/charts.hpp"

namespace winnow::serve::report {
namespace {

// Colours are Okabe and Ito's, which people with any colour vision can tell apart.
constexpr std::string_view kCss = R"css(
:root{color-scheme:light dark;--bg:#fff;--soft:#f5f6f8;--card:#fff;--line:#dfe3e8;--grid:#e9ecf0;
--text:#1b2026;--dim:#5d6875;--blue:#0072b2;--orange:#d55e00;--green:#007f5f;--amber:#8a6100;
--band:#0072b226;--bin:#7fb2d3;--noise:#a0522d;--heat0:#eef0f2}
@media(prefers-color-scheme:dark){:root{--bg:#12161b;--soft:#1a2027;--card:#171c23;--line:#2c3540;
--grid:#242c35;--text:#e7ebf0;--dim:#9aa7b5;--blue:#56b4e9;--orange:#ff9248;--green:#3fc79a;
--amber:#e6b84a;--band:#56b4e92e;--bin:#3d7ba3;--noise:#f0b27a;--heat0:#232a32}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,"Segoe UI",Roboto,
"Helvetica Neue",Inter,"DejaVu Sans",sans-serif;-webkit-text-size-adjust:100%}
main,header,footer{max-width:1160px;margin:0 auto;padding:0 24px}
header{padding-top:36px}
h1{font-size:30px;line-height:1.2;margin:0;letter-spacing:-.02em;overflow-wrap:anywhere}
h2{font-size:21px;margin:48px 0 6px;letter-spacing:-.01em}
h3{font-size:17px;margin:34px 0 10px}
h4{font-size:14px;margin:0 0 6px;overflow-wrap:anywhere}
p{margin:6px 0 12px;max-width:76ch}
.lead,.dim{color:var(--dim)}
.lead{margin:6px 0 22px}
code,.num,td.n,dd,.mono{font-variant-numeric:tabular-nums}
code{font:12.5px/1.4 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
overflow-wrap:anywhere}
dl.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:0;margin:0;
background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
dl.facts>div{box-shadow:0 0 0 .5px var(--line);padding:10px 14px}
dt{color:var(--dim);font-size:12.5px}
dd{margin:1px 0 0;overflow-wrap:anywhere}
dd small{display:block;color:var(--dim);font-size:12px;line-height:1.4}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,460px),1fr));gap:16px}
.card,figure{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:16px 18px;margin:0;min-width:0}
.card header{display:flex;gap:12px;justify-content:space-between;align-items:flex-start;padding:0}
.card h3{margin:0}
.card h3 small{display:block;font-weight:400;color:var(--dim);font-size:13px}
.pill{font-size:12px;font-weight:650;letter-spacing:.03em;border-radius:99px;padding:3px 11px;
white-space:nowrap;border:1.5px solid currentColor}
.v-yes{color:var(--green)}.v-no{color:var(--orange)}.v-wait{color:var(--amber)}
.score{display:flex;align-items:baseline;gap:12px;margin:12px 0 2px;flex-wrap:wrap}
.score b{font-size:34px;line-height:1.1;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.score span{color:var(--dim);font-size:13px}
.bars{display:grid;grid-template-columns:auto 1fr 4.2em;gap:5px 12px;align-items:center;
margin:12px 0;font-size:13px}
.bars .track{height:8px;border-radius:4px;background:var(--grid);position:relative}
.bars .track i{position:absolute;inset:0 auto 0 0;border-radius:4px;background:var(--blue)}
.bars .track em{position:absolute;top:-3px;bottom:-3px;width:2px;background:var(--text)}
.bars b{font-weight:500;text-align:right;font-variant-numeric:tabular-nums}
table.kv{width:100%;border-collapse:collapse;font-size:13px}
table.kv td{padding:3px 0;border-top:1px solid var(--grid);vertical-align:top}
table.kv td+td{text-align:right;padding-left:12px;font-variant-numeric:tabular-nums}
p.says{margin:8px 0 10px;font-size:15px;line-height:1.45}
ul.why{margin:10px 0 0;padding-left:18px;font-size:13px;color:var(--dim)}
.figures{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:16px}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--text);font-size:11.5px}
svg .tick{fill:var(--dim);font-size:11px;font-variant-numeric:tabular-nums}
svg .axis{fill:var(--dim);font-size:11.5px}
svg .mid{text-anchor:middle}svg .end{text-anchor:end}
svg path{fill:none}
.grid{stroke:var(--grid)}.base{stroke:var(--dim);stroke-width:.8}
.zero{stroke:var(--dim);stroke-dasharray:2 3;stroke-width:.9}
.line{stroke-width:1.7;stroke-linejoin:round}
.s-best{stroke:var(--orange)}.s-centre{stroke:var(--blue)}
.s-median{stroke:var(--dim);stroke-dasharray:5 3}
.s-noise{stroke:var(--noise);stroke-width:2}.edge{stroke:none}
svg .bandfill{fill:var(--band)}svg .bin{fill:var(--bin)}svg .none{fill:var(--grid)}
.mark{stroke-width:1.5}.m-noise{stroke:var(--noise);stroke-dasharray:5 3}
.m-best{stroke:var(--orange)}
svg .note{font-size:11.5px;font-weight:600;stroke:none}
svg .note.m-noise{fill:var(--noise)}svg .note.m-best{fill:var(--orange)}
svg .centre{fill:var(--bg);stroke:var(--text);stroke-width:2}
.cursor{stroke:var(--dim);stroke-width:.8}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:12px;color:var(--dim);margin:0 0 6px}
.key{display:inline-block;width:18px;height:0;border-top:2.5px solid;margin:0 6px 3px 0;
vertical-align:middle}
.k-best{border-color:var(--orange)}.k-centre{border-color:var(--blue)}
.k-median{border-color:var(--dim);border-top-style:dashed}.k-noise{border-color:var(--noise)}
.k-band{border-top:9px solid var(--band)}.k-bin{border-top:9px solid var(--bin)}
figcaption{color:var(--dim);font-size:12.5px;line-height:1.45;margin-top:8px}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:10px;background:var(--card)}
table.board{border-collapse:collapse;width:100%;font-size:13px;white-space:nowrap}
.board th{position:sticky;top:0;background:var(--soft);text-align:left;font-weight:600;
padding:8px 9px;border-bottom:1px solid var(--line);vertical-align:bottom}
.board th small{display:block;font-weight:400;color:var(--dim);font-size:11.5px}
.board th.n,.board td.n{text-align:right}
.board td{padding:5px 9px;border-bottom:1px solid var(--grid)}
.board tr:last-child td{border-bottom:0}
.board tbody tr:hover td{background:var(--soft)}
.board td.wrap{white-space:normal;min-width:200px}
.board button{all:unset;cursor:pointer}
.board button:focus-visible{outline:2px solid var(--blue);outline-offset:3px;border-radius:2px}
.board th[aria-sort] button::after{content:" ▾";color:var(--blue)}
.board th[aria-sort=ascending] button::after{content:" ▴"}
.concerns{list-style:none;padding:0;margin:12px 0}
.concerns li{border-left:3px solid var(--amber);background:var(--soft);padding:8px 14px;
margin:0 0 8px;border-radius:0 8px 8px 0;overflow-wrap:anywhere}
.concerns.fine li{border-color:var(--green)}
dl.terms{columns:2;column-gap:36px;font-size:13px}
dl.terms div{break-inside:avoid;margin:0 0 9px}
dl.terms dt{color:var(--text);font-weight:600}
dl.terms dd{color:var(--dim)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--soft);border-radius:10px;
padding:14px 16px;margin:0;font:12px/1.5 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
footer{padding:36px 24px;color:var(--dim);font-size:12.5px}
#tip{position:fixed;pointer-events:none;background:var(--text);color:var(--bg);border-radius:6px;
padding:6px 10px;font-size:12px;line-height:1.45;z-index:9;display:none;max-width:300px;
font-variant-numeric:tabular-nums}
@media(max-width:860px){.figures{grid-template-columns:minmax(0,1fr)}dl.terms{columns:1}
main,header,footer{padding-left:16px;padding-right:16px}h1{font-size:25px}}
@media print{:root{color-scheme:light}body{font-size:10.5pt}main,header,footer{max-width:none;
padding-left:0;padding-right:0}figure,.card,tr,.concerns li{break-inside:avoid}
h2,h3{break-after:avoid}.scroll{overflow:visible;border:0}table.board{font-size:7pt;
white-space:normal}.board td,.board th{padding:2px 4px}.board td.wrap{min-width:0}#tip{display:none}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";

constexpr std::string_view kScript = R"js(
(function(){'use strict';
document.querySelectorAll('table.board:not(.fixed) th').forEach(function(th){
var label=th.innerHTML;var button=document.createElement('button');button.innerHTML=label;
button.type='button';th.innerHTML='';th.appendChild(button);
button.addEventListener('click',function(){var table=th.closest('table');
var head=Array.prototype.slice.call(th.parentNode.children);var at=head.indexOf(th);
var numeric=th.classList.contains('n');var up=th.getAttribute('aria-sort');
up=up?up==='descending':!numeric;head.forEach(function(h){h.removeAttribute('aria-sort');});
th.setAttribute('aria-sort',up?'ascending':'descending');
var body=table.tBodies[0];var rows=Array.prototype.slice.call(body.rows);
var value=function(row){var cell=row.cells[at];var v=cell.getAttribute('data-v');
if(!numeric)return v===null?cell.textContent:v;return v===null||v===''?NaN:parseFloat(v);};
rows.map(function(row,i){return{row:row,v:value(row),i:i};}).sort(function(a,b){
if(numeric){var x=isNaN(a.v),y=isNaN(b.v);if(x||y)return x&&y?a.i-b.i:x?1:-1;
return(up?a.v-b.v:b.v-a.v)||a.i-b.i;}
var c=a.v.localeCompare(b.v);return(up?c:-c)||a.i-b.i;
}).forEach(function(e){body.appendChild(e.row);});});});
var tip=document.createElement('div');tip.id='tip';document.body.appendChild(tip);
document.querySelectorAll('svg.hover').forEach(function(svg){
var names=svg.getAttribute('data-x').split(',');
var series=Array.prototype.map.call(svg.querySelectorAll('path[data-v]'),function(p){
return{name:p.getAttribute('data-name'),v:p.getAttribute('data-v').split(',')};});
var base=svg.querySelector('path.base').getBBox();
var line=document.createElementNS(svg.namespaceURI,'path');line.setAttribute('class','cursor');
svg.appendChild(line);
svg.addEventListener('pointermove',function(e){var box=svg.getBoundingClientRect();
var x=(e.clientX-box.left)/box.width*svg.viewBox.baseVal.width;
var part=(x-base.x)/base.width;if(part<0||part>1){tip.style.display='none';
line.setAttribute('d','');return;}
var i=Math.min(names.length-1,Math.max(0,Math.round(part*(names.length-1))));
var px=base.x+base.width*(names.length<2?0:i/(names.length-1));
line.setAttribute('d','M'+px+' 12V'+base.y);
tip.textContent='';var head=document.createElement('b');head.textContent=names[i];
tip.appendChild(head);series.forEach(function(s){if(!s.v[i])return;
tip.appendChild(document.createElement('br'));
tip.appendChild(document.createTextNode(s.name+': '+s.v[i]));});
tip.style.display='block';
tip.style.left=Math.min(e.clientX+14,window.innerWidth-tip.offsetWidth-8)+'px';
tip.style.top=Math.min(e.clientY+14,window.innerHeight-tip.offsetHeight-8)+'px';});
svg.addEventListener('pointerleave',function(){tip.style.display='none';
line.setAttribute('d','');});});
})();
)js";

struct Rgb {
  double r, g, b;
};

std::string heat_rule(int i, Rgb low, Rgb middle, Rgb high) {
  const int half = kHeatClasses / 2;
  const double t = static_cast<double>(i - half) / half;
  const Rgb& end = t < 0 ? low : high;
  const double w = std::pow(std::fabs(t), 0.85);  // small edges stay visible
  const auto mix = [&](double a, double b) {
    return static_cast<int>(std::lround(a + (b - a) * w));
  };
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "svg .h%d{fill:#%02x%02x%02x}", i,
                static_cast<unsigned>(mix(middle.r, end.r)),
                static_cast<unsigned>(mix(middle.g, end.g)),
                static_cast<unsigned>(mix(middle.b, end.b)));
  return text.data();
}

}  // namespace

std::string page_css() {
  std::string out(kCss);
  for (int i = 0; i < kHeatClasses; ++i) {
    out += heat_rule(i, {197, 82, 0}, {240, 241, 243}, {0, 96, 156});
  }
  out += "\n@media screen and (prefers-color-scheme:dark){";
  for (int i = 0; i < kHeatClasses; ++i) {
    out += heat_rule(i, {255, 140, 66}, {38, 45, 54}, {92, 190, 245});
  }
  return out + "}\n";
}

std::string_view page_script() { return kScript; }

}  // namespace winnow::serve::report
