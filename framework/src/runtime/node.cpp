#include "mdp/runtime/node.hpp"

#include "inline_node.hpp"
#include "threaded_node.hpp"

namespace mdp {

std::unique_ptr<messaging::messenger> make_node(const node_options& options) {
  if (options.layout == thread_layout::single)
    return std::make_unique<runtime::threaded_node>(options);
  return std::make_unique<runtime::inline_node>(options, buffer::sharing::one_thread);
}

}  // namespace mdp
