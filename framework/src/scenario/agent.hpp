// One peer of a run: a messenger and the actors that use it. Belongs to one thread.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "mdp/messaging/factory.hpp"
#include "mdp/scenario/spec.hpp"
#include "run_record.hpp"
#include "workload/receiver.hpp"
#include "workload/sender.hpp"

namespace mdp::scenario {

// What the run remembers of the processes that a peer had before. The next one knows none of it: it
// is there so that no message has the number of another.
struct earlier_processes {
  std::uint32_t count = 0;
  endpoint_address address;              // where they were, and the next one is to be
  std::vector<std::uint64_t> sequences;  // of each sender: all lower ones have been used
  double share = 0;                      // messages completed or sent
};

class agent {
 public:
  agent(const point_spec& point, const peer_group& group, std::uint32_t index, std::uint64_t seed,
        transport::fabric& fabric, earlier_processes before = {});

  // Makes the actors: a sender for each flow that begins here, a receiver for what arrives.
  // `addresses`: of every peer of each group. Throws when a peer cannot be connected to.
  void set_up(const std::vector<std::pair<std::string, std::vector<endpoint_address>>>& addresses);
  // Or told that it will not be, where that is no failure: see lost().
  [[nodiscard]] bool connected() const noexcept { return ups_ + downs_ >= targets_; }
  [[nodiscard]] const std::string& lost() const noexcept { return lost_; }

  void begin(const workload::phases& p) noexcept;
  // One duty cycle: actors' work, then the messenger; never waits beyond `latest`. True: something
  // happened.
  bool turn(time_point latest) noexcept;
  [[nodiscard]] bool done() const noexcept;
  void finish(run_record& record) noexcept;
  // Instead of finish(): its process ends now, with all that it knows; then the agent is destroyed.
  [[nodiscard]] earlier_processes end_process(run_record& record) noexcept;
  void snapshot(bool at_end) noexcept;

  [[nodiscard]] messaging::messenger& messenger() noexcept { return *messenger_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // Whom its first flow sends to first; no_peer: it begins none.
  [[nodiscard]] peer_id first_target() const noexcept { return first_target_; }

 private:
  void connect(const std::vector<endpoint_address>& members,
               std::vector<std::pair<endpoint_address, peer_id>>& connected,
               std::vector<peer_id>& targets);
  [[nodiscard]] workload::sender* sender_at(int flow) const noexcept;
  void handle(messaging::event& e) noexcept;
  void look_at_retransmissions(time_point now) noexcept;
  void add_measured(run_record& record) noexcept;
  void add_counts(run_record& record) const noexcept;

  const point_spec& point_;
  const peer_group& group_;
  std::uint64_t seed_;
  earlier_processes before_;
  std::string name_;
  bool real_time_;
  std::unique_ptr<messaging::messenger> messenger_;
  std::vector<std::unique_ptr<workload::sender>> senders_;
  std::vector<workload::sender*> sender_of_;  // by flow; nullptr: it begins elsewhere
  std::unique_ptr<workload::receiver> receiver_;
  std::vector<messaging::event> events_;
  peer_id first_target_ = no_peer;
  std::size_t targets_ = 0;
  std::size_t ups_ = 0;
  std::size_t downs_ = 0;
  bool running_ = false;
  workload::time_series retransmitted_;  // counts of packets, by interval
  std::uint64_t retransmissions_ = 0;    // when we last looked
  bool retransmissions_known_ = false;
  time_point next_look_ = never;
  std::string lost_;
  messaging::statistics stats_[2];
  transport::counters transport_[2];
};

}  // namespace mdp::scenario
