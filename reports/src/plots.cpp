#include "plots.hpp"

#include "files.hpp"

namespace mdp::reports {

std::vector<plot> make_plots(const std::vector<result_group>&, const std::vector<std::string>&,
                             const std::filesystem::path& folder, std::vector<std::string>&) {
  make_folder(folder);
  return {};
}

}  // namespace mdp::reports
