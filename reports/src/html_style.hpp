// The page's style sheet. Plots are not made narrower than keeps their letters at 12 pixels: where
// the screen is, they scroll within themselves.
#pragma once

namespace mdp::reports {

inline constexpr const char* page_style = R"css(
:root{color-scheme:light dark;--ink:#1f2933;--soft:#5c6670;--line:#dde2e8;--paper:#fff;
--card:#f6f8fa;
--good:#0b6e4f;--good-bg:#e2f4ec;--bad:#a61b1b;--bad-bg:#fde8e8;--unsure:#7a5200;
--unsure-bg:#fdf3d7;
--link:#0072b2}
@media (prefers-color-scheme:dark){:root{--ink:#e3e8ee;--soft:#a3adb8;--line:#343c46;
--paper:#14181d;
--card:#1c2229;--good:#7fdcb5;--good-bg:#12382b;--bad:#ffaaa5;--bad-bg:#451d1d;--unsure:#f3cf7a;
--unsure-bg:#3d3112;--link:#6cb9ea}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:68rem;padding:2rem 1.25rem 4rem;color:var(--ink);
background:var(--paper);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .75rem;letter-spacing:-.01em}
h2{font-size:1.3rem;margin:2.75rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.4rem 0}.soft,figcaption{color:var(--soft);font-size:.9rem}
.verdict{display:inline-block;padding:.35rem .8rem;border-radius:.5rem;font-weight:600}
.tag{display:inline-block;padding:.02rem .5rem;border-radius:1rem;font-size:.85rem;font-weight:600;
white-space:nowrap}
.good{color:var(--good);background:var(--good-bg)}.bad{color:var(--bad);background:var(--bad-bg)}
.unsure{color:var(--unsure);background:var(--unsure-bg)}
.plain{color:var(--soft);background:var(--card)}
.note{border-left:4px solid var(--unsure);background:var(--unsure-bg);padding:.5rem .8rem;
border-radius:0 .4rem .4rem 0;margin:.75rem 0;overflow-wrap:anywhere}
.note.bad{border-color:var(--bad);background:var(--bad-bg)}
.wide{overflow-x:auto;margin:.5rem 0}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:.38rem .65rem;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap;
vertical-align:top}
td.wrap{white-space:normal;overflow-wrap:anywhere;min-width:12rem}
th{color:var(--soft);font-weight:600;font-size:.83rem}
.n{text-align:right;font-variant-numeric:tabular-nums}
tr.group th{color:var(--ink);padding-top:1rem;font-size:.92rem}
code,pre{font-family:ui-monospace,"SFMono-Regular",Menlo,"DejaVu Sans Mono",monospace;
font-size:.86em}
figure{margin:1rem 0 1.5rem;overflow-x:auto}
figure svg{display:block;width:100%;min-width:49rem;height:auto}
details{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;background:var(--card)}
summary{cursor:pointer;padding:.5rem .8rem;font-weight:600;overflow-wrap:anywhere}
details>*:not(summary){margin-left:.8rem;margin-right:.8rem}
pre{overflow:auto;max-height:28rem;padding-bottom:.8rem;margin-top:0}
@media (max-width:40rem){body{padding:1.25rem .8rem 3rem}h1{font-size:1.5rem}}
@media print{:root{--ink:#000;--soft:#444;--paper:#fff;--card:#fff;--line:#bbb}
body{max-width:none;padding:0;font-size:11pt}figure,table{break-inside:avoid}h2{break-after:avoid}
.wide,figure{overflow:visible}figure svg{min-width:0}}
)css";

}  // namespace mdp::reports
