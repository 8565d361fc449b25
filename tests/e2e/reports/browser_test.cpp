// The page in a real browser: Chromium without a window builds its document and paints it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>

#include "mdp/reports/reports.hpp"

namespace mdp::reports {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string text_of_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Shows the page at a width that no window can have, and writes down what a reader would see of it.
constexpr const char* inspector = R"html(<!doctype html><title>inspector</title><pre id="out"></pre>
<iframe id="page" style="width:WIDTHpx;height:900px;border:0" src="SOURCE"></iframe><script>
const rgb = (text) => (text.match(/[0-9.]+/g) || []).map(Number);
const luminance = (c) => {
  const part = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = c.map((v) => part(v / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
};
const paper = (e) => {
  for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3) return c;
  }
  return [255, 255, 255];
};
page.onload = () => {
  const root = page.contentDocument.documentElement;
  let smallest = 1000, faintest = 21, texts = 0, plots = 0, blank = 0;
  for (const e of root.querySelectorAll('body, body *')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(e), drawn = e.closest('svg');
    const turn = drawn ? e.getScreenCTM() : {a: 1, b: 0}, scale = Math.hypot(turn.a, turn.b);
    smallest = Math.min(smallest, parseFloat(style.fontSize) * scale);
    faintest = Math.min(faintest, contrast(rgb(drawn ? style.fill : style.color), paper(e)));
    ++texts;
  }
  for (const e of root.querySelectorAll('figure')) {
    const svg = e.querySelector('svg'), box = svg ? svg.getBoundingClientRect() : {width: 0};
    const marks = svg ? [...svg.querySelectorAll('path,polygon')].filter((m) => {
      const b = m.getBoundingClientRect();
      return b.width > 20 && b.height > 5;
    }) : [];
    ++plots;
    if (!(box.width > 0 && box.height > 0 && marks.length > 0)) ++blank;
  }
  const found = {beyond: root.scrollWidth - root.clientWidth, smallest, faintest, texts, plots,
                 blank,
                 dark: matchMedia('(prefers-color-scheme: dark)').matches ? 1 : 0};
  out.textContent = Object.entries(found).map(([k, v]) => k + '=' + v + ';').join(' ');
};
</script>)html";

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string out;
  std::array<char, 4096> part{};
  while (pipe != nullptr) {
    const std::size_t n = fread(part.data(), 1, part.size(), pipe.get());
    if (n == 0) break;
    out.append(part.data(), n);
  }
  return out;
}

std::string browser() {
  std::string found =
      output_of("command -v chromium || command -v chromium-browser || command -v google-chrome");
  return found.substr(0, found.find('\n'));
}

bool gnuplot_is_there() {
  return !output_of("command -v gnuplot").empty();
}

class reports_in_a_browser : public testing::Test {
 protected:
  void SetUp() override {
    browser_ = browser();
    if (browser_.empty()) GTEST_SKIP() << "no browser is installed (apt-get install chromium)";
    std::string name = (fs::temp_directory_path() / "mdp-browser-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    std::vector<std::string> texts;
    for (const char* sample :
         {"quickstart-stream-socket", "quickstart-stream-io_uring", "lossy-wan", "few-figures"}) {
      texts.push_back(text_of_file(fs::path(MDP_SOURCE_DIR) / "tests/golden/reports" /
                                   (std::string(sample) + ".json")));
    }
    report_options options{(folder_ / "out").string(), "Browser & page", {}, {}};
    options.comparisons.push_back({"quickstart: transport io_uring against socket",
                                   {{"messages/s", "worse", "-8.4 %", "0.916 [0.910, 0.922]", "12",
                                     "0.0068", judged_metric::tone::bad}},
                                   "A/A control: no difference shown"});
    page_ = write_report(texts, options).html_path;
  }

  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  // Chromium's output for one page; `more` are further options. Ended after a minute.
  std::string visit(const std::string& address, const std::string& more) const {
    return output_of("timeout 60 '" + browser_ +
                     "' --headless --no-sandbox --disable-gpu --hide-scrollbars "
                     "--disable-dev-shm-usage --no-first-run --user-data-dir='" +
                     (folder_ / "profile").string() + "' " + more + " '" + address + "' 2>'" +
                     (folder_ / "browser.log").string() + "'");
  }

  [[nodiscard]] std::uintmax_t painted_bytes(const std::string& address, int width) const {
    const fs::path picture = folder_ / "page.png";
    std::error_code ignored;
    fs::remove(picture, ignored);
    visit(address, "--window-size=" + std::to_string(width) + ",1600 --screenshot='" +
                       picture.string() + "'");
    return fs::exists(picture) ? fs::file_size(picture) : 0;
  }

  // What the inspector finds at a width in CSS pixels: "plots" of them, how many are "blank", and
  // so on. Empty when the browser said nothing.
  [[nodiscard]] std::map<std::string, double> inspect(int width, const std::string& more) const {
    const fs::path file = folder_ / "inspector.html";
    std::string text = inspector;
    text.replace(text.find("WIDTH"), 5, std::to_string(width));
    text.replace(text.find("SOURCE"), 6, "file://" + page_);
    std::ofstream(file) << text;
    const std::string dom =
        visit("file://" + file.string(),
              "--allow-file-access-from-files --virtual-time-budget=5000 --dump-dom " + more);
    static const std::regex entry("([a-z]+)=([-0-9.]+);");
    std::map<std::string, double> found;
    const std::string line = dom.substr(std::min(dom.find("<pre"), dom.size()));
    const std::string report = line.substr(0, line.find("</pre>"));
    for (std::sregex_iterator i(report.begin(), report.end(), entry), end; i != end; ++i)
      found[(*i)[1]] = std::stod((*i)[2]);
    return found;
  }

  std::string browser_;
  fs::path folder_;
  std::string page_;
};

TEST_F(reports_in_a_browser, the_document_has_every_part) {
  const std::string dom = visit("file://" + page_, "--dump-dom");
  ASSERT_THAT(dom, HasSubstr("</html>")) << text_of_file(folder_ / "browser.log");
  EXPECT_THAT(dom, HasSubstr("<h1>Browser &amp; page</h1>"));
  EXPECT_THAT(dom, HasSubstr("3 of 4 points passed"));
  EXPECT_THAT(dom, HasSubstr("transport io_uring against socket"));
  EXPECT_THAT(dom, HasSubstr("<span class=\"tag bad\">worse</span>"));
  EXPECT_THAT(dom, HasSubstr("260,000"));
  EXPECT_THAT(dom, HasSubstr("9c1f03a2b7d45e60"));
  if (!gnuplot_is_there()) GTEST_SKIP() << "plots: gnuplot is not installed";
  static const std::regex plot("<figure>");
  const auto plots = std::distance(std::sregex_iterator(dom.begin(), dom.end(), plot), {});
  EXPECT_EQ(plots, 8);  // two groups with three plots, and one without throughput
}

// Several plots stand in one page, each drawn with the same ids: a style or a clip path would apply
// to the wrong one.
TEST_F(reports_in_a_browser, ids_are_unique) {
  const std::string dom = visit("file://" + page_, "--dump-dom");
  static const std::regex id(R"rx(\sid="([^"]+)")rx");
  std::map<std::string, int> seen;
  for (std::sregex_iterator i(dom.begin(), dom.end(), id), end; i != end; ++i) ++seen[(*i)[1]];
  EXPECT_FALSE(seen.empty());
  for (const auto& [name, times] : seen) EXPECT_EQ(times, 1) << name;
}

TEST_F(reports_in_a_browser, the_console_stays_silent) {
  const auto console = [&](const std::string& address) {
    visit(address, "--enable-logging=stderr --v=0 --dump-dom");
    return text_of_file(folder_ / "browser.log");
  };
  // What the test would see of an error.
  const fs::path faulty = folder_ / "faulty.html";
  std::ofstream(faulty) << "<!doctype html><title>x</title><script>nowhere();</script>";
  ASSERT_THAT(console("file://" + faulty.string()), HasSubstr("CONSOLE"));
  EXPECT_THAT(console("file://" + page_), Not(HasSubstr("CONSOLE")));
}

TEST_F(reports_in_a_browser, it_prints_to_pdf) {
  const auto printed = [&](const std::string& address) {
    const fs::path pdf = folder_ / "page.pdf";
    std::error_code ignored;
    fs::remove(pdf, ignored);
    visit(address, "--print-to-pdf='" + pdf.string() + "'");
    return fs::exists(pdf) ? text_of_file(pdf) : std::string();
  };
  const fs::path blank = folder_ / "blank.html";
  std::ofstream(blank) << "<!doctype html><title>blank</title>";
  const std::string empty = printed("file://" + blank.string());
  const std::string page = printed("file://" + page_);
  ASSERT_THAT(empty, StartsWith("%PDF-")) << text_of_file(folder_ / "browser.log");
  EXPECT_THAT(page, StartsWith("%PDF-"));
  EXPECT_GT(page.size(), 5 * empty.size());
}

// WCAG 2.1 asks for a contrast of 4.5 between text and what is behind it.
TEST_F(reports_in_a_browser, it_reads_well_on_a_phone_and_at_a_desk_by_day_and_by_night) {
  for (const int width : {390, 700, 1200}) {
    for (const int dark : {0, 1}) {
      SCOPED_TRACE(std::to_string(width) + (dark == 1 ? " pixels, dark" : " pixels, light"));
      std::map<std::string, double> found =
          inspect(width, "--blink-settings=preferredColorScheme=" + std::to_string(1 - dark));
      ASSERT_EQ(found.size(), 7U) << text_of_file(folder_ / "browser.log");
      EXPECT_EQ(found["dark"], dark);
      EXPECT_EQ(found["beyond"], 0) << "pixels to scroll sideways";
      EXPECT_GT(found["texts"], 50);
      EXPECT_GE(found["smallest"], 12) << "pixels of the smallest letters";
      EXPECT_GE(found["faintest"], 4.5) << "the least contrast";
      EXPECT_EQ(found["blank"], 0);
      EXPECT_EQ(found["plots"], gnuplot_is_there() ? 8 : 0);
    }
  }
}

TEST_F(reports_in_a_browser, something_is_painted_at_desk_and_phone_width) {
  const fs::path blank = folder_ / "blank.html";
  std::ofstream(blank) << "<!doctype html><title>blank</title>";
  for (const int width : {1200, 500}) {
    const std::uintmax_t empty = painted_bytes("file://" + blank.string(), width);
    const std::uintmax_t full = painted_bytes("file://" + page_, width);
    ASSERT_GT(empty, 0U) << text_of_file(folder_ / "browser.log");
    EXPECT_GT(full, 5 * empty) << "at width " << width;
  }
}

}  // namespace
}  // namespace mdp::reports
