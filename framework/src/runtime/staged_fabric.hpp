// Transports whose receiving, and perhaps sending, is done by threads of their own ("pair",
// "pipeline"): what a node on one thread sees of a fabric whose datagrams other threads move.
// Between the threads are bounded rings of one producer and one consumer; payload is not copied,
// references travel. A full ring is backpressure: the receiver leaves datagrams with the kernel,
// and send() takes nothing.
#pragma once
#include "mdp/base/thread_plan.hpp"
#include "mdp/transport/transport.hpp"

namespace mdp::runtime {

class staged_fabric final : public transport::fabric {
 public:
  // `inner` must outlive the fabric and all that it opens, and share its ports
  // (capabilities::shares_port).
  staged_fabric(transport::fabric& inner, const thread_plan& plan);

  [[nodiscard]] const transport::capabilities& caps() const noexcept override { return caps_; }
  [[nodiscard]] std::unique_ptr<transport::transport> open(
      const transport::open_options& options) override;
  [[nodiscard]] transport::fabric_facts facts() const override { return inner_.facts(); }

 private:
  transport::fabric& inner_;
  thread_plan plan_;
  transport::capabilities caps_;
};

}  // namespace mdp::runtime
