// Who shares pieces of work among threads, for code that starts none itself.
#pragma once
#include <cstdint>

namespace mdp {

class crew {
 public:
  class work {
   public:
    virtual void piece(std::uint32_t number) noexcept = 0;

   protected:
    ~work() = default;
  };

  virtual ~crew() = default;
  [[nodiscard]] virtual unsigned threads() const noexcept = 0;
  // Does pieces 0 .. count - 1, in any order, several at a time; the caller works too, and has the
  // rest behind it on return. One caller at a time. All see what the caller did before, and it sees
  // what they did.
  virtual void each(std::uint32_t count, work& what) noexcept = 0;
};

}  // namespace mdp
