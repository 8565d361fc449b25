#include "transports/io_uring/receive_ring.hpp"

#include <cerrno>
#include <cstdlib>
#include <new>
#include <system_error>

namespace mdp::transport {
namespace {
constexpr std::size_t page_bytes = 4096;
constexpr std::uint32_t name_bytes = ring_prefix_bytes - sizeof(io_uring_recvmsg_out) -
                                     static_cast<std::uint32_t>(sizeof(control_buffer));
static_assert(name_bytes >= sizeof(socket_address) && name_bytes <= sizeof(sockaddr_storage));
}  // namespace

void receive_ring::aligned_free::operator()(io_uring_buf_ring* p) const noexcept {
  std::free(p);
}

receive_ring::receive_ring(ring& uring, int fd, buffer::block_pool& pool, counters& counts)
    : ring_(uring), fd_(fd), pool_(pool), counts_(counts) {
  constexpr std::size_t bytes =
      (buffers * sizeof(io_uring_buf) + page_bytes - 1) / page_bytes * page_bytes;
  shared_.reset(static_cast<io_uring_buf_ring*>(std::aligned_alloc(page_bytes, bytes)));
  if (!shared_) throw std::bad_alloc();
  std::memset(static_cast<void*>(shared_.get()), 0, bytes);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(shared_.get());
  registration.ring_entries = buffers;
  registration.bgid = group;
  if (const int error = io_uring_register_buf_ring(&ring_.raw(), &registration, 0); error < 0) {
    throw std::system_error(-error, std::system_category(),
                            "cannot register receive buffers with io_uring (raise `ulimit -l`)");
  }
  io_uring_buf_ring_init(shared_.get());
  layout_.msg_namelen = name_bytes;
  layout_.msg_controllen = sizeof(control_buffer);
  free_ids_.reserve(buffers);
  for (unsigned id = buffers; id-- > 0;) free_ids_.push_back(static_cast<std::uint16_t>(id));
}

receive_ring::~receive_ring() {
  for (buffer::block* b : blocks_) {
    if (b) pool_.release(*b);
  }
}

void receive_ring::give(std::uint16_t id, buffer::block& block) noexcept {
  blocks_[id] = &block;
  io_uring_buf_ring_add(shared_.get(), block.data, block.capacity, id,
                        io_uring_buf_ring_mask(buffers), 0);
  io_uring_buf_ring_advance(shared_.get(), 1);
  ++in_kernel_;
}

void receive_ring::prepare() noexcept {
  while (!free_ids_.empty()) {
    buffer::block* block = pool_.acquire();
    if (!block) break;
    give(free_ids_.back(), *block);
    free_ids_.pop_back();
  }
  if (starved()) {
    ++counts_.rx_no_block;
    return;
  }
  if (armed_) return;
  io_uring_sqe* sqe = ring_.entry(ring_tag::receive);
  if (!sqe) return;
  io_uring_prep_recvmsg_multishot(sqe, fd_, &layout_, 0);
  sqe->user_data = static_cast<std::uint64_t>(ring_tag::receive);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = group;
  armed_ = true;
  ++counts_.rx_calls;
}

bool receive_ring::complete(const io_uring_cqe& cqe, buffer::rx_datagrams& out) noexcept {
  // The kernel ends a multishot receive for many reasons (no buffer, an error, its own limits); the
  // next prepare() starts it again.
  if (!(cqe.flags & IORING_CQE_F_MORE)) armed_ = false;
  if (cqe.res < 0) {
    if (cqe.res == -ENOBUFS) {
      ++counts_.rx_no_block;
    } else if (is_path_error(-cqe.res)) {
      ++counts_.path_errors;
    }
  }
  if (!(cqe.flags & IORING_CQE_F_BUFFER)) return false;
  const auto id = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
  buffer::block& block = *std::exchange(blocks_[id], nullptr);
  --in_kernel_;
  if (cqe.res < 0 || !deliver(block, static_cast<std::uint32_t>(cqe.res), out)) {
    give(id, block);
    return false;
  }
  free_ids_.push_back(id);
  return true;
}

bool receive_ring::deliver(buffer::block& block, std::uint32_t bytes,
                           buffer::rx_datagrams& out) noexcept {
  io_uring_recvmsg_out* head =
      io_uring_recvmsg_validate(block.data, static_cast<int>(bytes), &layout_);
  if (!head) return false;
  std::byte* const name = block.data + sizeof(io_uring_recvmsg_out);
  msghdr message{};
  message.msg_control = name + name_bytes;
  message.msg_controllen = head->controllen;
  const rx_control control = read_rx_control(message);
  if (control.has_overflow) {
    counts_.rx_kernel_drops += control.overflow - overflow_;
    overflow_ = control.overflow;
  }
  if (head->flags & MSG_TRUNC) {
    ++counts_.rx_truncated;
    return false;
  }
  const std::uint32_t payload = bytes - ring_prefix_bytes;
  if (payload == 0) return false;
  socket_address from;
  std::memcpy(&from, name, sizeof from);
  out.from = from_socket_address(from);
  out.data = buffer::slice::adopt(block, block.data + ring_prefix_bytes, payload);
  out.segment_bytes = control.segment_bytes < payload ? control.segment_bytes : std::uint16_t{0};
  out.codepoint = control.codepoint;
  counts_.rx_datagrams += datagrams_in(payload, out.segment_bytes);
  counts_.rx_bytes += payload;
  return true;
}

}  // namespace mdp::transport
