// The only file that includes gnuplot-iostream (slow to compile). It is used to write scripts, not
// a pipe: a missing gnuplot would kill the process by SIGPIPE there, and a faulty plot would go
// unseen.
#include "plots.hpp"

#include <fmt/format.h>
#include <gnuplot-iostream.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "figures.hpp"
#include "files.hpp"
#include "gnuplot.hpp"
#include "mdp/reports/reports.hpp"
#include "plot_data.hpp"

namespace mdp::reports {
namespace fs = std::filesystem;
namespace {

// Okabe and Ito's palette, told apart by colour-blind readers too; dashes help in grey print.
constexpr const char* colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                   "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f"};

std::string script_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "'";
}

std::string axis_tics(const axis& a) {
  std::string out;
  for (const auto& [at, text] : a.tics) {
    // A tic's text is a format to gnuplot.
    std::string label;
    for (const char c : text) label += c == '%' ? std::string("%%") : std::string(1, c);
    out += fmt::format("{}{} {:.12g}", out.empty() ? "" : ", ", script_text(label), at);
  }
  return "(" + out + ")";
}

std::string line_style(std::size_t i) {
  static constexpr const char* dashes[] = {"1", "(12,4)", "(12,4,2,4)", "(3,3)"};
  return fmt::format("lc rgb '{}' lw 2.5 dt {}", colours[i % std::size(colours)],
                     dashes[i % std::size(dashes)]);
}

void preamble(gnuplotio::Gnuplot& gp, const std::string& name, unsigned height) {
  gp << "# Draw again after a change: gnuplot " << name
     << ".gp (or gnuplot -e \"format='png'\" ...)\n"
     << "if (!exists('format')) format = 'svg'\n"
     << "if (format eq 'dumb') { set terminal dumb noenhanced size 100,28 } else {\n"
     << "if (format eq 'png') { set terminal pngcairo noenhanced size 1800," << height * 2
     << " font 'DejaVu Sans,11' fontscale 2 linewidth 2 background '#ffffff' } else {\n"
     << "  set terminal svg noenhanced size 900," << height
     << " dynamic font 'Arial,14' background '#ffffff' } }\n"
     << "set output '" << name << ".'.format\n"
     << "set encoding utf8\nset datafile missing '?'\n"
     << "set border 3 lc rgb '#5c6670' lw 1\nset tics nomirror out scale 0.6 tc rgb '#3d4650'\n"
     << "set grid x y lt 1 lc rgb '#d5dae0' lw 0.8\nset key top left Left reverse samplen 2.5\n"
     << "if (format eq 'dumb') { unset grid }\n"
     << "set key tc rgb '#3d4650'\nset xlabel tc rgb '#3d4650'\nset ylabel tc rgb '#3d4650'\n";
}

void percentile_script(gnuplotio::Gnuplot& gp, const std::string& name, const result_group& group,
                       const percentile_curves& curves) {
  preamble(gp, name, 460);
  gp << "set logscale x 10\nset logscale y 10\n"
     << "set xlabel 'percentile of messages'\nset ylabel " << script_text(group.kind + " latency")
     << "\n"
     << "set xrange [1:" << curves.x_max << "]\nset xtics " << axis_tics(curves.x) << "\n"
     << fmt::format("set yrange [{:.12g}:{:.12g}]\n", curves.y.low, curves.y.high) << "set ytics "
     << axis_tics(curves.y) << "\nplot \\\n";
  for (std::size_t i = 0; i < curves.blocks.size(); ++i) {
    gp << "  '" << name << ".dat' index " << i << " using 1:2 with lines " << line_style(i)
       << " title " << script_text(curves.blocks[i])
       << (i + 1 < curves.blocks.size() ? ", \\\n" : "\n");
  }
}

void bar_panel(gnuplotio::Gnuplot& gp, const std::string& name, const bar_chart& chart,
               std::size_t index, const std::string& title) {
  const std::size_t first = 2 + index * 4;  // columns: y, then value, low, high, text of each panel
  gp << "set xlabel " << script_text(title) << "\n"
     << "set xrange [0:" << fmt::format("{:.6g}", chart.panels[index].x.high) << "]\n"
     << "set xtics " << axis_tics(chart.panels[index].x) << "\n"
     << "plot '" << name << ".dat' using ($" << first << "/2):1:($" << first
     << "/2):(0.32):($1+1) with boxxyerror fs solid 0.85 noborder lc variable notitle, \\\n"
     << "  '' using " << first << ":1:" << first + 1 << ":" << first + 2
     << " with xerrorbars pt -1 lw 1.5 lc rgb '#30363d' notitle, \\\n"
     << "  '' using " << first + 2 << ":1:" << first + 3
     << " with labels left offset 0.8,0 tc rgb '#3d4650' notitle\n";
}

void bar_script(gnuplotio::Gnuplot& gp, const std::string& name, const bar_chart& chart) {
  const std::size_t rows = chart.labels.size();
  preamble(gp, name, static_cast<unsigned>(130 + 46 * rows));
  for (std::size_t i = 0; i < rows; ++i) {
    gp << "set linetype " << i + 1 << " lc rgb '" << colours[i % std::size(colours)] << "'\n";
  }
  std::size_t widest = 0;
  for (const std::string& l : chart.labels) widest = std::max(widest, columns_of(l));
  const double left = std::min(0.30, 0.03 + 0.0105 * static_cast<double>(widest));
  const double width = (0.97 - left - 0.03) / static_cast<double>(chart.panels.size());
  gp << "set grid noy\nunset key\n"
     << fmt::format("set yrange [{}.5:-0.6]\n", rows == 0 ? 0 : rows - 1) << "set ytics (";
  for (std::size_t i = 0; i < rows; ++i) {
    gp << (i > 0 ? ", " : "") << script_text(chart.labels[i]) << " " << i;
  }
  gp << ")\nset ytics scale 0\nset multiplot\n";
  for (std::size_t p = 0; p < chart.panels.size(); ++p) {
    const double from = left + static_cast<double>(p) * (width + 0.03);
    gp << fmt::format("set lmargin at screen {:.4f}\nset rmargin at screen {:.4f}\n", from,
                      from + width - 0.02);
    // The rows are named once, left of the first panel.
    if (p > 0) gp << "set for [row=0:" << rows - 1 << "] ytics add ('' row)\n";
    bar_panel(gp, name, chart, p, chart.panels[p].title);
  }
  gp << "unset multiplot\n";
}

void time_script(gnuplotio::Gnuplot& gp, const std::string& name, const result_group& group,
                 const time_curves& curves) {
  preamble(gp, name, curves.retransmits ? 560 : 400);
  const auto curve = [&](std::size_t column, const char* style, bool titled) {
    gp << "plot \\\n";
    for (std::size_t i = 0; i < curves.blocks.size(); ++i) {
      gp << "  '" << name << ".dat' index " << i << " using 1:" << column << " with " << style
         << " " << line_style(i)
         << (titled ? " title " + script_text(curves.blocks[i]) : " notitle")
         << (i + 1 < curves.blocks.size() ? ", \\\n" : "\n");
    }
  };
  gp << "set key above\nset lmargin 12\nset rmargin 3\n"
     << fmt::format("set xrange [0:{:.6g}]\n", curves.seconds);
  if (curves.retransmits)
    gp << "set multiplot\nset size 1,0.62\nset origin 0,0.38\nset format x ''\n";
  if (!curves.retransmits) gp << "set xlabel 'time of measurement (s)'\n";
  gp << "set logscale y 10\nset ylabel " << script_text("p99 of " + group.kind + " latency") << "\n"
     << fmt::format("set yrange [{:.12g}:{:.12g}]\n", curves.y.low, curves.y.high) << "set ytics "
     << axis_tics(curves.y) << "\n";
  curve(2, "lines", true);
  if (!curves.retransmits) return;
  gp << "set size 1,0.38\nset origin 0,0\nunset logscale y\nset yrange [0:*]\nset format x '%g'\n"
     << "set ytics autofreq\nset xlabel 'time of measurement (s)'\n"
     << "set ylabel " << script_text(fmt::format("retransmits / {:g} s", curves.interval_s))
     << "\n";
  curve(3, "fsteps", false);
  gp << "unset multiplot\n";
}

void load_script(gnuplotio::Gnuplot& gp, const std::string& name, const result_group& group,
                 const load_curves& curves) {
  preamble(gp, name, 680);
  const auto x_axis = [&gp](const char* which, const axis& a, const std::string& label) {
    gp << fmt::format("set {}range [0:{:.9g}]\nset {}tics {}\nset {}label ", which, a.high, which,
                      axis_tics(a), which)
       << script_text(label) << "\n";
  };
  gp << "set lmargin 12\nset rmargin 4\nset multiplot\nset size 1,0.6\nset origin 0,0.4\n"
     << "set logscale y 10\nset ylabel " << script_text(group.kind + " latency") << "\n"
     << fmt::format("set yrange [{:.12g}:{:.12g}]\n", curves.y.low, curves.y.high) << "set ytics "
     << axis_tics(curves.y) << "\n";
  x_axis("x", curves.achieved, "delivered (messages/s)");
  if (curves.bytes_per_message > 0) {
    gp << "set x2tics nomirror out scale 0.6 tc rgb '#3d4650'\nset x2label tc rgb '#3d4650'\n";
    x_axis("x2", linear_axis(curves.achieved.high * curves.bytes_per_message / 1e6),
           "delivered payload (MB/s)");
  }
  for (std::size_t i = 0; i < curves.blocks.size(); ++i) {
    const std::string data = fmt::format("'{}.dat' index {} ", name, i);
    const std::string colour = fmt::format("lc rgb '{}'", colours[i % std::size(colours)]);
    const std::string prefix = curves.blocks[i].empty() ? "" : curves.blocks[i] + ": ";
    gp << (i == 0 ? "plot " : ", ") << data << "using 2:5 with linespoints pt 7 ps 0.7 lw 2.5 "
       << colour << " title " << script_text(prefix + "p99") << ", " << data
       << "using 2:4 with linespoints pt 6 ps 0.7 lw 2.5 dt (12,4) " << colour << " title "
       << script_text(prefix + "p50");
  }
  gp << "\nset size 1,0.4\nset origin 0,0\nunset logscale y\nunset x2tics\nunset x2label\n"
     << "set ylabel 'delivered (messages/s)'\n"
     << fmt::format("set yrange [0:{:.9g}]\n", curves.offered.high) << "set ytics "
     << axis_tics(curves.offered) << "\n";
  x_axis("x", curves.offered, "offered (messages/s)");
  gp << "plot x with lines lc rgb '#7f7f7f' dt (3,3) lw 1.5 title 'all that was offered'";
  for (std::size_t i = 0; i < curves.blocks.size(); ++i) {
    gp << fmt::format(", '{}.dat' index {} using 1:2 with linespoints pt 7 ps 0.7 ", name, i)
       << line_style(i) << " notitle";
  }
  gp << "\nunset multiplot\n";
}

void packet_script(gnuplotio::Gnuplot& gp, const std::string& name, const trace_charts& t) {
  struct mark {
    const char *title, *colour;
    int shape;
    double size;
  };
  // Rare ones last, on top.
  static constexpr mark list[] = {{"sent", "#0072b2", 7, 0.3},
                                  {"retransmitted", "#e69f00", 9, 1.4},
                                  {"dropped or damaged", "#d55e00", 2, 1.4},
                                  {"confirmed", "#009e73", 7, 0.3}};
  static constexpr std::size_t order[] = {0, 3, 1, 2};
  preamble(gp, name, 560);
  gp << "set key above\nset xlabel 'virtual time (s)'\nset ylabel 'packet number'\n"
     << fmt::format("set xrange [{:.9g}:{:.9g}]\nset format x '%g'\nplot \\\n", t.from_s,
                    std::max(t.until_s, t.from_s + 1e-6));
  for (const std::size_t i : order) {
    gp << fmt::format("  '{}.dat' index {} using 1:2 with points pt {} ps {} lw 2.5 lc rgb '{}' ",
                      name, i, list[i].shape, list[i].size, list[i].colour)
       << "title " << script_text(list[i].title) << (i != order[3] ? ", \\\n" : "\n");
  }
}

void queue_script(gnuplotio::Gnuplot& gp, const std::string& name, const trace_charts& t) {
  preamble(gp, name, 360);
  gp << "set key above\nset xlabel 'virtual time (s)'\nset ylabel 'packets in the queue'\n"
     << "set offsets 0, 0, graph 0.08, 0\n"
     << fmt::format("set xrange [0:{:.9g}]\nset yrange [0:*]\nplot \\\n", t.seconds);
  for (std::size_t i = 0; i < t.links.size(); ++i) {
    gp << fmt::format("  '{}.dat' index {} using 1:2 with steps ", name, i) << line_style(i)
       << " title " << script_text(t.links[i]) << (i + 1 < t.links.size() ? ", \\\n" : "\n");
  }
}

void congestion_script(gnuplotio::Gnuplot& gp, const std::string& name, const trace_charts& t) {
  preamble(gp, name, 620);
  gp << "set key above\nset lmargin 12\nset rmargin 3\n"
     << fmt::format("set xrange [0:{:.9g}]\nset yrange [0:*]\n", t.seconds)
     << "set multiplot\nset size 1,0.6\nset origin 0,0.4\nset format x ''\nset ylabel 'kB'\n"
     << "plot '" << name << ".dat' using 1:2 with steps " << line_style(0)
     << " title 'congestion window', '' using 1:3 with steps lc rgb '" << colours[1]
     << "' lw 1.5 title 'in flight'\n"
     << "set size 1,0.4\nset origin 0,0\nset format x '%g'\nset xlabel 'virtual time (s)'\n"
     << "set ylabel 'round trip (ms)'\n"
     << "plot '" << name << ".dat' using 1:4 with steps " << line_style(2)
     << " title 'smoothed round-trip time'\nunset multiplot\n";
}

template <class Write>
plot draft(const result_group& group, const std::string& kind, const std::string& title,
           const std::string& data, const fs::path& folder, Write&& write) {
  plot out;
  out.name = group.file_stem + "-" + kind;
  out.group = group.name;
  out.title = title;
  write_file(folder / (out.name + ".dat"), data);
  const std::string script = (folder / (out.name + ".gp")).string();
  try {
    gnuplotio::Gnuplot gp(">" + script);
    write(gp, out.name);
  } catch (const std::exception&) {
    write_file(script, "");  // says which file and why
  }
  return out;
}

// Of the first traced results: each has plots of its own.
constexpr std::size_t traces_max = 4;

std::vector<plot> trace_drafts(const result_group& group, const fs::path& folder) {
  std::vector<plot> out;
  std::size_t traced = 0;
  for (std::size_t i = 0; i < group.results.size() && traced < traces_max; ++i) {
    const trace_charts t = trace_charts_of(*group.results[i]);
    if (t.heading.empty()) continue;
    const std::string of =
        fmt::format("{}{}{}", t.heading, group.labels[i].empty() ? "" : ", ", group.labels[i]);
    const auto add = [&](const std::string& part, const std::string& title, const std::string& data,
                         auto&& script) {
      if (data.empty()) return;
      out.push_back(draft(group, fmt::format("trace{}-{}", traced, part), title + ": " + of, data,
                          folder, [&](auto& gp, const auto& name) { script(gp, name, t); }));
    };
    add("packets", "What became of packets (" + t.shown + ")", t.packets, packet_script);
    add("queues", "Fullest queues", t.queues, queue_script);
    add("congestion", "Congestion window and round trip", t.congestion, congestion_script);
    ++traced;
  }
  return out;
}

std::vector<plot> drafts_of(const result_group& group, const std::string& kind,
                            const fs::path& folder) {
  std::vector<plot> out;
  if (kind == "trace") return trace_drafts(group, folder);
  if (kind == "percentiles") {
    const percentile_curves c = percentile_curves_of(group);
    if (c.blocks.empty()) return out;
    out.push_back(
        draft(group, kind, "Latency by percentile", c.data, folder,
              [&](auto& gp, const auto& name) { percentile_script(gp, name, group, c); }));
  } else if (kind == "throughput_bars") {
    const bar_chart c = bar_chart_of(group);
    if (c.panels.empty()) return out;
    out.push_back(draft(group, kind, "Throughput", c.data, folder,
                        [&](auto& gp, const auto& name) { bar_script(gp, name, c); }));
  } else if (kind == "load_curve") {
    const load_curves c = load_curves_of(group);
    if (c.blocks.empty()) return out;
    out.push_back(draft(group, kind, "Load curve", c.data, folder,
                        [&](auto& gp, const auto& name) { load_script(gp, name, group, c); }));
  } else {
    const time_curves c = time_curves_of(group);
    if (c.blocks.empty()) return out;
    out.push_back(draft(group, kind, "Latency over time", c.data, folder,
                        [&](auto& gp, const auto& name) { time_script(gp, name, group, c); }));
  }
  return out;
}

// Draws one plot in both formats; false when there is no SVG, which the page needs.
bool draw(plot& p, const fs::path& folder, bool console, std::vector<std::string>& warnings) {
  const fs::path script = folder / (p.name + ".gp");
  // The terminal of characters has no multiplot: such plots are left to the page.
  if (console && read_file(script).find("set multiplot") == std::string::npos) {
    const fs::path drawing = fs::path(script).replace_extension(".dumb");
    if (const std::string complaint = run_gnuplot(script, "dumb"); complaint.empty()) {
      p.console = read_file(drawing);
    } else {
      warnings.push_back(complaint);
    }
    std::error_code ignored;
    fs::remove(drawing, ignored);
  }
  for (const char* format : {"svg", "png"}) {
    const std::string complaint = run_gnuplot(script, format);
    if (!complaint.empty()) {
      warnings.push_back(complaint);
      continue;
    }
    const fs::path picture = fs::path(script).replace_extension(std::string(".") + format);
    (format == std::string("svg") ? p.svg_path : p.png_path) = picture.string();
  }
  if (!p.svg_path.empty()) p.svg = read_file(p.svg_path);
  return !p.svg.empty();
}

}  // namespace

std::vector<plot> make_plots(const std::vector<result_group>& groups,
                             const std::vector<std::string>& kinds, const fs::path& folder,
                             bool console, std::vector<std::string>& warnings) {
  make_folder(folder);
  std::vector<plot> plots;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (const std::string& kind : kinds) {
      for (plot& p : drafts_of(groups[i], kind, folder)) {
        p.group_index = i;
        plots.push_back(std::move(p));
      }
    }
  }
  if (plots.empty()) return plots;
  if (const std::string problem = gnuplot_problem(); !problem.empty()) {
    warnings.push_back(fmt::format("no plots: {}, then report again (scripts and data are in {})",
                                   problem, folder.string()));
    return {};
  }
  std::erase_if(plots, [&](plot& p) { return !draw(p, folder, console, warnings); });
  return plots;
}

}  // namespace mdp::reports
